import { z } from "zod";
import type { LogLevel } from "../log/index.js";
import { DiscardingSpanExporter, FileSpanExporter } from "./exporters.js";
import type { Tracer } from "./tracer.js";
import { createTracer, noTracer } from "./tracer.js";

/** Options of logs and traces. */
export const telemetryConfig = z
  .object({
    logLevel: z
      .enum(["debug", "info", "warn", "error"])
      .default("info")
      .describe("Least severity that is logged."),
    logFile: z
      .string()
      .default("")
      .describe(
        "File for the log; empty writes to standard error, or in `kilonova up` to `kilonova.log` in the state directory.",
      ),
    logFileBytes: z
      .number()
      .int()
      .min(1_024)
      .default(64 * 1024 * 1024)
      .describe("Size at which the log file is put aside and a new one begun."),
    logFilesKept: z
      .number()
      .int()
      .min(1)
      .default(3)
      .describe("How many log files that are full are kept, as `<file>.1` (the newest) and so on."),
    traces: z
      .enum(["off", "otlp", "file", "discard"])
      .default("off")
      .describe(
        "Where spans go: nowhere, to an OTLP collector, to `traceFile`, or recorded and thrown away (to measure).",
      ),
    traceFile: z
      .string()
      .default("")
      .describe(
        "File for spans, one JSON object per line; empty means `traces.jsonl` in the state directory.",
      ),
    otlpEndpoint: z.string().default("http://127.0.0.1:4318/v1/traces").describe("OTLP over HTTP collector."),
    sampleRatio: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe("Part of new traces that is recorded, 0 to 1; children follow their parent."),
    outsideTraces: z
      .enum(["ignored", "continued", "trusted"])
      .default("continued")
      .describe(
        "What `traceparent` of users with a valid token counts for: nothing; their trace is continued and `sampleRatio` decides whether it is recorded; or they decide that too. Without a token it counts for nothing.",
      ),
  })
  .describe("Logs and traces.");

export type TelemetryConfig = z.output<typeof telemetryConfig> & { readonly logLevel: LogLevel };

/** How much room the log file takes, for `openFileDestination`. */
export const logBounds = ({ logFileBytes, logFilesKept }: TelemetryConfig) => ({
  maxBytes: logFileBytes,
  kept: logFilesKept,
});

/** The tracer that the configuration asks for; the OTLP exporter is only loaded when it is used. */
export async function openTracer(
  config: TelemetryConfig,
  service: string,
  defaultFile: string,
): Promise<Tracer> {
  const { sampleRatio, outsideTraces: outside } = config;
  switch (config.traces) {
    case "off":
      return noTracer;
    case "discard":
      return createTracer({ service, sampleRatio, outside, exporter: new DiscardingSpanExporter() });
    case "file":
      return createTracer({
        service,
        sampleRatio,
        outside,
        exporter: new FileSpanExporter(config.traceFile || defaultFile),
        immediate: true,
      });
    case "otlp": {
      const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
      return createTracer({
        service,
        sampleRatio,
        outside,
        exporter: new OTLPTraceExporter({ url: config.otlpEndpoint }),
      });
    }
  }
}
