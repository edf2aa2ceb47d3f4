import assert from "node:assert/strict";
import { createLogger } from "./index.js";
import type { LogLevel } from "./index.js";

const open = (level: LogLevel = "info") => {
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string): void => {
      lines.push(JSON.parse(line) as Record<string, unknown>);
    },
  };
  return { log: createLogger({ level, destination, fields: { service: "api" } }), lines };
};

describe("log", () => {
  it("writes an event with its own fields, those of the logger and of all loggers above it", () => {
    const { log, lines } = open();
    const child = log.child({ requestId: "req-1" }).child({ userId: "u1" });
    child.warn("a.thing", { durationMs: 3 });
    log.info("another");
    assert.ok(lines.every(({ time }) => !Number.isNaN(Date.parse(String(time)))));
    assert.deepEqual(
      lines.map((line) => ({ ...line, time: "" })),
      [
        {
          level: "warn",
          time: "",
          service: "api",
          requestId: "req-1",
          userId: "u1",
          durationMs: 3,
          event: "a.thing",
        },
        { level: "info", time: "", service: "api", event: "another" },
      ],
    );
  });

  it("lets the nearest logger win, and names every field once", () => {
    const { log, lines } = open();
    log.child({ service: "cells", step: "a" }).info("x", { step: "b" });
    assert.deepEqual([lines[0]?.["service"], lines[0]?.["step"]], ["cells", "b"]);
  });

  it("writes an error with its causes, though they be a circle", () => {
    const { log, lines } = open();
    log.error("failed", { error: new Error("outer", { cause: new Error("inner") }) });
    const circle = new Error("round");
    circle.cause = circle;
    log.error("failed", { error: circle });
    assert.match(
      JSON.stringify(lines[0]?.["error"]),
      /"message":"outer".*"cause":\{"name":"Error","message":"inner"/,
    );
    assert.match(JSON.stringify(lines[1]?.["error"]), /"cause":"…"/);
  });

  it("writes the errors of an error that is several, though they be a circle", () => {
    const { log, lines } = open();
    const several = new AggregateError([new Error("one", { cause: new Error("why") })], "several");
    log.error("failed", { error: new Error("outer", { cause: several }) });
    const circle = new AggregateError([], "round");
    circle.errors = [circle, circle, circle, circle];
    log.error("failed", { error: circle });
    const [said, round] = lines.map((line) => JSON.stringify(line["error"]));
    assert.match(said ?? "", /"message":"several".*"errors":\[\{.*"message":"one".*"message":"why"/);
    assert.equal(round?.split('"message":"round"').length, 1 + (1 + 3 + 9 + 27));
    assert.match(round ?? "", /"errors":"…"/);
  });

  it("writes no content of a thrown object that is no error", () => {
    const { log, lines } = open();
    log.error("failed", { error: { request: { server: { adminPass: "hunter2" } } } });
    log.error("failed", { error: new Error("outer", { cause: { server: { adminPass: "hunter2" } } }) });
    assert.equal(lines[0]?.["error"], "an object that is no error");
    assert.ok(!JSON.stringify(lines).includes("hunter2"));
  });

  it("lets warnings and errors wait for nothing", () => {
    let flushed = 0;
    const destination = { write: () => {}, flush: () => void flushed++ };
    const log = createLogger({ level: "info", destination });
    log.info("a");
    assert.equal(flushed, 0);
    log.child({ requestId: "req-1" }).warn("b");
    log.error("c");
    assert.equal(flushed, 2);
  });

  it("writes nothing below its level", () => {
    const { log, lines } = open("warn");
    log.child({ a: 1 }).info("quiet");
    log.debug("quieter");
    assert.deepEqual(lines, []);
    const loud = open("debug");
    loud.log.debug("loud");
    assert.equal(loud.lines.length, 1);
  });

  it("prints secrets as stars, whichever logger has them", () => {
    const { log, lines } = open();
    log
      .child({ token: "t1", request: { adminPass: "p1" } })
      .info("x", { password: "p2", body: { user_data: "d" } });
    assert.deepEqual(
      [lines[0]?.["token"], lines[0]?.["request"], lines[0]?.["password"], lines[0]?.["body"]],
      ["***", { adminPass: "***" }, "***", { user_data: "***" }],
    );
  });

  it("finds secrets at any depth, in lists too, and changes nothing of the caller's", () => {
    const { log, lines } = open();
    const request = { servers: [{ name: "a", personality: [{ secret: "s" }] }], nothing: null };
    log.info("x", { request });
    assert.deepEqual(lines[0]?.["request"], {
      servers: [{ name: "a", personality: [{ secret: "***" }] }],
      nothing: null,
    });
    assert.equal(request.servers[0]?.personality[0]?.secret, "s");
  });

  it("finds secrets in instances of classes and in errors, whatever they are called", () => {
    const { log, lines } = open();
    class Actor {
      readonly name = "a";
      readonly token = "t";
    }
    const problem = Object.assign(new Error("p"), { token: "t", secret: undefined });
    log.info("x", { actor: new Actor(), problem, error: Object.assign(new Error("e"), { token: "t" }) });
    assert.deepEqual(lines[0]?.["actor"], { name: "a", token: "***" });
    assert.deepEqual(lines[0]?.["problem"], { token: "***" });
    assert.match(JSON.stringify(lines[0]?.["error"]), /"message":"e"/);
    assert.ok(!JSON.stringify(lines[0]).includes('"t"'));
  });

  it("writes objects that hold themselves, as deep as it looks for secrets", () => {
    const { log, lines } = open();
    const round: Record<string, unknown> = { name: "a" };
    round["self"] = round;
    log.info("x", { round });
    assert.match(JSON.stringify(lines[0]), /^\{.*("self":\{"name":"a",){3}.*"…"/);
  });

  it("describes errors with their causes", () => {
    const { log, lines } = open();
    log.error("failed", { error: new Error("outer", { cause: new TypeError("inner") }) });
    const error = lines[0]?.["error"] as { name: string; message: string; cause: { name: string } };
    assert.deepEqual([error.name, error.message, error.cause.name], ["Error", "outer", "TypeError"]);
  });
});
