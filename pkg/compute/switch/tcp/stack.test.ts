import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { metadataServer } from "../worker/metadata-server.js";
import type { TcpSegment } from "../packet/tcp.js";
import { sequenceAdd, sequenceDiff, tcpFlag } from "../packet/tcp.js";
import type { MetadataRequest, MetadataResponse } from "../protocol.js";
import { somePort } from "../testing/some-port.js";
import { TcpStack } from "./stack.js";

const { ack, fin, psh, rst, syn } = tcpFlag;
const remoteIp = "0a4d0001";

/** A stack with the metadata server on it, and a wire that loses every `loseEvery`th segment it sends. */
function scene(
  options: {
    loseEvery?: number;
    maxConnections?: number;
    answer?: (request: MetadataRequest) => Promise<MetadataResponse>;
  } = {},
) {
  let nowMs = 0;
  let count = 0;
  const wire: TcpSegment[] = [];
  const asked: MetadataRequest[] = [];
  const server = metadataServer((request) => {
    asked.push(request);
    return (options.answer ?? (async () => ({ status: 200, headers: {}, body: Buffer.from("hello") })))(
      request,
    );
  });
  const stack = new TcpStack({
    mss: () => 1000,
    maxConnections: options.maxConnections ?? 8,
    initialSequence: () => 5_000,
    now: () => nowMs,
    send: (_ip, segment) => {
      count += 1;
      if (options.loseEvery === undefined || count % options.loseEvery !== 0) wire.push(segment);
    },
    accept: (stream) => server.accept(somePort(1), stream),
  });
  const segment = (part: Partial<TcpSegment>): TcpSegment => ({
    sourcePort: 4000,
    destinationPort: 80,
    sequence: 100,
    acknowledgement: 0,
    flags: ack,
    window: 20_000,
    payload: Buffer.alloc(0),
    ...part,
  });
  return {
    stack,
    wire,
    asked,
    send: (part: Partial<TcpSegment>) => stack.receive(remoteIp, segment(part)),
    /** Lets streams run, then time pass. */
    turn: async (ms: number) => {
      for (let i = 0; i < 5; i += 1) await nextTurn();
      nowMs += ms;
      stack.tick();
    },
  };
}

/**
 * A client that sends a request and reads until the server ends; it acknowledges whatever comes in order, and
 * sends the request again until it is heard.
 */
async function fetchOver(s: ReturnType<typeof scene>, request: string, sourcePort = 4000): Promise<string> {
  let received = Buffer.alloc(0);
  let expected: number | undefined;
  let ended = false;
  let heard = 100;
  for (let turn = 0; turn < 2_000 && !ended; turn += 1) {
    if (expected === undefined) s.send({ sourcePort, flags: syn, mss: 1000 });
    else if (sequenceDiff(heard, 101 + request.length) < 0)
      s.send({
        sourcePort,
        sequence: 101,
        acknowledgement: expected,
        flags: ack | psh,
        payload: Buffer.from(request),
      });
    for (const segment of s.wire.splice(0)) {
      if (segment.destinationPort !== sourcePort) continue;
      if (segment.flags & rst) throw new Error("reset");
      heard = segment.acknowledgement;
      if (segment.flags & syn) expected = sequenceAdd(segment.sequence, 1);
      else if (segment.sequence === expected) {
        received = Buffer.concat([received, segment.payload]);
        expected = sequenceAdd(expected, segment.payload.length);
        if (segment.flags & fin) {
          ended = true;
          expected = sequenceAdd(expected, 1);
        }
      }
      if (expected !== undefined)
        s.send({
          sourcePort,
          sequence: 101 + (sequenceDiff(heard, 101) > 0 ? request.length : 0),
          acknowledgement: expected,
        });
    }
    await s.turn(200);
  }
  assert.ok(ended, `no end; so far ${received.length} bytes`);
  s.send({ sourcePort, sequence: 101 + request.length, acknowledgement: expected ?? 0, flags: ack | fin });
  return received.toString();
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n`;

describe("TCP stack with the metadata server", () => {
  it("serves a request in the name of the port", async () => {
    const s = scene();
    const answer = await fetchOver(s, get("/openstack?x=1"));
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(answer, /connection: close\r\n/i);
    assert.ok(answer.endsWith("\r\n\r\nhello"));
    const { portId, instanceUuid, method, path, headers } = s.asked[0] ?? assert.fail("not asked");
    assert.deepEqual(
      { portId, instanceUuid, method, path, host: headers["host"] },
      {
        portId: "port-1",
        instanceUuid: somePort(1).instanceUuid,
        method: "GET",
        path: "/openstack?x=1",
        host: "169.254.169.254",
      },
    );
  });

  it("delivers a long answer whole over a wire that loses every fourth segment", async () => {
    const body = Buffer.from(Array.from({ length: 20_000 }, (_, i) => String(i)).join(","));
    const s = scene({ loseEvery: 4, answer: async () => ({ status: 200, headers: {}, body }) });
    const answer = await fetchOver(s, get("/long"));
    assert.equal(answer.slice(answer.indexOf("\r\n\r\n") + 4), body.toString());
  });

  it("passes a posted body on", async () => {
    const s = scene();
    const post = (body: string): string =>
      `POST /openstack/latest/password HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    await fetchOver(s, post("c2VjcmV0"));
    assert.equal(Buffer.from(s.asked[0]?.body ?? []).toString(), "c2VjcmV0");
    assert.equal(s.asked[0]?.method, "POST");
  });

  it("answers nonsense with 400 and lives on", async () => {
    const s = scene();
    assert.match(await fetchOver(s, "NONSENSE\r\n\r\n"), /^HTTP\/1\.1 400/);
    assert.match(await fetchOver(s, get("/"), 4001), /^HTTP\/1\.1 200/);
  });

  it("keeps many connections apart", async () => {
    const s = scene({
      answer: async ({ path }) => ({ status: 200, headers: {}, body: Buffer.from(`<${path}>`) }),
    });
    for (const n of [1, 2, 3]) s.send({ sourcePort: n, flags: syn, mss: 1000 });
    assert.equal(s.stack.size, 3);
    for (const n of [1, 2, 3])
      s.send({
        sourcePort: n,
        sequence: 101,
        acknowledgement: 5_001,
        flags: ack | psh,
        payload: Buffer.from(get(`/${n}`)),
      });
    await s.turn(10);
    for (const n of [1, 2, 3])
      assert.ok(
        s.wire.some((out) => out.destinationPort === n && out.payload.includes(`</${n}>`)),
        `connection ${n}`,
      );
  });

  it("refuses connections beyond the limit, and segments of no connection", () => {
    const s = scene({ maxConnections: 2 });
    for (const n of [1, 2, 3]) s.send({ sourcePort: n, flags: syn, mss: 1000 });
    assert.equal(s.stack.size, 2);
    const refusal = s.wire.at(-1);
    assert.deepEqual(
      [refusal?.destinationPort, refusal?.flags, refusal?.acknowledgement],
      [3, rst | ack, 101],
    );
    s.send({ sourcePort: 9, flags: ack, acknowledgement: 77 });
    assert.deepEqual([s.wire.at(-1)?.flags, s.wire.at(-1)?.sequence], [rst, 77]);
    const count = s.wire.length;
    s.send({ sourcePort: 9, flags: rst });
    assert.equal(s.wire.length, count);
  });

  it("lets a finished connection give way to a new one of the same ports", async () => {
    const s = scene({ maxConnections: 1 });
    await fetchOver(s, get("/"));
    assert.equal(s.stack.size, 1);
    assert.match(await fetchOver(s, get("/"), 4001), /^HTTP\/1\.1 200/);
    assert.match(await fetchOver(s, get("/"), 4001), /^HTTP\/1\.1 200/);
  });

  it("resets everything when closed", async () => {
    const s = scene();
    s.send({ flags: syn, mss: 1000 });
    s.send({ sequence: 101, acknowledgement: 5_001 });
    s.stack.close();
    assert.equal(s.stack.size, 0);
    assert.ok((s.wire.at(-1)?.flags ?? 0) & rst);
  });
});
