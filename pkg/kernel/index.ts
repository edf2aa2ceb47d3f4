export * from "./errors.js";
export * from "./time.js";
export * from "./ids.js";
export * from "./logger.js";
export * from "./ctx.js";
export * from "./concurrency.js";
export * from "./signals.js";
export * from "./pacer.js";
