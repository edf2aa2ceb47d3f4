import type { SpanContext } from "@opentelemetry/api";
import { ROOT_CONTEXT, SpanKind, TraceFlags } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { SpanExporter } from "@opentelemetry/sdk-trace-base";
import {
  BatchSpanProcessor,
  RandomIdGenerator,
  SamplingDecision,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-base";
import type { Span, SpanAttributes } from "../../kernel/index.js";
import { noSpan } from "../../kernel/index.js";
import type { Recorder } from "./recorded-span.js";
import { RecordedSpan, clockNow } from "./recorded-span.js";

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

/**
 * A tracer whose spans go to OpenTelemetry's processors and exporters. The spans are ours (ADR 0003): the
 * SDK's are several times as large.
 */
export function createTracer(options: TracerOptions): Tracer {
  const { exporter, sampleRatio } = options;
  const processor = options.immediate ? new SimpleSpanProcessor(exporter) : new BatchSpanProcessor(exporter);
  const sampler = new TraceIdRatioBasedSampler(sampleRatio);
  const ids = new RandomIdGenerator();
  const recorder: Recorder = {
    resource: resourceFromAttributes({ "service.name": options.service }),
    instrumentationScope: { name: "kilonova" },
    ids,
    onEnd: (span) => processor.onEnd(span),
  };
  const isDrawn = (traceId: string): boolean =>
    sampler.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
  return {
    start: (name, from, attributes, ofKind, { outside = false, startedMs } = {}) => {
      const kind = ofKind === "server" ? SpanKind.SERVER : SpanKind.INTERNAL;
      if (from instanceof RecordedSpan && !outside && startedMs === undefined)
        return from.child(name, attributes, kind);
      const traceparent = typeof from === "string" ? from : from.traceparent;
      const parent = parentOf(traceparent, outside, options);
      const traceId = parent?.traceId ?? ids.generateTraceId();
      const isRecorded = parent === undefined ? isDrawn(traceId) : parent.traceFlags === TraceFlags.SAMPLED;
      if (!isRecorded) return new UnrecordedSpan(traceId, ids.generateSpanId());
      const clockMs = clockNow();
      const startMs = startedMs ?? clockMs + performance.now();
      return new RecordedSpan({ recorder, clockMs }, { name, kind, traceId, parent, startMs }, attributes);
    },
    close: () => processor.shutdown(),
  };
}

/** @returns what a new span continues; undefined for a new trace */
function parentOf(
  traceparent: string,
  outside: boolean,
  { outside: counts = "continued", sampleRatio }: TracerOptions,
): SpanContext | undefined {
  if (outside && counts === "ignored") return undefined;
  const parent = parseTraceparent(traceparent);
  if (!outside || counts === "trusted" || parent === undefined) return parent;
  // By lot: from a trace id, whoever chose it could know the answer.
  return { ...parent, traceFlags: Math.random() < sampleRatio ? TraceFlags.SAMPLED : TraceFlags.NONE };
}

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

function parseTraceparent(text: string): SpanContext | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, isRemote: true, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED };
}

/** A span of a trace that is not recorded; it passes that on. */
class UnrecordedSpan implements Span {
  readonly #traceId: string;
  readonly #id: string;

  constructor(traceId: string, id: string) {
    this.#traceId = traceId;
    this.#id = id;
  }

  get traceparent(): string {
    return `00-${this.#traceId}-${this.#id}-00`;
  }

  child(): Span {
    return this;
  }

  attribute(): void {}
  event(): void {}
  end(): void {}
}
