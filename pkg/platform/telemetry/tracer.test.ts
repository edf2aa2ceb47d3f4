import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { InMemorySpanExporter } from "@opentelemetry/sdk-trace-base";
import { CommonErrors } from "../../kernel/errors.js";
import type { Tracer } from "./tracer.js";
import { createTracer } from "./tracer.js";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

describe("a tracer", () => {
  const exporter = new InMemorySpanExporter();
  const tracerOf = (sampleRatio: number): Tracer =>
    createTracer({ service: "test", sampleRatio, exporter, immediate: true });
  const tracer = tracerOf(1);
  const ended = (): ReadableSpan[] => exporter.getFinishedSpans();
  const one = (): ReadableSpan => ended()[0] ?? assert.fail("no span");
  beforeEach(() => exporter.reset());

  it("gives a child its parent's trace, and the parent", () => {
    const parent = tracer.start("parent", "", {}, "server");
    parent.child("child").end();
    tracer.start("begun", parent, {}, "internal").end();
    parent.end();
    const [child, begun, root] = ended();
    const { traceId, spanId } = root?.spanContext() ?? assert.fail();
    assert.match(`${traceId}-${spanId}`, /^[0-9a-f]{32}-[0-9a-f]{16}$/);
    assert.equal(root?.parentSpanContext, undefined);
    assert.equal(parent.traceparent, `00-${traceId}-${spanId}-01`);
    for (const under of [child, begun]) {
      assert.deepEqual(under?.parentSpanContext, { traceId, spanId, traceFlags: 1 });
      assert.equal(under?.spanContext().traceId, traceId);
      assert.notEqual(under?.spanContext().spanId, spanId);
    }
    assert.deepEqual([root?.kind, child?.kind], [SpanKind.SERVER, SpanKind.INTERNAL]);
  });

  it("continues what another process began", () => {
    tracer.start("here", `00-${TRACE}-${SPAN}-01`, {}, "server").end();
    const { traceId } = one().spanContext();
    assert.equal(traceId, TRACE);
    assert.deepEqual(one().parentSpanContext, { traceId, spanId: SPAN, isRemote: true, traceFlags: 1 });
  });

  it("begins a new trace where the traceparent is none", () => {
    const wrong = [
      "",
      "00",
      `01-${TRACE}-${SPAN}-01`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${"0".repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${"0".repeat(16)}-01`,
      `00-${TRACE}-${SPAN}-01-more`,
      `00-${TRACE}-${SPAN}-0x`,
    ];
    for (const traceparent of wrong) tracer.start(traceparent, traceparent, {}, "server").end();
    assert.deepEqual(
      ended().map((span) => [span.name, span.spanContext().traceId === TRACE, span.parentSpanContext]),
      wrong.map((traceparent) => [traceparent, false, undefined]),
    );
  });

  it("records the part of new traces that it is told, and of others those that are recorded elsewhere", () => {
    for (let i = 0; i < 400; i++) tracerOf(0.5).start("half", "", {}, "server").end();
    assert.ok(ended().length > 120 && ended().length < 280, `${ended().length} of 400`);
    exporter.reset();
    tracerOf(0).start("theirs", `00-${TRACE}-${SPAN}-01`, {}, "server").end();
    assert.equal(ended().length, 1);
    const unrecorded = tracer.start("not theirs", `00-${TRACE}-${SPAN}-00`, {}, "server");
    assert.match(unrecorded.traceparent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
    const child = unrecorded.child("nor this");
    tracer.start("nor what begins under it", child, {}, "internal").end();
    child.end();
    unrecorded.end();
    assert.equal(ended().length, 1);
  });

  it("keeps attributes of its own, the events up to a bound, and nothing after the end", () => {
    const shared = { kept: "yes" };
    const span = tracer.start("span", "", shared, "internal");
    span.attribute("more", 1);
    for (let i = 0; i < 130; i++) span.event("happened", { i });
    span.end();
    span.attribute("late", true);
    span.event("late");
    span.end(new Error("late"));
    assert.deepEqual(shared, { kept: "yes" });
    assert.equal(ended().length, 1);
    const { attributes, events, droppedEventsCount, status } = one();
    assert.deepEqual(attributes, { kept: "yes", more: 1 });
    assert.deepEqual([events.length, events[127]?.attributes, droppedEventsCount], [128, { i: 127 }, 2]);
    assert.equal(status.code, SpanStatusCode.UNSET);
  });

  it("says what went wrong, with the reason of an error of ours", () => {
    const error = CommonErrors.INVALID_ARGUMENT({ field: "f", problem: "is wrong" });
    tracer.start("span", "", {}, "internal").end(error);
    assert.deepEqual(one().status, { code: SpanStatusCode.ERROR, message: error.message });
    assert.equal(one().attributes["error.reason"], "INVALID_ARGUMENT");
  });

  it("measures, from when a request came where that is told", async () => {
    const startedMs = Date.now() - 5_000;
    const request = tracer.start("request", "", {}, "server", { startedMs });
    const child = request.child("child");
    await new Promise((resolve) => setTimeout(resolve, 20));
    child.end();
    request.end();
    const [inner, outer] = ended();
    const ms = ([seconds, nanos]: readonly [number, number]): number => seconds * 1e3 + nanos / 1e6;
    const [{ startTime, endTime, duration }, whole] = [inner ?? assert.fail(), outer ?? assert.fail()];
    assert.ok(Math.abs(ms(startTime) - startedMs - 5_000) < 1_000);
    assert.ok(ms(duration) >= 19 && ms(duration) < 1_000, `${ms(duration)}`);
    assert.ok(Math.abs(ms(endTime) - ms(startTime) - ms(duration)) < 0.01);
    assert.ok(Math.abs(ms(whole.startTime) - startedMs) < 0.01);
    assert.ok(ms(whole.duration) >= 5_000 && ms(whole.duration) < 6_000);
  });

  it("is understood by OpenTelemetry's own exporter", async () => {
    const bodies: Promise<string>[] = [];
    const collector = createServer((req, res) => {
      bodies.push(text(req));
      res.setHeader("content-type", "application/json").end("{}");
    }).listen(0, "127.0.0.1");
    await once(collector, "listening");
    const { port } = collector.address() as AddressInfo;
    const otlp = createTracer({
      service: "exported",
      sampleRatio: 1,
      exporter: new OTLPTraceExporter({ url: `http://127.0.0.1:${port}/v1/traces` }),
    });
    const span = otlp.start("parent", `00-${TRACE}-${SPAN}-01`, { a: "b" }, "server");
    span.event("happened", { n: 1 });
    span.child("child").end();
    span.end();
    await otlp.close();
    collector.close();
    assert.equal(bodies.length, 1);
    const { resourceSpans } = JSON.parse((await bodies[0]) ?? "");
    assert.deepEqual(resourceSpans[0].resource.attributes, [
      { key: "service.name", value: { stringValue: "exported" } },
    ]);
    const [{ scope, spans }] = resourceSpans[0].scopeSpans;
    assert.equal(scope.name, "kilonova");
    const [child, parent] = spans;
    assert.deepEqual(
      [parent.traceId, parent.parentSpanId, child.traceId, child.parentSpanId],
      [TRACE, SPAN, TRACE, parent.spanId],
    );
    assert.deepEqual(parent.attributes, [{ key: "a", value: { stringValue: "b" } }]);
    assert.deepEqual([parent.kind, parent.events[0].name], [2, "happened"]);
    assert.ok(BigInt(parent.endTimeUnixNano) >= BigInt(parent.startTimeUnixNano));
  });
});
