import assert from "node:assert/strict";
import { EventEmitter, getEventListeners } from "node:events";
import { KilonovaError } from "../../kernel/errors.js";
import { silentLogger } from "../../kernel/logger.js";
import { isAwaited } from "../../kernel/signals.js";
import { fakeClock } from "../../testkit/clock.js";
import { until } from "../../testkit/until.js";
import { systemClock } from "./clock.js";
import { createLifecycle } from "./lifecycle.js";
import { onSignals } from "./signals.js";
import { createTasks } from "./tasks.js";

const reasonOf =
  (reason: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === reason;

describe("lifecycle", () => {
  const part =
    (events: string[], name: string) => async (): Promise<{ value: string; stop(): Promise<void> }> => {
      events.push(`start ${name}`);
      return {
        value: name,
        stop: async () => {
          events.push(`stop ${name}`);
        },
      };
    };

  it("stops in the reverse order of the start, once", async () => {
    const events: string[] = [];
    const life = createLifecycle({ log: silentLogger, budgetMs: 1000 });
    assert.equal(await life.start("db", part(events, "db")), "db");
    await life.start("rpc", part(events, "rpc"));
    await Promise.all([life.stop(), life.stop()]);
    assert.deepEqual(events, ["start db", "start rpc", "stop rpc", "stop db"]);
    await assert.rejects(life.start("late", part(events, "late")), reasonOf("STOPPING"));
  });

  it("stops what had started when a later part fails", async () => {
    const events: string[] = [];
    const life = createLifecycle({ log: silentLogger, budgetMs: 1000 });
    await life.start("db", part(events, "db"));
    await assert.rejects(
      life.start("rpc", async () => {
        throw new Error("port in use");
      }),
      /port in use/,
    );
    assert.deepEqual(events, ["start db", "stop db"]);
  });

  it("tells everybody who starts at the same time why one of them failed", async () => {
    const life = createLifecycle({ log: silentLogger, budgetMs: 1000 });
    await life.start("db", async () => ({
      value: 0,
      stop: () =>
        new Promise<void>((resolve) => {
          setImmediate(resolve);
        }),
    }));
    const others = ["metadata", "grpc"].map((name) =>
      life.start(name, async () => {
        await Promise.resolve();
        return { value: name };
      }),
    );
    const outcomes = await Promise.allSettled([
      life.start("rest", async () => {
        throw new Error("port in use");
      }),
      ...others,
    ]);
    assert.deepEqual(
      outcomes.map((one) => one.status === "rejected" && String(one.reason)),
      Array.from({ length: 3 }, () => "Error: port in use"),
    );
  });

  it("stops a part whose start was overtaken by the stop", async () => {
    const events: string[] = [];
    const life = createLifecycle({ log: silentLogger, budgetMs: 1000 });
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const starting = life.start("slow", async () => {
      await gate;
      return part(events, "slow")();
    });
    const refused = assert.rejects(starting, reasonOf("STOPPING"));
    await life.stop();
    release();
    await refused;
    assert.deepEqual(events, ["start slow", "stop slow"]);
  });

  it("leaves a hanging part behind at the end of the budget and still stops the others", async () => {
    const events: string[] = [];
    const clock = fakeClock();
    const life = createLifecycle({ log: silentLogger, budgetMs: 5000, clock });
    await life.start("db", part(events, "db"));
    await life.start("hung", async () => ({ value: 0, stop: () => new Promise<void>(() => {}) }));
    const stopping = assert.rejects(
      life.stop(),
      (error: unknown) => error instanceof KilonovaError && error.facts["names"] === "hung",
    );
    await clock.advance(5001);
    await clock.advance(1);
    await stopping;
    assert.deepEqual(events, ["start db", "stop db"]);
  });
});

describe("tasks", () => {
  it("run again after a failure, with growing pauses, and show it", async () => {
    const clock = fakeClock();
    const startedMs: number[] = [];
    const tasks = createTasks({ service: "test", log: silentLogger, clock, random: () => 1 });
    tasks.task("loop", async () => {
      startedMs.push(clock.monotonicMs());
      throw new Error("no");
    });
    for (let i = 0; i < 8; i++) await clock.advance(100);
    assert.deepEqual(startedMs, [0, 100, 300, 700]);
    assert.equal(tasks.states()[0]?.restarts, 3);
    assert.deepEqual(await tasks.stop(0), []);
  });

  it("begin with the first pause again after a healthy run", async () => {
    const clock = fakeClock();
    const startedMs: number[] = [];
    const tasks = createTasks({ service: "test", log: silentLogger, clock, random: () => 1 });
    tasks.task("loop", async () => {
      startedMs.push(clock.monotonicMs());
      if (startedMs.length === 3) await clock.sleep(60_000);
      throw new Error("no");
    });
    await clock.advance(60_500);
    assert.deepEqual(startedMs, [0, 100, 300, 60_400]);
    await tasks.stop(0);
  });

  it("end when told, and are named when they do not", async () => {
    const clock = fakeClock();
    const tasks = createTasks({ service: "test", log: silentLogger, clock });
    tasks.task("obedient", (ctx) => clock.sleep(1e9, ctx.signal));
    tasks.task("deaf", () => new Promise(() => {}));
    tasks.task("short", async () => {});
    await until(() => tasks.states().some(({ state }) => state === "ended"));
    const stopping = tasks.stop(1000);
    await clock.advance(1001);
    assert.deepEqual(await stopping, ["deaf"]);
  });
});

describe("signals", () => {
  class Source extends EventEmitter {
    readonly codes: number[] = [];
    exit(code: number): void {
      this.codes.push(code);
    }
  }

  it("drain on the first and end at once on the second", async () => {
    const source = new Source();
    const stop = onSignals({ log: silentLogger, source, drain: () => new Promise(() => {}) });
    source.emit("SIGTERM");
    assert.deepEqual(source.codes, []);
    source.emit("SIGINT");
    assert.deepEqual(source.codes, [130]);
    stop();
    assert.equal(source.listenerCount("SIGINT"), 0);
  });

  it("end with 0 after the drain, with 1 when it fails", async () => {
    for (const [drain, code] of [
      [async () => {}, 0],
      [
        async () => {
          throw new Error("stuck");
        },
        1,
      ],
    ] as const) {
      const source = new Source();
      onSignals({ log: silentLogger, source, drain });
      source.emit("SIGINT");
      await until(() => source.codes.length === 1);
      assert.deepEqual(source.codes, [code]);
    }
  });

  it("report on SIGUSR2 and go on", () => {
    const source = new Source();
    const events: unknown[] = [];
    const log = {
      ...silentLogger,
      info: (event: string, fields?: object) => {
        events.push([event, fields]);
      },
    };
    onSignals({ log, source, drain: async () => {}, report: () => ({ tasks: 3 }) });
    source.emit("SIGUSR2");
    assert.deepEqual(events, [["process.report", { tasks: 3 }]]);
  });
});

describe("systemClock", () => {
  it("tells microseconds near the wall time and never stands still for long", () => {
    const before = BigInt(Date.now()) * 1000n;
    const now = systemClock.now();
    assert.ok(now >= before && now < before + 1_000_000n);
  });

  it("ends a sleep with the signal's reason", async () => {
    await assert.rejects(systemClock.sleep(60_000, AbortSignal.timeout(1)), { name: "TimeoutError" });
    await assert.rejects(systemClock.sleep(60_000, AbortSignal.abort(new RangeError("gone"))), /gone/);
  });

  it("lets any number sleep on one signal, and leaves nothing on it", async () => {
    const { signal } = new AbortController();
    const sleeps = Array.from({ length: 50 }, () => systemClock.sleep(1, signal));
    assert.equal(getEventListeners(signal, "abort").length, 1);
    await Promise.all(sleeps);
    assert.equal(isAwaited(signal), false);
  });
});
