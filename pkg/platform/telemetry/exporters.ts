import { appendFileSync } from "node:fs";
import type { ExportResult } from "@opentelemetry/core";
import { ExportResultCode } from "@opentelemetry/core";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base";

/** A span as a line of the trace file. Times are epoch microseconds. */
export interface SpanLine {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly startUs: number;
  readonly durationUs: number;
  readonly ok: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Appends each span as a JSON line: for one machine, without a collector. */
export class FileSpanExporter implements SpanExporter {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    try {
      appendFileSync(this.#path, spans.map((s) => `${JSON.stringify(toLine(s))}\n`).join(""), {
        mode: 0o600,
      });
      done({ code: ExportResultCode.SUCCESS });
    } catch (error) {
      done({ code: ExportResultCode.FAILED, ...(error instanceof Error ? { error } : {}) });
    }
  }

  async shutdown(): Promise<void> {}
}

/** Records spans and throws them away: what tracing costs, without a collector. For benchmarks. */
export class DiscardingSpanExporter implements SpanExporter {
  export(_spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    done({ code: ExportResultCode.SUCCESS });
  }

  async shutdown(): Promise<void> {}
}

const micros = ([seconds, nanos]: readonly [number, number]): number =>
  seconds * 1_000_000 + Math.floor(nanos / 1000);

function toLine(span: ReadableSpan): SpanLine {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? "",
    name: span.name,
    startUs: micros(span.startTime),
    durationUs: micros(span.duration),
    ok: span.status.code !== 2,
    attributes: span.attributes,
  };
}
