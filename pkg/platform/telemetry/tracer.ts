import type { Context, Span as OtelSpan, Tracer as OtelTracer } from "@opentelemetry/api";
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  isValidSpanId,
  isValidTraceId,
  trace,
} from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { SpanExporter, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-base";
import type { Span, SpanAttributes } from "../../kernel/index.js";
import { KilonovaError, noSpan } from "../../kernel/index.js";

/**
 * Starts spans. Contexts are passed by hand (`ctx.span`), so no hook into Node's module loader or async
 * context is needed.
 */
export interface Tracer {
  /**
   * @param parent  a span of this process, or the W3C traceparent of one elsewhere; "" for a new trace
   * @param origin  whose traceparent it is; default: one of our own services
   */
  start(
    name: string,
    parent: Span | string,
    attributes: SpanAttributes,
    kind: "server" | "internal",
    origin?: SpanOrigin,
  ): Span;
  close(): Promise<void>;
}

/** What is to be known about a span that begins with a request. */
export interface SpanOrigin {
  /** The traceparent came from outside: `TracerOptions.outside` says what it counts for. */
  readonly outside?: boolean;
  /** Epoch milliseconds. Default: now. */
  readonly startedMs?: number;
}

/**
 * What a traceparent from outside counts for: nothing; its trace is continued, and whether it is recorded is
 * decided here; or it also says that it is recorded.
 */
export type OutsideTraces = "ignored" | "continued" | "trusted";

export const noTracer: Tracer = { start: () => noSpan, close: async () => {} };

export interface TracerOptions {
  readonly service: string;
  /** 0 to 1: part of new traces that is recorded; children follow their parent. */
  readonly sampleRatio: number;
  readonly exporter: SpanExporter;
  /** Default: `continued`. */
  readonly outside?: OutsideTraces;
  /** Export each span at once; for tests. */
  readonly immediate?: boolean;
}

/** A tracer over the OpenTelemetry SDK. */
export function createTracer(options: TracerOptions): Tracer {
  const processor: SpanProcessor = options.immediate
    ? new SimpleSpanProcessor(options.exporter)
    : new BatchSpanProcessor(options.exporter);
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": options.service }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.sampleRatio) }),
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer("kilonova");
  return {
    start: (name, from, attributes, kind, { outside = false, startedMs } = {}) => {
      const parent = contextOf(from, outside, options);
      return new RecordedSpan(
        tracer,
        tracer.startSpan(
          name,
          {
            attributes,
            kind: kind === "server" ? SpanKind.SERVER : SpanKind.INTERNAL,
            ...(startedMs === undefined ? {} : { startTime: startedMs }),
          },
          parent,
        ),
        parent,
      );
    },
    close: () => provider.shutdown(),
  };
}

function contextOf(from: Span | string, outside: boolean, options: TracerOptions): Context {
  if (from instanceof RecordedSpan) return from.context;
  const traceparent = typeof from === "string" ? from : from.traceparent;
  return outside ? fromOutside(traceparent, options) : parseTraceparent(traceparent);
}

function fromOutside(traceparent: string, { outside = "continued", sampleRatio }: TracerOptions): Context {
  if (outside === "ignored") return ROOT_CONTEXT;
  const parent = parseTraceparent(traceparent);
  const spanContext = trace.getSpanContext(parent);
  if (outside === "trusted" || spanContext === undefined) return parent;
  // By lot: from a trace id, whoever chose it could know the answer.
  const traceFlags = Math.random() < sampleRatio ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { ...spanContext, traceFlags });
}

function parseTraceparent(text: string): Context {
  if (text === "") return ROOT_CONTEXT;
  const [version, traceId = "", spanId = "", flags = "00"] = text.split("-");
  if (version !== "00" || !isValidTraceId(traceId) || !isValidSpanId(spanId)) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    isRemote: true,
    traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED,
  });
}

class RecordedSpan implements Span {
  readonly #tracer: OtelTracer;
  readonly #span: OtelSpan;
  readonly #parent: Context;
  #context: Context | undefined;

  constructor(tracer: OtelTracer, span: OtelSpan, parent: Context) {
    this.#tracer = tracer;
    this.#span = span;
    this.#parent = parent;
  }

  get traceparent(): string {
    const { traceId, spanId, traceFlags } = this.#span.spanContext();
    return `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`;
  }

  /** What spans under this one have as their parent. */
  get context(): Context {
    return (this.#context ??= trace.setSpan(this.#parent, this.#span));
  }

  child(name: string, attributes: SpanAttributes = {}): Span {
    return new RecordedSpan(
      this.#tracer,
      this.#tracer.startSpan(name, { attributes }, this.context),
      this.context,
    );
  }

  attribute(name: string, value: string | number | boolean): void {
    this.#span.setAttribute(name, value);
  }

  event(name: string, attributes: SpanAttributes = {}): void {
    this.#span.addEvent(name, attributes);
  }

  end(error?: unknown): void {
    if (error !== undefined) {
      this.#span.setStatus({
        code: SpanStatusCode.ERROR,
        message: error instanceof Error ? error.message : "error",
      });
      if (error instanceof KilonovaError) this.#span.setAttribute("error.reason", error.reason);
    }
    this.#span.end();
  }
}
