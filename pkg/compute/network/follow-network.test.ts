import assert from "node:assert/strict";
import { changesExtension } from "../../clients/neutron/ports.js";
import { fakeNeutron } from "../../clients/neutron/testing/fake-neutron.js";
import { rootCtx } from "../../kernel/index.js";
import { fakeClock } from "../../testkit/clock.js";
import { followNetwork } from "./follow-network.js";

/** A follower of a Network service that tells of changes, or does not. */
function scene(tells: boolean, random = 0.5) {
  const neutron = fakeNeutron();
  if (tells) neutron.aliases.add(changesExtension);
  const clock = fakeClock();
  const ending = new AbortController();
  const read = { times: 0, onRead: (): void => {} };
  const ended = followNetwork(rootCtx({ requestId: "req-follow", signal: ending.signal }), {
    neutron,
    clock,
    random: () => random,
    everyMs: 10_000,
    refresh: async () => {
      read.times += 1;
      read.onRead();
    },
  });
  ended.catch(() => {}); // looked at by the tests
  return {
    neutron,
    clock,
    read,
    ended,
    end: async () => {
      ending.abort(new Error("over"));
      await ended.catch((error: unknown) => assert.match(String(error), /over/));
    },
  };
}

describe("following the Network service", () => {
  it("reads once, then only what it is told of, at once and at most once a second", async () => {
    const s = scene(true);
    await s.clock.advance(60_000);
    assert.equal(s.read.times, 1);
    s.neutron.changed();
    await s.clock.advance(0);
    assert.equal(s.read.times, 2);
    for (let i = 0; i < 5; i += 1) s.neutron.changed();
    await s.clock.advance(999);
    assert.equal(s.read.times, 2);
    await s.clock.advance(1);
    assert.equal(s.read.times, 3);
    await s.clock.advance(60_000);
    assert.equal(s.read.times, 3);
    await s.end();
  });

  it("misses no change that comes while it reads", async () => {
    const s = scene(true);
    s.read.onRead = () => {
      s.read.onRead = () => {};
      s.neutron.changed();
    };
    await s.clock.advance(1_000);
    assert.equal(s.read.times, 2);
    await s.end();
  });

  for (const [random, everyMs] of [
    [0, 8_000],
    [0.5, 10_000],
    [1, 12_000],
  ] as const) {
    it(`reads every ${everyMs} ms, as chance ${random} will have it, where it is not told of changes`, async () => {
      const s = scene(false, random);
      await s.clock.advance(everyMs - 1);
      assert.equal(s.read.times, 1);
      await s.clock.advance(1);
      assert.equal(s.read.times, 2);
      await s.end();
    });
  }

  it("gives up on failure, for its task to begin again", async () => {
    const s = scene(true);
    await s.clock.advance(0);
    s.neutron.down = true;
    s.neutron.changed();
    await s.clock.advance(1_000);
    await assert.rejects(s.ended, { reason: "NETWORK_UNAVAILABLE" });
  });
});
