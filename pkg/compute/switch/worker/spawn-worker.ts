import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import type { WorkerInit } from "../protocol.js";

/**
 * Starts the switch's thread. In the source tree its entry file is `worker-from-source.mjs` beside this one;
 * a production build makes `switch-worker.js` of `worker.ts`, and this code may be in a bundle beside it or
 * in a folder of shared chunks below it.
 */
export const spawnSwitchWorker = (workerData: WorkerInit): Worker =>
  new Worker(entryFile(), { workerData, name: "switch" });

function entryFile(): URL {
  if (import.meta.url.endsWith(".ts")) return new URL("./worker-from-source.mjs", import.meta.url);
  const candidates = ["./switch-worker.js", "../switch-worker.js"].map(
    (path) => new URL(path, import.meta.url),
  );
  const found = candidates.find((url) => existsSync(url));
  if (found === undefined) throw new Error(`no switch-worker.js near ${import.meta.url}; was it built?`);
  return found;
}
