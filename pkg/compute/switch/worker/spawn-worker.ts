import { Worker } from "node:worker_threads";
import type { WorkerInit } from "../protocol.js";

/**
 * Starts the switch's thread. Its entry file is `switch-worker.js` beside the bundle in a production build (made of
 * `worker.ts`), and `worker-from-source.mjs` beside this file in the source tree.
 */
export function spawnSwitchWorker(workerData: WorkerInit): Worker {
  const isSource = import.meta.url.endsWith(".ts");
  return new Worker(new URL(isSource ? "./worker-from-source.mjs" : "./switch-worker.js", import.meta.url), { workerData, name: "switch" });
}
