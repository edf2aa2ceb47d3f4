import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import { StreamTurns } from "./stream-turns.js";

class FakeStream extends EventEmitter {
  destroyed = false;
  readonly session: object;

  constructor(session: object) {
    super();
    this.session = session;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("turns of streams", () => {
  const streamOf = (session: object): ServerHttp2Stream & FakeStream =>
    new FakeStream(session) as unknown as ServerHttp2Stream & FakeStream;

  it("begin at once while there are few", () => {
    const turns = new StreamTurns();
    let begun = 0;
    turns.begin(streamOf({}), () => begun++);
    assert.equal(begun, 1);
  });

  it("let a thousand of one connection begin a few at a time, and others' in between", async () => {
    const turns = new StreamTurns();
    const [attacker, victim] = [{}, {}];
    let flood = 0;
    for (let i = 0; i < 1_000; i++) turns.begin(streamOf(attacker), () => flood++);
    assert.ok(flood <= 32);
    let served = false;
    turns.begin(streamOf(victim), () => (served = true));
    await turn();
    assert.ok(served, "it came in the next turn");
    assert.ok(flood <= 64, `${flood} had begun`);
    for (let turnsLeft = 100; flood < 1_000 && turnsLeft > 0; turnsLeft--) await turn();
    assert.equal(flood, 1_000);
  });

  it("never come to those that were cancelled meanwhile, and survive their errors", async () => {
    const turns = new StreamTurns();
    const session = {};
    const begun: number[] = [];
    for (let i = 0; i < 40; i++) turns.begin(streamOf(session), () => begun.push(i));
    const cancelled = Array.from({ length: 500 }, () => streamOf(session));
    for (const stream of cancelled) turns.begin(stream, () => begun.push(-1));
    turns.begin(streamOf(session), () => begun.push(40));
    for (const stream of cancelled) {
      stream.destroyed = true;
      stream.emit("error", new Error("reset"));
    }
    await turn();
    assert.deepEqual(begun, [...Array(41).keys()]);
  });
});
