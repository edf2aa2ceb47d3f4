import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A folder of its own for each test of the suite that asks for it, gone afterwards. Call it in `describe`.
 * @returns where it is, while a test runs
 */
export function scratchFolder(name: string): () => string {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), `kilonova-${name}-`));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return () => folder;
}

const ofProcess: string[] = [];

/** A folder that is gone when this process has ended, for what outlives a test. */
export function processFolder(name: string): string {
  if (ofProcess.length === 0) process.once("exit", removeAll);
  const folder = mkdtempSync(join(tmpdir(), `kilonova-${name}-`));
  ofProcess.push(folder);
  return folder;
}

function removeAll(): void {
  for (const folder of ofProcess) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
