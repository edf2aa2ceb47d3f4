// Entry point of the switch's thread in the source tree: loaders are not handed down to threads, so it learns
// TypeScript first.
import { register } from "tsx/esm/api";

register();
await import("./worker.ts");
