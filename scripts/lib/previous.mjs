// The build before this one, by git's history.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.mjs";

const BREAKS = "proto/internal-breaks.txt";

/** Runs git on the project, whoever owns its folder. */
export const git = (args, options = {}) =>
  spawnSync("git", ["-c", "safe.directory=*", ...args], { cwd: root, maxBuffer: 1 << 30, ...options });

/**
 * Finds the newest commit in which the files differ from the present ones; that is HEAD itself when the
 * working tree has changes.
 * @param paths  git's path specifications
 * @returns `{ commit }`, or `{ none }` with the reason why there cannot be one
 * @throws when there is a whole history and none in it, or git fails
 */
export function previousCommit(paths) {
  if (!existsSync(join(root, ".git")))
    return { none: "this is no git checkout, so there is no previous commit" };
  const listed = git(["rev-list", "--max-count=500", "HEAD"], { encoding: "utf8" });
  if (listed.status !== 0) throw new Error(`git rev-list failed: ${listed.error ?? listed.stderr}`);
  const commits = listed.stdout.trim().split("\n");
  const commit = commits.find((one) => git(["diff", "--quiet", one, "--", ...paths]).status === 1);
  if (commit !== undefined) return { commit };
  const shallow = git(["rev-parse", "--is-shallow-repository"], { encoding: "utf8" }).stdout.trim();
  if (shallow === "true") return { none: "this clone is shallow: it has no commit before the present one" };
  if (commits.length === 1) return { none: "this is the first commit" };
  throw new Error(`In ${commits.length} commits nothing differs in ${paths.join(" ")}.`);
}

/** Why the build of a commit and the present one cannot work side by side; undefined when they can. */
export function internalBreak(commit) {
  const entries = (text) => text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const before = git(["show", `${commit}:${BREAKS}`], { encoding: "utf8" });
  const known = new Set(before.status === 0 ? entries(before.stdout) : []);
  return entries(readFileSync(join(root, BREAKS), "utf8")).findLast((line) => !known.has(line));
}

/** Puts files as they were at a commit into a folder. */
export function exportCommit(commit, folder, paths = []) {
  const archive = git(["archive", commit, ...paths]);
  if (archive.status !== 0) throw new Error(archive.stderr.toString());
  const unpacked = spawnSync("tar", ["-x", "-C", folder], { input: archive.stdout });
  if (unpacked.status !== 0) throw new Error(unpacked.stderr.toString());
}
