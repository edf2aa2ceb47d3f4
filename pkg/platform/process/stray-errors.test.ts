import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Logger } from "../../kernel/logger.js";
import { silentLogger } from "../../kernel/logger.js";
import { until } from "../../testkit/until.js";
import { onStrayErrors } from "./stray-errors.js";

/** A process, what it was told, and how it ended. */
function world(stop: () => Promise<void> = async () => {}) {
  const events = new EventEmitter();
  const seen: string[] = [];
  const log: Logger = {
    ...silentLogger,
    error: (event) => {
      seen.push(event);
    },
  };
  const source = {
    on: events.on.bind(events),
    off: events.off.bind(events),
    exit: (code: number) => {
      seen.push(`exit ${code}`);
    },
  };
  const takeAway = onStrayErrors({
    log,
    count: (kind) => {
      seen.push(`count ${kind}`);
    },
    stop: () => {
      seen.push("stop");
      return stop();
    },
    tell: (sentence) => {
      seen.push(`tell ${sentence.split(" ends")[0] ?? ""}`);
    },
    source,
  });
  return { events, seen, takeAway };
}

describe("stray errors", () => {
  it("of a promise are logged and counted, and end nothing", () => {
    const { events, seen } = world();
    events.emit("unhandledRejection", new Error("unheard"));
    events.emit("unhandledRejection", "no error at all");
    assert.deepEqual(seen, [
      "count rejection",
      "process.rejection.stray",
      "count rejection",
      "process.rejection.stray",
    ]);
  });

  it("of a callback stop the process in order, once, and end it with 70", async () => {
    const { events, seen } = world();
    events.emit("uncaughtException", new Error("half done"));
    events.emit("uncaughtException", new Error("another while it stops"));
    await until(() => Promise.resolve(seen.includes("exit 70")));
    assert.deepEqual(seen, [
      "count exception",
      "process.exception.stray",
      "tell A fault of Kilonova's own",
      "stop",
      "count exception",
      "process.exception.stray",
      "exit 70",
    ]);
  });

  it("end it also when it cannot stop in order", async () => {
    const { events, seen } = world(() => Promise.reject(new Error("stuck")));
    events.emit("uncaughtException", new Error("half done"));
    await until(() => Promise.resolve(seen.includes("exit 70")));
    assert.deepEqual(seen.slice(3), ["stop", "process.stop.failed", "exit 70"]);
  });

  it("are node's own business again afterwards", () => {
    const { events, takeAway } = world();
    takeAway();
    assert.deepEqual(
      [events.listenerCount("unhandledRejection"), events.listenerCount("uncaughtException")],
      [0, 0],
    );
  });
});
