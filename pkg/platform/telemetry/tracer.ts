import type { Context, Span as OtelSpan, Tracer as OtelTracer } from "@opentelemetry/api";
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, isValidSpanId, isValidTraceId, trace } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { SpanExporter, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import { BasicTracerProvider, BatchSpanProcessor, ParentBasedSampler, SimpleSpanProcessor, TraceIdRatioBasedSampler } from "@opentelemetry/sdk-trace-base";
import type { Span, SpanAttributes } from "../../kernel/index.js";
import { KilonovaError, noSpan } from "../../kernel/index.js";

/** Starts spans. Contexts are passed by hand (`ctx.span`), so no hook into Node's module loader or async context is needed. */
export interface Tracer {
  /** @param traceparent W3C traceparent of the parent, or "" for a new trace */
  start(name: string, traceparent: string, attributes: SpanAttributes, kind: "server" | "internal"): Span;
  close(): Promise<void>;
}

export const noTracer: Tracer = { start: () => noSpan, close: async () => {} };

export interface TracerOptions {
  readonly service: string;
  /** 0 to 1: part of new traces that is recorded; children follow their parent. */
  readonly sampleRatio: number;
  readonly exporter: SpanExporter;
  /** Export each span at once; for tests. */
  readonly immediate?: boolean;
}

/** A tracer over the OpenTelemetry SDK. */
export function createTracer(options: TracerOptions): Tracer {
  const processor: SpanProcessor = options.immediate ? new SimpleSpanProcessor(options.exporter) : new BatchSpanProcessor(options.exporter);
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": options.service }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.sampleRatio) }),
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer("kilonova");
  return {
    start: (name, traceparent, attributes, kind) => {
      const parent = parseTraceparent(traceparent);
      return wrap(tracer, tracer.startSpan(name, { attributes, kind: kind === "server" ? SpanKind.SERVER : SpanKind.INTERNAL }, parent), parent);
    },
    close: () => provider.shutdown(),
  };
}

function parseTraceparent(text: string): Context {
  if (text === "") return ROOT_CONTEXT;
  const [version, traceId = "", spanId = "", flags = "00"] = text.split("-");
  if (version !== "00" || !isValidTraceId(traceId) || !isValidSpanId(spanId)) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, isRemote: true, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED });
}

function wrap(tracer: OtelTracer, span: OtelSpan, parent: Context): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  let own: Context | undefined;
  return {
    traceparent: `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`,
    child: (name, attributes = {}) => {
      own ??= trace.setSpan(parent, span);
      return wrap(tracer, tracer.startSpan(name, { attributes }, own), own);
    },
    attribute: (name, value) => { span.setAttribute(name, value); },
    event: (name, attributes = {}) => { span.addEvent(name, attributes); },
    end: (error) => {
      if (error !== undefined) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : "error" });
        if (error instanceof KilonovaError) span.setAttribute("error.reason", error.reason);
      }
      span.end();
    },
  };
}
