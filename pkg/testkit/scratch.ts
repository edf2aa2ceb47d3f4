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
