import assert from "node:assert/strict";
import { InstanceChange, InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { HandoverProtocol } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { ServerHostInfo } from "../../../../gen/kilonova/type/v1/server.js";
import { serverOf } from "../../servers/domain/records.js";
import { saltIn, saltable, saltedAs } from "../../../testkit/unknown-fields.js";
import { aServer } from "../../testing/records.js";
import { mayWake, movedCopy, newServersCopy, protocolOf, returnedCopy } from "./hand-over.js";

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
  const copying = { change: undefined, operation: "operations/s/o", now: 1n };
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
      // Where else a record is kept is news of this move.
      "a move": [moved, ["kept"]],
      "a return": [returnedCopy(moved, record, copying, "cell1"), ["kept"]],
    } as const;
    for (const [what, [copy, anew]] of Object.entries(copies)) {
      const left = saltIn(name, InstanceRecord.encode(copy).finish());
      const lost = [...saltable(name)].filter((path) => !left.has(path) && !anew.some((one) => one === path));
      assert.deepEqual(lost, [], what);
    }
  });
});
