export { Metrics } from "./metrics.js";
export { createTracer, noTracer } from "./tracer.js";
export type { Tracer, TracerOptions } from "./tracer.js";
