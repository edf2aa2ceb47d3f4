import assert from "node:assert/strict";
import { KilonovaError, anonymous, isAwaited } from "../../kernel/index.js";
import type { Actor } from "../../kernel/index.js";
import { sharingConfig } from "./config.js";
import { Sharing } from "./index.js";
import type { Gate, SharingConfig } from "./index.js";

const userOf = (projectId: string): Actor => ({
  ...anonymous,
  kind: "user",
  userId: `of-${projectId}`,
  projectId,
});
const [a, b, c] = ["a", "b", "c"].map(userOf) as [Actor, Actor, Actor];

let nowMs = 0;
const open = (config: Partial<SharingConfig> = {}): { sharing: Sharing; gate: Gate } => {
  nowMs = 0;
  const sharing = new Sharing({ ...sharingConfig.parse({}), ...config }, () => nowMs);
  return { sharing, gate: sharing.gate() };
};
const never = new AbortController().signal;

/** Enters so often, and tells who got in so far. */
function enter(gate: Gate, actor: Actor, count: number): { ends: (() => void)[]; failures: unknown[] } {
  const seen: { ends: (() => void)[]; failures: unknown[] } = { ends: [], failures: [] };
  for (let i = 0; i < count; i++)
    gate.enter(actor, never).then(
      (end) => seen.ends.push(end),
      (error: unknown) => seen.failures.push(error),
    );
  return seen;
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("sharing among projects", () => {
  it("lets a project that is alone have much under way", async () => {
    const { gate } = open({ concurrency: 16 });
    const mine = enter(gate, a, 20);
    await settled();
    assert.equal(mine.ends.length, 16);
    mine.ends[0]?.();
    mine.ends[0]?.();
    await settled();
    assert.equal(mine.ends.length, 17);
  });

  it("gives a project that comes later its place at once, and holds the first to its share", async () => {
    const { gate } = open({ concurrency: 16, sharedConcurrency: 4 });
    const many = enter(gate, a, 40);
    await settled();
    const one = enter(gate, b, 1);
    await settled();
    assert.equal(one.ends.length, 1);
    // Of sixteen that were begun, fourteen must end before another of them begins.
    for (const end of many.ends.slice(0, 14)) end();
    await settled();
    assert.equal(many.ends.length, 16);
    many.ends[14]?.();
    await settled();
    assert.equal(many.ends.length, 17);
  });

  it("lets a project have much again once the other was silent for a while", async () => {
    const { gate } = open({ concurrency: 8, sharedConcurrency: 2, activeMs: 1_000 });
    const other = enter(gate, b, 1);
    await settled();
    other.ends[0]?.();
    const mine = enter(gate, a, 9);
    await settled();
    assert.equal(mine.ends.length, 1);
    nowMs = 1_001;
    mine.ends[0]?.();
    await settled();
    assert.equal(mine.ends.length, 9);
  });

  it("gives places that all share to the project whose turn it is", async () => {
    const { gate } = open({ concurrency: 2, sharedConcurrency: 60, maxRequests: 2 });
    const first = enter(gate, a, 6);
    const second = enter(gate, b, 2);
    const third = enter(gate, c, 2);
    await settled();
    assert.deepEqual([first.ends.length, second.ends.length, third.ends.length], [2, 0, 0]);
    first.ends[0]?.();
    first.ends[1]?.();
    await settled();
    assert.deepEqual([first.ends.length, second.ends.length, third.ends.length], [3, 1, 0]);
    first.ends[2]?.();
    await settled();
    assert.deepEqual([first.ends.length, second.ends.length, third.ends.length], [3, 1, 1]);
  });

  it("does not count what takes long, up to a number", async () => {
    const { gate } = open({ concurrency: 2, longMs: 50, longRequests: 1 });
    const mine = enter(gate, a, 4);
    await settled();
    assert.equal(mine.ends.length, 2);
    nowMs = 51;
    // Found out by the look at those that wait, without anything ending.
    while (mine.ends.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    nowMs = 200;
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(mine.ends.length, 3);
    for (const end of mine.ends) end();
    await settled();
    assert.equal(mine.ends.length, 4);
  });

  it("refuses what would wait too long, or behind too many, and says when to come again", async () => {
    const { gate } = open({ concurrency: 1, queueLength: 1, queueMs: 20 });
    const mine = enter(gate, a, 3);
    while (mine.failures.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(
      mine.failures.map(
        (error) => error instanceof KilonovaError && [error.reason, error.facts["retryAfterMs"]],
      ),
      [
        ["TOO_MANY_REQUESTS", "1000"],
        ["TURN_TIMED_OUT", "1000"],
      ],
    );
  });

  it("forgets who hangs up while waiting", async () => {
    const { gate } = open({ concurrency: 1 });
    const first = enter(gate, a, 1);
    const left = new AbortController();
    const leaving = gate.enter(a, left.signal);
    const last = enter(gate, a, 1);
    await settled();
    left.abort(new Error("left"));
    await assert.rejects(leaving, /left/);
    first.ends[0]?.();
    await settled();
    assert.equal(last.ends.length, 1);
  });

  it("leaves nothing behind on the signal of who has waited", async () => {
    const { gate } = open({ concurrency: 1 });
    const first = enter(gate, a, 1);
    const { signal } = new AbortController();
    const waiting = gate.enter(a, signal);
    await settled();
    assert.equal(isAwaited(signal), true);
    first.ends[0]?.();
    (await waiting)();
    assert.equal(isAwaited(signal), false);
  });

  it("does not hold back our own services", async () => {
    const { gate } = open({ concurrency: 1 });
    const services = enter(gate, { ...a, roles: ["service"] }, 50);
    await settled();
    assert.equal(services.ends.length, 50);
  });

  it("counts each door by itself, and who is active at all of them", async () => {
    const { sharing, gate } = open({ concurrency: 8, sharedConcurrency: 2 });
    const elsewhere = sharing.gate();
    const mine = enter(gate, a, 1);
    const inner = enter(elsewhere, a, 8);
    await settled();
    assert.deepEqual([mine.ends.length, inner.ends.length], [1, 8]);
    enter(gate, b, 1);
    for (const end of inner.ends) end();
    const more = enter(elsewhere, a, 8);
    await settled();
    assert.equal(more.ends.length, 1);
  });

  it("limits what waits, per token and per project, without taking turns", async () => {
    const { sharing, gate } = open({ concurrency: 1, waitsPerProject: 3, waitsPerToken: 2 });
    const ends = [sharing.wait(a, "t1"), sharing.wait(a, "t1")];
    const reasonOf = (fn: () => unknown): unknown => {
      try {
        return fn();
      } catch (error) {
        return error instanceof KilonovaError ? `${error.reason} ${error.facts["of"]}` : error;
      }
    };
    assert.equal(
      reasonOf(() => sharing.wait(a, "t1")),
      "TOO_MANY_WAITS token",
    );
    ends.push(sharing.wait(a, "t2"));
    assert.equal(
      reasonOf(() => sharing.wait(a, "t3")),
      "TOO_MANY_WAITS project",
    );
    sharing.wait(b, "t4");
    for (const end of ends) {
      end();
      end();
    }
    sharing.wait(a, "t1");
    sharing.wait(a, "t1");
    assert.equal(enter(gate, a, 1).failures.length, 0);
  });
});
