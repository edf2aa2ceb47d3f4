import type { Attributes, HrTime, Link, SpanContext, SpanStatus } from "@opentelemetry/api";
import { SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import type { InstrumentationScope } from "@opentelemetry/core";
import { millisToHrTime } from "@opentelemetry/core";
import type { Resource } from "@opentelemetry/resources";
import type { IdGenerator, ReadableSpan, TimedEvent } from "@opentelemetry/sdk-trace-base";
import type { Span, SpanAttributes } from "../../kernel/index.js";
import { KilonovaError } from "../../kernel/index.js";

/** What all spans of one process share. */
export interface Recorder {
  readonly resource: Resource;
  readonly instrumentationScope: InstrumentationScope;
  readonly ids: IdGenerator;
  /** Takes every span when it ends. */
  onEnd(span: ReadableSpan): void;
}

/** The part of one trace that begins with one span of this process. */
export interface LocalTrace {
  readonly recorder: Recorder;
  /** Epoch milliseconds when `performance.now()` was 0: within one trace time never goes back. */
  readonly clockMs: number;
}

/** Where a span begins. */
export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  readonly traceId: string;
  /** Undefined for the first span of a trace. */
  readonly parent: SpanContext | undefined;
  /** Epoch milliseconds. */
  readonly startMs: number;
}

const MAX_EVENTS = 128;
const UNSET: SpanStatus = { code: SpanStatusCode.UNSET };
const NO_LINKS: Link[] = [];

/** @returns a clock for a new `LocalTrace` */
export const clockNow = (): number => Date.now() - performance.now();

/**
 * A span that is recorded, in the form that OpenTelemetry's processors and exporters read. Spans live until
 * they are exported: one holds what cannot be computed then, and no `Context`.
 */
export class RecordedSpan implements Span, ReadableSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly links = NO_LINKS;
  readonly droppedAttributesCount = 0;
  readonly droppedLinksCount = 0;
  attributes: Attributes;
  status = UNSET;
  ended = false;
  droppedEventsCount = 0;

  declare readonly parentSpanContext?: SpanContext;

  readonly #trace: LocalTrace;
  readonly #context: SpanContext;
  readonly #startMs: number;
  #endMs = 0;
  #ownsAttributes = false;
  #events: TimedEvent[] | undefined;

  constructor(trace: LocalTrace, start: SpanStart, attributes: SpanAttributes) {
    this.#trace = trace;
    this.#context = {
      traceId: start.traceId,
      spanId: trace.recorder.ids.generateSpanId(),
      traceFlags: TraceFlags.SAMPLED,
    };
    if (start.parent !== undefined) this.parentSpanContext = start.parent;
    this.name = start.name;
    this.kind = start.kind;
    this.attributes = attributes;
    this.#startMs = start.startMs;
  }

  get traceparent(): string {
    return `00-${this.#context.traceId}-${this.#context.spanId}-01`;
  }

  child(name: string, attributes: SpanAttributes = {}, kind: SpanKind = SpanKind.INTERNAL): RecordedSpan {
    const parent = this.#context;
    const start = { name, kind, traceId: parent.traceId, parent, startMs: this.#nowMs() };
    return new RecordedSpan(this.#trace, start, attributes);
  }

  attribute(name: string, value: string | number | boolean): void {
    if (this.ended) return;
    if (!this.#ownsAttributes) {
      this.attributes = Object.assign({}, this.attributes);
      this.#ownsAttributes = true;
    }
    this.attributes[name] = value;
  }

  event(name: string, attributes: SpanAttributes = {}): void {
    if (this.ended) return;
    const events = (this.#events ??= []);
    if (events.length < MAX_EVENTS) events.push({ name, attributes, time: millisToHrTime(this.#nowMs()) });
    else this.droppedEventsCount++;
  }

  end(error?: unknown): void {
    if (this.ended) return;
    if (error !== undefined) {
      const message = error instanceof Error ? error.message : "error";
      this.status = { code: SpanStatusCode.ERROR, message };
      if (error instanceof KilonovaError) this.attribute("error.reason", error.reason);
    }
    this.#endMs = Math.max(this.#startMs, this.#nowMs());
    this.ended = true;
    this.#trace.recorder.onEnd(this);
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  get startTime(): HrTime {
    return millisToHrTime(this.#startMs);
  }

  get endTime(): HrTime {
    return millisToHrTime(this.#endMs);
  }

  get duration(): HrTime {
    return millisToHrTime(this.#endMs - this.#startMs);
  }

  get events(): TimedEvent[] {
    return this.#events ?? [];
  }

  get resource(): Resource {
    return this.#trace.recorder.resource;
  }

  get instrumentationScope(): InstrumentationScope {
    return this.#trace.recorder.instrumentationScope;
  }

  #nowMs(): number {
    return this.#trace.clockMs + performance.now();
  }
}
