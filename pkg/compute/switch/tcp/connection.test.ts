import assert from "node:assert/strict";
import type { TcpSegment } from "../packet/tcp.js";
import { sequenceAdd, tcpFlag } from "../packet/tcp.js";
import { TcpConnection } from "./connection.js";

const { ack, fin, psh, rst, syn } = tcpFlag;
const mss = 100;

/**
 * A hand-driven client at the other end, its wire, and a clock. Everything the connection sends lands in
 * `sent`.
 */
function scene(over: { clientSequence?: number; window?: number; space?: number } = {}) {
  const start = over.clientSequence ?? 1000;
  let nowMs = 0;
  const sent: TcpSegment[] = [];
  const log: string[] = [];
  let space = over.space ?? 65_535;
  let next = sequenceAdd(start, 1);
  let furthest = 0;
  const segment = (part: Partial<TcpSegment>): TcpSegment => ({
    sourcePort: 4000,
    destinationPort: 80,
    sequence: next,
    acknowledgement: 0,
    flags: ack,
    window: over.window ?? 65_535,
    payload: Buffer.alloc(0),
    ...part,
  });
  const connection = new TcpConnection(
    segment({ sequence: start, flags: syn, mss }),
    { ownMss: 1400, initialSequence: 0xfffffff0, nowMs },
    {
      send: (out) => {
        sent.push(out);
        furthest = sequenceAdd(out.sequence, out.payload.length + (out.flags & (syn | fin) ? 1 : 0));
      },
      data: (bytes) => log.push(bytes.toString()),
      peerEnded: () => log.push("<end>"),
      acknowledged: () => log.push("<acked>"),
      closed: (why) => log.push(`<${why}>`),
      receiveSpace: () => space,
    },
  );
  const last = (): TcpSegment => {
    const found = sent.at(-1);
    assert.ok(found);
    return found;
  };
  /** What the client has of the server's stream if it acknowledges all segments sent so far. */
  const seen = (): number => furthest;
  return {
    connection,
    sent,
    log,
    last,
    seen,
    now: () => nowMs,
    wait: (ms: number) => {
      for (const until = nowMs + ms; nowMs < until;) {
        nowMs += 100;
        connection.tick(nowMs);
      }
    },
    setSpace: (bytes: number) => {
      space = bytes;
    },
    /** Sends a segment without moving the client's own sequence number. */
    raw: (part: Partial<TcpSegment>) => connection.receive(segment(part), nowMs),
    /** Sends the client's next bytes in order. */
    say: (text: string, part: Partial<TcpSegment> = {}) => {
      const payload = Buffer.from(text);
      connection.receive(segment({ payload, acknowledgement: seen(), flags: ack | psh, ...part }), nowMs);
      next = sequenceAdd(next, payload.length + ((part.flags ?? 0) & fin ? 1 : 0));
    },
    acknowledge: (part: Partial<TcpSegment> = {}) =>
      connection.receive(segment({ acknowledgement: seen(), ...part }), nowMs),
    write: (text: string) => connection.write(Buffer.from(text), nowMs),
    text: () => sent.map((out) => out.payload.toString()).join(""),
  };
}

/** After the handshake, with the record of it cleared. */
function open(over: Parameters<typeof scene>[0] = {}) {
  const s = scene(over);
  s.acknowledge();
  s.sent.length = 0;
  return s;
}

describe("TCP connection", () => {
  it("answers a SYN with its own, and again when it is repeated or lost", () => {
    const s = scene();
    assert.equal(s.last().flags, syn | ack);
    assert.equal(s.last().acknowledgement, 1001);
    assert.equal(s.last().mss, 1400);
    s.raw({ sequence: 1000, flags: syn, mss });
    s.wait(600);
    assert.equal(s.sent.length, 3);
    assert.ok(s.sent.every((out) => out.sequence === 0xfffffff0 && out.flags === (syn | ack)));
  });

  it("gives up a handshake that is never finished", () => {
    const s = scene();
    s.wait(10_000);
    assert.deepEqual(s.log, ["<timeout>"]);
    assert.ok(s.last().flags & rst);
  });

  it("delivers data once and in order, whatever is repeated, early or overlapping", () => {
    const s = open();
    s.say("hello ");
    s.raw({ sequence: 1001, payload: Buffer.from("hello "), acknowledgement: s.seen() });
    s.raw({ sequence: 1100, payload: Buffer.from("too early"), acknowledgement: s.seen() });
    assert.equal(s.last().acknowledgement, 1007);
    s.raw({ sequence: 1004, payload: Buffer.from("lo world"), acknowledgement: s.seen() });
    assert.deepEqual(s.log, ["hello ", "world"]);
    assert.equal(s.last().acknowledgement, 1012);
  });

  it("works where sequence numbers wrap, on both sides", () => {
    const s = open({ clientSequence: 0xfffffffd });
    s.say("abcdef");
    s.write("x".repeat(40));
    s.acknowledge();
    assert.deepEqual(s.log, ["abcdef", "<acked>"]);
    assert.equal(s.last().acknowledgement, 4);
    assert.equal(s.connection.bufferedBytes, 0);
  });

  it("takes no more than the application has room for, and says when there is room again", () => {
    const s = open({ space: 4 });
    s.say("abcdef");
    assert.deepEqual(s.log, ["abcd"]);
    assert.equal(s.last().acknowledgement, 1005);
    s.setSpace(0);
    s.raw({ sequence: 1005, payload: Buffer.from("e"), acknowledgement: s.seen() });
    assert.equal(s.last().window, 0);
    s.setSpace(8192);
    s.connection.spaceFreed();
    assert.equal(s.last().window, 8192);
  });

  it("cuts what it sends into segments of the peer's size, within the congestion window", () => {
    const s = open();
    s.write("y".repeat(3000));
    assert.equal(s.sent.length, 10);
    assert.ok(s.sent.every((out) => out.payload.length === mss));
    s.acknowledge();
    while (s.connection.bufferedBytes > 0) s.acknowledge();
    assert.equal(s.text().length, 3000);
    assert.ok(s.last().flags & psh);
  });

  it("respects the peer's window, probes a shut one, and goes on when it opens", () => {
    const s = open({ window: 150 });
    s.write("z".repeat(400));
    assert.deepEqual(
      s.sent.map((out) => out.payload.length),
      [100],
    );
    s.acknowledge({ window: 0 });
    s.wait(600);
    assert.equal(s.last().payload.length, 1);
    s.raw({ acknowledgement: sequenceAdd(0xfffffff1, 100), window: 1000 });
    s.wait(1_500);
    s.acknowledge({ window: 1000 });
    s.acknowledge({ window: 1000 });
    assert.equal(s.connection.bufferedBytes, 0);
  });

  it("sends lost data again with growing pauses, then gives up", () => {
    const s = open();
    s.write("data");
    s.wait(5_000);
    const repeats = s.sent.filter((out) => out.payload.toString() === "data").length;
    assert.ok(repeats >= 4 && repeats <= 5, `${repeats}`);
    s.wait(60_000);
    assert.deepEqual(s.log, ["<timeout>"]);
  });

  it("sends one lost segment again after three duplicate acknowledgements, without waiting", () => {
    const s = open();
    s.write("a".repeat(100) + "b".repeat(100) + "c".repeat(100));
    s.sent.length = 0;
    for (let i = 0; i < 3; i += 1) s.raw({ acknowledgement: 0xfffffff1 });
    assert.equal(s.sent[0]?.payload.toString(), "a".repeat(100));
    s.raw({ acknowledgement: sequenceAdd(0xfffffff1, 300) });
    assert.equal(s.connection.bufferedBytes, 0);
  });

  it("ends first: FIN after all data, then the peer's FIN, then a short wait in which a repeated FIN is answered", () => {
    const s = open();
    s.write("bye");
    s.connection.end(s.now());
    assert.equal(s.last().flags, ack | fin);
    s.acknowledge();
    s.say("", { flags: ack | fin });
    assert.deepEqual(s.log, ["<acked>", "<end>"]);
    assert.equal(s.connection.lingering, true);
    const count = s.sent.length;
    s.raw({ sequence: 1001, flags: ack | fin, acknowledgement: s.seen() });
    assert.equal(s.sent.length, count + 1);
    s.wait(3_000);
    assert.deepEqual(s.log.at(-1), "<finished>");
  });

  it("ends second: the rest of the data still goes out after the peer's FIN", () => {
    const s = open();
    s.say("request", { flags: ack | fin });
    assert.equal(s.last().acknowledgement, 1009);
    s.write("response");
    s.connection.end(s.now());
    s.acknowledge();
    assert.equal(s.text(), "response");
    s.wait(3_000);
    assert.deepEqual(s.log, ["request", "<end>", "<acked>", "<finished>"]);
  });

  it("repeats a lost FIN", () => {
    const s = open();
    s.connection.end(s.now());
    s.wait(600);
    assert.equal(s.sent.filter((out) => out.flags & fin).length, 2);
  });

  it("believes a reset only where one is due", () => {
    const s = open();
    s.raw({ flags: rst, sequence: 900 });
    assert.deepEqual(s.log, []);
    s.raw({ flags: rst });
    assert.deepEqual(s.log, ["<reset>"]);
    s.say("late");
    assert.deepEqual(s.log, ["<reset>"]);
  });

  it("challenges a SYN in the middle of a connection", () => {
    const s = open();
    s.raw({ sequence: 50_000, flags: syn });
    assert.equal(s.last().flags, ack);
    assert.equal(s.last().acknowledgement, 1001);
    assert.equal(s.connection.closed, false);
  });

  it("ignores an acknowledgement of what was never sent", () => {
    const s = open();
    s.write("abc");
    s.raw({ acknowledgement: 12_345 });
    assert.equal(s.connection.bufferedBytes, 3);
    assert.equal(s.connection.closed, false);
  });

  it("resets when aborted, and drops a peer that has gone quiet", () => {
    const s = open();
    s.connection.abort();
    assert.ok(s.last().flags & rst);
    assert.deepEqual(s.log, ["<reset>"]);
    const quiet = open();
    quiet.wait(121_000);
    assert.deepEqual(quiet.log, ["<timeout>"]);
  });
});
