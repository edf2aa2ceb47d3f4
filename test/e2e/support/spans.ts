import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { SpanLine } from "../../../pkg/platform/telemetry/index.js";

/** The spans of a trace file, as a tree. */
export class Spans {
  readonly all: readonly SpanLine[];
  readonly #byId: ReadonlyMap<string, SpanLine>;

  constructor(all: readonly SpanLine[]) {
    this.all = all;
    this.#byId = new Map(all.map((span) => [span.spanId, span]));
  }

  static read(file: string): Spans {
    // The last line may be half written.
    const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
    return new Spans(lines.map((line) => JSON.parse(line) as SpanLine));
  }

  /** Those of one trace. */
  trace(traceId: string): Spans {
    return new Spans(this.all.filter((span) => span.traceId === traceId));
  }

  /** The spans of that name. */
  named(name: string): readonly SpanLine[] {
    return this.all.filter((span) => span.name === name);
  }

  parentOf(span: SpanLine): SpanLine | undefined {
    return this.#byId.get(span.parentSpanId);
  }

  /** Names from the root down to the span. @throws when an ancestor is missing */
  path(span: SpanLine): readonly string[] {
    if (span.parentSpanId === "") return [span.name];
    const parent = this.parentOf(span);
    assert.ok(parent, `the parent of ${span.name} was never ended`);
    return [...this.path(parent), span.name];
  }

  /** The tree as text, for people who look for what is missing. */
  toString(): string {
    const below = (parent: string, depth: number): string =>
      this.all
        .filter(({ parentSpanId }) => parentSpanId === parent)
        .sort((a, b) => a.startUs - b.startUs)
        .map((span) => `${"  ".repeat(depth)}${span.name}\n${below(span.spanId, depth + 1)}`)
        .join("");
    return below("", 0);
  }
}
