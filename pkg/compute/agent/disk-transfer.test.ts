import assert from "node:assert/strict";
import type { ReadDiskRequest, ReadDiskResponse } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { AgentServiceDefinition } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { Peer } from "../../kernel/index.js";
import { CommonErrors, rootCtx, silentLogger } from "../../kernel/index.js";
import { LocalNetwork, agentBinding, bindPart } from "../../platform/rpc/index.js";
import { Metrics, noTracer } from "../../platform/telemetry/index.js";
import { fakeClock } from "../../testkit/clock.js";
import type { DiskPiece, LeavingDisk } from "../driver.js";
import { FakeDriver } from "../drivers/fake/index.js";
import { aGuestSpec } from "../drivers/testing/a-spec.js";
import { DiskReaders } from "./disk-readers.js";
import { diskSources } from "./disk-sources.js";

const ctx = rootCtx({ requestId: "req-transfer" });
const TO = { transferId: "0a1b2c3d-0000-4000-8000-000000000000", toHost: "host2" };
const HOST2: Peer = { service: "compute", host: "host2", cell: "cell1" };
const HOST3: Peer = { ...HOST2, host: "host3" };

/** What a host makes of its own answers. */
type Answers = (
  request: ReadDiskRequest,
  real: AsyncGenerator<ReadDiskResponse>,
) => AsyncIterable<ReadDiskResponse>;

/** Host 1 with a guest that leaves for host 2, and host 2's way to it. */
async function bench(answers: Answers = (_request, real) => real) {
  const driver = new FakeDriver({ hostname: "host1" });
  const spec = aGuestSpec();
  const serverId = spec.instanceUuid;
  await driver.define(ctx, spec);
  const disks = await driver.exportDisks(ctx, serverId, TO, 0);
  const root = disks.find(({ name }) => name === "root") ?? assert.fail("no root disk");
  const clock = fakeClock();
  const readers = new DiskReaders(driver, "cell1", clock);
  const network = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() });
  network.listen("agent:host1", [
    bindPart(AgentServiceDefinition, {
      readDisk: (c, request) => answers(request, readers.read(c, request)),
    }),
  ]);
  const connect = (peer: Peer) => network.connect("agent:host1", peer).client(AgentServiceDefinition);
  const request = { host: "host1", serverId, ...TO, disk: "root", fromByte: 0n };
  const sources = diskSources({
    host: "host2",
    connect: (_host, address) => network.connect(address, HOST2),
    // Nobody waits: a sleep moves the clock.
    clock: { monotonicMs: () => clock.monotonicMs(), sleep: (ms) => clock.advance(ms) },
  });
  const guest = { serverId, transferId: TO.transferId, host: "host1", address: "agent:host1" };
  const fetch = async (disk: LeavingDisk = root, fromByte = 0): Promise<DiskPiece[]> => {
    const pieces: DiskPiece[] = [];
    for await (const piece of sources.read(ctx, guest, disk, fromByte)) pieces.push(piece);
    return pieces;
  };
  const own = async (): Promise<DiskPiece[]> => {
    const pieces: DiskPiece[] = [];
    for await (const piece of (await driver.openLeavingDisk(ctx, serverId, TO, "root", 0)).pieces)
      pieces.push(piece);
    return pieces;
  };
  /** These many disks on their way to host 2, the first piece taken, or to host 3 from another guest. */
  const reading = async (count: number, peer = HOST2) => {
    const { instanceUuid } = aGuestSpec();
    const to = { ...TO, toHost: peer.host };
    if (peer !== HOST2) {
      await driver.define(ctx, { ...spec, instanceUuid });
      await driver.exportDisks(ctx, instanceUuid, to, 0);
    }
    const asked = { ...request, ...to, serverId: peer === HOST2 ? serverId : instanceUuid };
    const readers = Array.from({ length: count }, () =>
      connect(peer).readDisk(ctx, asked)[Symbol.asyncIterator](),
    );
    await Promise.all(readers.map((one) => one.next()));
    return readers;
  };
  return { driver, serverId, root, clock, connect, request, fetch, own, reading };
}

const comparable = (pieces: readonly DiskPiece[]): unknown[] =>
  pieces.map(({ offset, data, digest }) => [
    offset,
    Buffer.from(data).toString("hex"),
    Buffer.from(digest).toString("hex"),
  ]);

describe("a disk between two agents", () => {
  it("comes as it is, from any byte on", async () => {
    const { fetch, own, root } = await bench();
    const pieces = await fetch();
    assert.deepEqual(comparable(pieces), comparable(await own()));
    assert.equal(pieces.length, 2);
    assert.deepEqual(comparable(await fetch(root, pieces[1]?.offset)), comparable(pieces.slice(1)));
    assert.deepEqual(await fetch(root, root.sizeBytes), []);
  });

  it("is all that agents may ask each other for", () => {
    const forAgents = bindPart(AgentServiceDefinition, {}).methods.filter(({ allowedCallers }) =>
      allowedCallers.has("compute"),
    );
    assert.deepEqual(
      forAgents.map(({ method }) => method),
      ["ReadDisk"],
    );
    assert.deepEqual(agentBinding(AgentServiceDefinition.methods.readDisk)?.host, ["to_host"]);
  });

  const strangers: readonly [who: string, peer: Peer, reason: string][] = [
    ["another host", { ...HOST2, host: "host3" }, "TRANSFER_UNKNOWN"],
    ["a host of that name in another cell", { ...HOST2, cell: "cell2" }, "TRANSFER_UNKNOWN"],
    ["an agent without a host", { ...HOST2, host: "" }, "TRANSFER_UNKNOWN"],
    ["a conductor", { service: "conductor", host: "host2" }, "CALLER_NOT_ALLOWED"],
    ["nobody known", { service: "", host: "" }, "CALLER_NOT_ALLOWED"],
  ];
  const first = async (answers: AsyncIterable<unknown>): Promise<unknown> => {
    for await (const answer of answers) return answer;
    return undefined;
  };
  for (const [who, peer, reason] of strangers)
    it(`is not given to ${who}`, async () => {
      const { connect, request } = await bench();
      for (const toHost of ["host2", peer.host])
        await assert.rejects(first(connect(peer).readDisk(ctx, { ...request, toHost })), { reason });
    });

  it("is given for what it was offered for only, and no more once its guest stays", async () => {
    const { connect, request, driver, serverId } = await bench();
    const read = (over: object): Promise<unknown> =>
      first(connect(HOST2).readDisk(ctx, { ...request, ...over }));
    await read({});
    for (const over of [{ transferId: "another" }, { serverId: "another" }, { toHost: "" }])
      await assert.rejects(read(over), { reason: "TRANSFER_UNKNOWN" });
    await assert.rejects(read({ disk: "swap" }), { reason: "INVALID_ARGUMENT" });
    await driver.keepDisks(ctx, serverId);
    await assert.rejects(read({}), { reason: "TRANSFER_UNKNOWN" });
  });

  /** A reader who comes later, and whether he has got anything. */
  const later = (answers: AsyncIterable<unknown>) => {
    const state = { came: false };
    const read = first(answers).then((piece) => {
      state.came = piece !== undefined;
    });
    return { state, read };
  };
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it("is read by a few at a time: who comes later waits until one has left", async () => {
    const { connect, request, reading } = await bench();
    const all = [...(await reading(4, HOST3)), ...(await reading(3))];
    const last = await reading(1);
    const { state, read } = later(connect(HOST2).readDisk(ctx, request));
    await settled();
    assert.equal(state.came, false);
    await last[0]?.return?.();
    await read;
    assert.equal(state.came, true);
    for (const one of all) await one.return?.();
  });

  it("leaves half of the places to other hosts", async () => {
    const { connect, request, reading } = await bench();
    const all = await reading(4);
    const { state, read } = later(connect(HOST2).readDisk(ctx, request));
    await settled();
    assert.equal(state.came, false);
    all.push(...(await reading(4, HOST3)));
    for (const one of all) await one.return?.();
    await read;
  });

  it("has no place any more whose reader takes nothing for a minute, who may read on", async () => {
    const { connect, request, reading, clock } = await bench();
    const all = await reading(4);
    const { state, read } = later(connect(HOST2).readDisk(ctx, request));
    await clock.advance(59_000);
    // Who takes a piece in between has as long again.
    await all[0]?.next();
    assert.equal(state.came, false);
    await clock.advance(1_000);
    await read;
    // Three have lost their places. They read on, and leave none when they end.
    assert.equal((await all[1]?.next())?.done, false);
    for (const one of all.slice(1)) await one.return?.();
    const again = await reading(3);
    const next = later(connect(HOST2).readDisk(ctx, request));
    await settled();
    assert.equal(next.state.came, false);
    for (const one of [...again, all[0]]) await one?.return?.();
    await next.read;
  });

  it("is waited for no longer than its reader does", async () => {
    const { connect, request, reading } = await bench();
    const all = await reading(4);
    const gone = new AbortController();
    const waiting = first(connect(HOST2).readDisk({ ...ctx, signal: gone.signal }, request));
    await settled();
    gone.abort(CommonErrors.CANCELLED({ what: "The transfer" }));
    await assert.rejects(waiting);
    for (const one of all) await one.return?.();
    await first(connect(HOST2).readDisk(ctx, request));
  });

  for (const end of ["breaks", "ends"] as const)
    it(`goes on where it was when a stream ${end} too early`, async () => {
      const asked: bigint[] = [];
      const { fetch, own } = await bench(async function* ({ fromByte }, real) {
        asked.push(fromByte);
        for await (const answer of real) {
          if (asked.length < 3 && (asked.length === 1 || answer.offset > 0n)) {
            if (asked.length === 2) yield answer;
            if (end === "ends") return;
            throw CommonErrors.UNAVAILABLE({ what: "The host" });
          }
          yield answer;
        }
      });
      const pieces = await fetch();
      assert.deepEqual(comparable(pieces), comparable(await own()));
      const [, last] = pieces;
      assert.deepEqual(asked, [0n, 0n, BigInt((last?.offset ?? 0) + (last?.data.length ?? 0))]);
    });

  it("is given up when nobody answers for minutes", async () => {
    const { fetch, clock } = await bench(() => {
      throw CommonErrors.UNAVAILABLE({ what: "The host" });
    });
    await assert.rejects(fetch(), { reason: "TRANSFER_BROKEN" });
    assert.ok(clock.monotonicMs() >= 300_000);
  });

  it("is given up at once when it has another length than was told, or is refused", async () => {
    const { fetch, root, clock, driver, serverId } = await bench();
    await assert.rejects(fetch({ ...root, sizeBytes: root.sizeBytes + 1 }), { reason: "TRANSFER_BROKEN" });
    await driver.keepDisks(ctx, serverId);
    await assert.rejects(fetch(), { reason: "TRANSFER_UNKNOWN" });
    assert.equal(clock.monotonicMs(), 0);
  });
});
