import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../../../../pkg/platform/service/index.js";
import { exportCommit, git, internalBreak, previousCommit } from "../../../../scripts/lib/previous.mjs";

/** What the programs are made of; tests and what only tests use do not count. */
const SOURCES = ["cmd", "gen", "pkg", "proto", ":!*.test.ts", ":!pkg/**/testing/**", ":!pkg/testkit"];

/** The newest commit before the present state of the project whose programs are other ones. */
export interface Previous {
  readonly commit: string;
  /** Whether its messages keep fields that they do not know. The first commits of the project did not. */
  readonly keepsUnknownFields: boolean;
}

/**
 * @returns why there is none, when there cannot be one
 * @throws when there is a whole history, and none in it
 */
export function previousBuild(): Previous | { readonly none: string } {
  const found = previousCommit(SOURCES);
  if ("none" in found) return found;
  const { commit } = found;
  const broken = internalBreak(commit);
  if (broken !== undefined) return { none: `the contract was broken on purpose: ${broken}` };
  const { stdout } = git(["show", `${commit}:buf.gen.yaml`], { encoding: "utf8" });
  return { commit, keepsUnknownFields: stdout.includes("unknownFields=true") };
}

/**
 * Puts the project as it was at a commit into a folder inside this one: that way it finds the packages of
 * this one. When it needs others, they are installed there.
 * @returns its root, which the caller removes
 */
export async function checkOut({ commit }: Previous): Promise<string> {
  const dir = join(packageRoot(), ".cache", `previous-${process.pid}`);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  exportCommit(commit, dir);
  const lock = (root: string): string => readFileSync(join(root, "package-lock.json"), "utf8");
  if (lock(dir) !== lock(packageRoot())) {
    const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
    await promisify(execFile)("npm", args, { cwd: dir });
  }
  return dir;
}
