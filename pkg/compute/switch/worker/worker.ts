import { parentPort, workerData } from "node:worker_threads";
import type { FromWorker, ToWorker, WorkerInit } from "../protocol.js";
import { SwitchHost } from "./switch-host.js";

// Entry point of the switch's thread; started by switch-client.ts. It ends by itself once `close` has let go
// of everything.
const port = parentPort;
if (port === null) throw new Error("this file is the entry point of a worker thread");

const host = new SwitchHost((message: FromWorker) => port.postMessage(message));
port.on("message", (message: ToWorker) => {
  host.receive(message);
  if (message.type === "close") port.close();
});
await host.start(workerData as WorkerInit);
