import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.mjs";
import { run } from "./run.mjs";

const stamp = join(root, "node_modules", ".kilonova-lock");
const lockHash = () =>
  createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");

/** Whether node_modules is what package-lock.json asks for. */
export const npmReady = () => existsSync(stamp) && readFileSync(stamp, "utf8") === lockHash();

/** Installs the npm packages, exactly as locked. A broken earlier try is no problem: `npm ci` begins anew. */
export async function installNpm(note) {
  if (npmReady()) return;
  await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=warn"], { cwd: root, onLine: note });
  mkdirSync(join(root, "node_modules"), { recursive: true });
  writeFileSync(stamp, lockHash());
}
