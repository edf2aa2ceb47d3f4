import assert from "node:assert/strict";
import { MigrationEnd } from "../../../gen/kilonova/cells/v1/server_records.js";
import { TO, aMove, doneOf } from "../testing/a-move.js";
import { clearHost } from "./clear-host.js";

const EARLIER = "e0000000-0000-4000-8000-000000000001";
const elsewhere = MigrationEnd.fromPartial({ cell: "cell1", host: "h3" });

describe("clear-host", () => {
  it("has the new host remove what an earlier move, to it or from it, may have left there", async () => {
    const there = MigrationEnd.fromPartial({ cell: "cell1", host: TO });
    for (const ends of [{}, { source: there, target: elsewhere }]) {
      const { ports, moving, sent } = await aMove({ id: EARLIER, status: "error", ...ends });
      const { host } = doneOf(await clearHost(ports).run(moving()));
      assert.deepEqual([host, sent.map((one) => [one.host, one.command])], [TO, [[TO, "destroy-guest"]]]);
    }
  });

  it("asks nothing of a host where no other move has been", async () => {
    for (const init of [{}, { id: EARLIER, status: "error", target: elsewhere }]) {
      const { ports, moving, sent } = await aMove(init);
      doneOf(await clearHost(ports).run(moving()));
      assert.deepEqual(sent, []);
    }
  });

  it("has another host tried when this one cannot", async () => {
    const { ports, moving, failing } = await aMove({ id: EARLIER, status: "error" });
    failing.add("destroy-guest");
    const result = await clearHost(ports).run(moving());
    assert.deepEqual(
      [result.kind, result.kind === "fail" && result.backTo, result.kind === "fail" && result.host],
      ["fail", "claim-host", TO],
    );
  });
});
