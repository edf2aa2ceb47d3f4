export { Metrics } from "./metrics.js";
export { createTracer, noTracer } from "./tracer.js";
export type { SpanOrigin, Tracer, TracerOptions } from "./tracer.js";
export { logBounds, openTracer, telemetryConfig } from "./config.js";
export type { TelemetryConfig } from "./config.js";
export type { SpanLine } from "./exporters.js";
