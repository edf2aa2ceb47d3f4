import assert from "node:assert/strict";
import type { ListInstancesRequest } from "../../../gen/kilonova/cells/v1/instances_service.js";
import { ServerSpec } from "../../../gen/kilonova/type/v1/server_spec.js";
import { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { ServerHostInfo, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { aServer } from "../../cells/testing/records.js";
import type { Ports } from "../ports.js";
import { aCall, finished, SERVER } from "../testing/a-call.js";
import { selectedHosts } from "./destinations.js";
import { claimHost } from "./claim-host.js";
import { handedOver, handOverToCell } from "./hand-over.js";

const BUILDING = { vmState: VmState.VM_STATE_BUILDING };
const other = (init: Partial<Server> = {}): Server =>
  aServer({ id: "5e000000-0000-4000-8000-000000000009", ...BUILDING, ...init });
const placed = { hostInfo: ServerHostInfo.fromPartial({ launchedOn: "b" }) };
const chosen = {
  cell: "cell1",
  host: "a",
  node: "a",
  computeNodeId: "a",
  zone: "nova",
  resources: [{ providerId: "a", resources: { VCPU: "1" } }],
};
const two = { spec: ServerSpec.fromPartial({ batchSize: 2 }) };

/** What the databases hold of the request's servers, at each look anew. */
function handingOver(global: (look: number) => readonly Server[], cell0: readonly Server[] = []) {
  let looks = 0;
  const asked: Partial<ListInstancesRequest>[] = [];
  const ports: Pick<Ports, "instances" | "clock"> = {
    instances: {
      listInstances: async (_ctx, request) => {
        asked.push(request as Partial<ListInstancesRequest>);
        const servers = request.database === "cell0" ? cell0 : [aServer({ id: SERVER }), ...global(looks++)];
        const rows = servers.map((server) => ({
          serverId: server.id,
          generation: 1n,
          sortValues: [server.id],
          server: Buffer.from(Server.encode(server).finish()),
        }));
        return { rows, more: false };
      },
    },
    clock: { now: () => 0n, sleep: async () => undefined },
  };
  const run = (init: Parameters<typeof aCall>[0] = {}) =>
    handOverToCell(ports).run(
      aCall({ instance: two, steps: [finished(selectedHosts, { hosts: [chosen] })], ...init }),
    );
  return { run, asked };
}

describe("servers of one request", () => {
  it("go to their cells when all have hosts", async () => {
    const { run, asked } = handingOver(() => [other(placed)]);
    const result = await run();
    assert.ok(result.kind === "hand-over");
    assert.deepEqual([result.database, result.output], ["cell1", {}]);
    assert.deepEqual(
      result.alsoDone,
      { step: "claim-host", output: { index: 0, host: chosen } },
      "the scheduler's claim is held: no commit says so again",
    );
    assert.deepEqual(
      asked.map(({ database }) => database),
      ["global", "cell0"],
      "in this order: who leaves the one is in the other",
    );
    assert.deepEqual([asked[0]?.filter?.reservationId, asked[0]?.projectId], ["r-1", "project"]);
  });

  it("wait for each other, for a moment here and then as long as it takes", async () => {
    const soon = handingOver((look) => [other(look < 3 ? {} : placed)]);
    assert.equal((await soon.run()).kind, "hand-over");
    const later = handingOver(() => [other()]);
    assert.equal((await later.run()).kind, "park");
  });

  it("all go nowhere when one of them is there, deleted or not", async () => {
    for (const deletedAt of [undefined, { seconds: 1n, nanos: 0 }]) {
      const { run } = handingOver(() => [other()], [other({ deletedAt })]);
      const result = await run();
      assert.ok(result.kind === "hand-over");
      assert.equal(result.database, "cell0");
      const { refusal } = result.output as { refusal: { message: string } };
      assert.equal(
        refusal.message,
        "No valid host was found. There are not enough hosts available. " +
          "The request was for 2 servers, and not all of them found one.",
      );
      const failure = await claimHost({} as Pick<Ports, "placement" | "groups">).run(
        aCall({
          steps: [
            finished(selectedHosts, { hosts: [chosen] }),
            finished(handedOver, { refusal: { ...refusal, details: "", facts: {} } }),
          ],
        }),
      );
      assert.ok(failure.kind === "fail");
      assert.deepEqual([failure.error.reason, failure.error.message], ["NO_VALID_HOST", refusal.message]);
    }
  });

  it("do not wait for those that were deleted, or failed for another reason", async () => {
    for (const vmState of [VmState.VM_STATE_DELETED, VmState.VM_STATE_ERROR])
      assert.equal((await handingOver(() => [other({ vmState })]).run()).kind, "hand-over");
  });

  it("are not looked for when a server is the only one, or found no host itself", async () => {
    for (const init of [
      { instance: { spec: ServerSpec.fromPartial({ batchSize: 1 }) } },
      { instance: { spec: ServerSpec.fromPartial({}) } },
      { steps: [finished(selectedHosts, { hosts: [] })] },
    ]) {
      const { run, asked } = handingOver(() => [other()]);
      assert.equal((await run(init)).kind, "hand-over");
      assert.deepEqual(asked, []);
    }
  });
});
