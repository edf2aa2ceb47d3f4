import assert from "node:assert/strict";
import { MigrationEnd } from "../../../gen/kilonova/cells/v1/server_records.js";
import { TO, aMove, doneOf, statusesOf } from "../testing/a-move.js";
import { clearHost } from "./clear-host.js";

const EARLIER = "e0000000-0000-4000-8000-000000000001";
const there = MigrationEnd.fromPartial({ cell: "cell1", host: TO });
const elsewhere = MigrationEnd.fromPartial({ cell: "cell1", host: "h3" });

describe("clear-host", () => {
  it("has the new host remove what it may have of the server, whatever records say", async () => {
    for (const init of [{}, { id: EARLIER, status: "error", source: there, target: elsewhere }]) {
      const { ports, moving, sent } = await aMove(init);
      const { host } = doneOf(await clearHost(ports).run(moving()));
      assert.deepEqual([host, sent.map((one) => [one.host, one.command])], [TO, [[TO, "destroy-guest"]]]);
    }
  });

  it("frees what earlier moves keep of that host: one that rests has nothing to go back to", async () => {
    for (const [status, statuses] of [
      ["error", []],
      ["finished", ["confirmed"]],
    ] as const) {
      const { ports, moving, asked, migration } = await aMove({ id: EARLIER, status, source: there });
      const { change } = doneOf(await clearHost(ports).run(moving()));
      const request = { consumerId: EARLIER, operation: migration.operation, fence: 1n };
      assert.deepEqual(asked, [{ method: "releaseAllocations", request }]);
      assert.deepEqual(statusesOf(change), statuses);
    }
  });

  it("leaves to moves what they keep of other hosts, and to this one what it keeps", async () => {
    for (const init of [{ id: EARLIER, status: "error", source: elsewhere }, { source: there }]) {
      const { ports, moving, asked } = await aMove(init);
      assert.equal(doneOf(await clearHost(ports).run(moving())).change, undefined);
      assert.deepEqual(asked, []);
    }
  });

  it("never asks the server's own host", async () => {
    const { ports, moving, server, sent } = await aMove();
    const back = { ...server, hostInfo: { ...server.hostInfo, host: TO } };
    doneOf(await clearHost(ports).run(moving({}, { instance: { server: back } })));
    assert.deepEqual(sent, []);
  });

  it("has another host tried when this one cannot", async () => {
    const { ports, moving, failing } = await aMove();
    failing.add("destroy-guest");
    const result = await clearHost(ports).run(moving());
    assert.deepEqual(
      [result.kind, result.kind === "fail" && result.backTo, result.kind === "fail" && result.host],
      ["fail", "claim-host", TO],
    );
  });
});
