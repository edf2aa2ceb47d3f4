import assert from "node:assert/strict";
import { InstanceChange, InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { HandoverProtocol } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { BlockDeviceRecord, MigrationKind } from "../../../../gen/kilonova/cells/v1/server_records.js";
import { ServerHostInfo } from "../../../../gen/kilonova/type/v1/server.js";
import { serverOf } from "../../servers/domain/records.js";
import { saltIn, saltable, saltedAs } from "../../../testkit/unknown-fields.js";
import { aServer } from "../../testing/records.js";
import { NO_ROWS } from "../../servers/domain/plan-change.js";
import {
  knownIn,
  mayWake,
  movedCopy,
  newServersCopy,
  protocolOf,
  requireLife,
  returnedCopy,
} from "./hand-over.js";
import type { Copying } from "./hand-over.js";

const {
  HANDOVER_PROTOCOL_UNSPECIFIED,
  HANDOVER_PROTOCOL_NEW_SERVER,
  HANDOVER_PROTOCOL_MOVE,
  HANDOVER_PROTOCOL_RETURN,
} = HandoverProtocol;

describe("a hand-over's protocol", () => {
  for (const [word, source, target, expected] of [
    [HANDOVER_PROTOCOL_UNSPECIFIED, "global", "cell1", "new-server"],
    [HANDOVER_PROTOCOL_NEW_SERVER, "global", "cell0", "new-server"],
    [HANDOVER_PROTOCOL_NEW_SERVER, "cell1", "cell2", undefined],
    [HANDOVER_PROTOCOL_UNSPECIFIED, "cell1", "cell2", undefined],
    [HANDOVER_PROTOCOL_MOVE, "cell1", "cell2", "move"],
    [HANDOVER_PROTOCOL_MOVE, "cell1", "cell1", undefined],
    [HANDOVER_PROTOCOL_MOVE, "global", "cell1", undefined],
    [HANDOVER_PROTOCOL_MOVE, "cell1", "cell0", undefined],
    [HANDOVER_PROTOCOL_RETURN, "cell2", "cell1", "return"],
    [HANDOVER_PROTOCOL_RETURN, "cell0", "cell1", undefined],
  ] as const)
    it(`${word} from ${source} to ${target} is ${expected ?? "none"}`, () => {
      const ask = (): string => protocolOf(word, source, target);
      if (expected === undefined) assert.throws(ask, { reason: "INVALID_ARGUMENT" });
      else assert.equal(ask(), expected);
    });
});

it("a server goes with an operation of its life only", () => {
  requireLife("life");
  requireLife("");
  assert.throws(() => requireLife("volumes"), { reason: "INVALID_ARGUMENT" });
});

describe("a copy that somebody found", () => {
  for (const [mapping, wakes] of [
    [{ database: "cell1", fence: 4 }, true],
    [{ database: "cell1", fence: 0 }, true],
    [{ database: "cell1", fence: 9 }, false],
    [{ database: "cell2", fence: 4 }, false],
    [undefined, false],
  ] as const)
    it(`${wakes ? "wakes" : "sleeps on"} with the mapping ${JSON.stringify(mapping)}`, () =>
      assert.equal(mayWake({ target: "cell1", fence: 4, mapping }), wakes));
});

describe("a server's record in another database", () => {
  const record = InstanceRecord.fromPartial({
    server: aServer({
      id: "s",
      generation: 5n,
      name: "vm",
      hostInfo: ServerHostInfo.fromPartial({
        host: "h1",
        node: "n1",
        cell: "cell1",
        instanceName: "instance-00000007",
      }),
    }),
    number: 7n,
  });
  const copying: Copying = {
    change: undefined,
    known: NO_ROWS,
    operation: "operations/s/o",
    operationId: "o",
    userId: "u",
    now: 1n,
    newId: () => "new",
    numbers: [9n],
  };
  const hostOf = (copy: InstanceRecord) => serverOf(copy).hostInfo;

  it("has a place and a number there, and is the next generation", () => {
    const copy = newServersCopy(record, { database: "cell3", number: 26n }, copying);
    assert.equal(copy.number, 26n);
    assert.deepEqual([hostOf(copy)?.cell, hostOf(copy)?.instanceName], ["cell3", "instance-0000001a"]);
    assert.deepEqual([serverOf(copy).generation, serverOf(copy).currentOperation], [6n, "operations/s/o"]);
  });

  it("is on no host when it moves, but where the operation puts it, and knows what is kept", () => {
    const place = { database: "cell2", number: 26n };
    const nowhere = movedCopy(record, place, copying, "cell1");
    assert.deepEqual([hostOf(nowhere)?.host, hostOf(nowhere)?.node], [undefined, undefined]);
    assert.deepEqual(nowhere.kept, { database: "cell1", operation: "operations/s/o" });
    const change = InstanceChange.fromPartial({
      server: { hostInfo: ServerHostInfo.fromPartial({ host: "h2" }) },
      updateMask: ["host_info"],
    });
    const placed = movedCopy(record, place, { ...copying, change }, "cell1");
    assert.deepEqual(
      [hostOf(placed)?.host, hostOf(placed)?.cell, hostOf(placed)?.instanceName],
      ["h2", "cell2", "instance-0000001a"],
    );
  });

  it("has the rows that the change writes, decided where the server was", () => {
    const change = InstanceChange.fromPartial({
      server: { hostInfo: ServerHostInfo.fromPartial({ host: "h2" }) },
      updateMask: ["host_info"],
      blockDevices: [{ device: { id: "d", volumeId: "w" }, updateMask: ["volume_id"] }],
      migrations: [{ migration: { kind: MigrationKind.MIGRATION_KIND_RESIZE }, create: true }],
    });
    const known = { devices: [BlockDeviceRecord.fromPartial({ id: "d", volumeId: "v" })], migrations: [] };
    const place = { database: "cell2", number: 26n };
    const { server, records } = movedCopy(record, place, { ...copying, change, known }, "cell1");
    assert.deepEqual(
      records?.blockDevices.map(({ id, volumeId }) => [id, volumeId]),
      [["d", "w"]],
    );
    assert.deepEqual(
      records?.migrations.map(({ id, number, source }) => [id, number, source?.host, source?.cell]),
      [["o", 9n, "h1", "cell1"]],
    );
    assert.deepEqual(server?.volumes, [{ id: "w", deleteOnTermination: false }]);
    assert.equal(server?.hostInfo?.host, "h2");
  });

  it("keeps the rows of a build request that the change says nothing of", () => {
    const rows = ["a", "b"].map((id) => BlockDeviceRecord.fromPartial({ id, deviceName: id }));
    const built = { ...record, records: { blockDevices: rows, migrations: [] } };
    const change = InstanceChange.fromPartial({ blockDevices: [{ device: { id: "b" }, remove: true }] });
    const place = { database: "cell1", number: 1n };
    const copy = newServersCopy(built, place, { ...copying, change, known: knownIn(built) });
    assert.deepEqual(
      copy.records?.blockDevices.map(({ id, deletedAt }) => [id, deletedAt !== undefined]),
      [
        ["a", false],
        ["b", true],
      ],
    );
  });

  it("is not ended by the change", () => {
    const change = InstanceChange.fromPartial({ deleteRecord: true });
    const place = { database: "cell1", number: 1n };
    assert.throws(() => newServersCopy(record, place, { ...copying, change }), {
      reason: "INVALID_ARGUMENT",
    });
  });

  it("is where it was when it returns, and what it is now", () => {
    const away = movedCopy(record, { database: "cell2", number: 26n }, copying, "cell1");
    const renamed = { ...away, server: { ...serverOf(away), name: "renamed" } };
    const back = returnedCopy(renamed, record, { ...copying, operation: "operations/s/back" }, "cell1");
    assert.deepEqual(hostOf(back), hostOf(record));
    assert.deepEqual([back.number, back.kept], [7n, undefined]);
    assert.deepEqual([serverOf(back).name, serverOf(back).generation], ["renamed", 7n]);
  });

  it("keeps on its way what a newer build has added, beside what is made anew", () => {
    const name = "kilonova.cells.v1.InstanceRecord";
    const newer = saltedAs(name, InstanceRecord, { ...record, kept: undefined });
    const there = { database: "cell2", number: 26n };
    const moved = movedCopy(newer, there, copying, "cell1");
    const copies = {
      "a new server": [newServersCopy(newer, there, copying), []],
      // Where else a record is kept is news of this move; its rows travel by themselves.
      "a move": [moved, ["kept", "records"]],
      "a return": [returnedCopy(moved, record, copying, "cell1"), ["kept", "records"]],
    } as const;
    for (const [what, [copy, anew]] of Object.entries(copies)) {
      const left = saltIn(name, InstanceRecord.encode(copy).finish());
      const lost = [...saltable(name)].filter(
        (path) => !left.has(path) && !anew.some((one) => path === one || path.startsWith(`${one}.`)),
      );
      assert.deepEqual(lost, [], what);
    }
  });
});
