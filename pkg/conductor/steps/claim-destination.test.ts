import assert from "node:assert/strict";
import { Destination, RequestPurpose } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type { Ports } from "../ports.js";
import { OPERATION, SERVER, finished } from "../testing/a-call.js";
import { FROM, aMove, claimedTo, doneOf, newFlavor, statusesOf, tellingGroups } from "../testing/a-move.js";
import { claimDestination } from "./claim-destination.js";
import { claimedHost, selectedHosts } from "./destinations.js";
import { searchDestination } from "./search-destination.js";

const hostOf = (host: string) => ({
  cell: "cell1",
  host,
  node: host,
  computeNodeId: host,
  zone: "west",
  address: `${host}.example`,
  resources: [{ providerId: host, resources: { VCPU: "2" } }],
});
const purpose = RequestPurpose.REQUEST_PURPOSE_RESIZE;

describe("select-destinations of a move", () => {
  it("asks for another host of the cell, by the flavor that it is to have, and names who keeps the old one", async () => {
    const { ports, moving } = await aMove();
    const requests: Record<string, unknown>[] = [];
    const scheduler = {
      selectDestinations: async (_ctx: unknown, request: Record<string, unknown>) => {
        requests.push(request);
        return { chosen: undefined, alternates: [] };
      },
    } as unknown as Ports["scheduler"];
    const step = searchDestination({ ...ports, scheduler }, { alternates: 2, purpose });
    doneOf(await step.run(moving({ flavor: newFlavor as never, host: "h2", excludeHosts: [FROM] })));
    const [asked] = requests;
    assert.deepEqual(
      [asked?.["purpose"], asked?.["migrationId"], asked?.["source"], asked?.["onlyCells"]],
      [purpose, OPERATION, { cell: "cell1", host: FROM, computeNodeId: "c1", allowed: false }, ["cell1"]],
    );
    assert.deepEqual(
      [asked?.["excludeHosts"], asked?.["requestedDestination"]],
      [[FROM], { host: "h2", node: "", forced: false }],
    );
    const spec = asked?.["spec"] as { readonly flavor: { readonly id: string } } | undefined;
    assert.equal(spec?.flavor.id, "2");
  });

  it("keeps where a host is reached, without the port of its agent", async () => {
    const { ports, moving } = await aMove();
    const chosen = Destination.fromPartial({ host: "a", agentAddress: "[fd00::1]:8780" });
    const scheduler = {
      selectDestinations: async () => ({ chosen, alternates: [Destination.fromPartial({ host: "b" })] }),
    } as unknown as Ports["scheduler"];
    const step = searchDestination({ ...ports, scheduler }, { alternates: 2, purpose });
    const { output } = doneOf(await step.run(moving()));
    assert.deepEqual(
      (output as { hosts: { address: string }[] }).hosts.map(({ address }) => address),
      ["fd00::1", ""],
    );
  });

  it("is undone by what reverts all that was claimed, again and again", async () => {
    const { ports, moving, asked } = await aMove();
    const step = searchDestination(ports, { alternates: 2, purpose });
    for (let n = 0; n < 2; n++) assert.equal(await step.undo?.(moving()), undefined);
    const { operation } = moving();
    const reverted = {
      method: "revertAllocations",
      request: { consumerId: SERVER, takenByConsumerId: OPERATION, operation: operation.name, fence: 1n },
    };
    assert.deepEqual(asked, [reverted, reverted]);
  });

  it("tells the group where the server still is, which is no wish", async () => {
    const { ports, moving } = await aMove();
    const { groups, told } = tellingGroups();
    const step = searchDestination({ ...ports, groups }, { alternates: 2, purpose });
    await step.undo?.(moving({}, { instance: { spec: { serverGroupId: "g" } } }));
    const member = { serverGroupId: "g", serverId: SERVER, cell: "cell1", host: FROM, returns: true };
    assert.deepEqual(told, [member]);
  });
});

describe("claim-host of a move", () => {
  const selected = finished(selectedHosts, { hosts: [hostOf("a"), hostOf("b")] });

  it("takes the scheduler's claim, and tells both ends", async () => {
    const { ports, moving, asked } = await aMove();
    const { change } = doneOf(await claimDestination(ports).run(moving({}, { steps: [selected] })));
    assert.deepEqual([asked, statusesOf(change)], [[], ["migrating"]]);
    const [one] = change?.more?.migrations ?? [];
    const { source, target } = one?.migration ?? assert.fail("no migration");
    assert.deepEqual(
      [source?.host, source?.node, source?.computeNodeId, source?.availabilityZone],
      [FROM, "n1", "c1", "east"],
    );
    assert.deepEqual([target?.host, target?.availabilityZone, target?.address], ["a", "west", "a.example"]);
    assert.deepEqual(one?.updateMask, ["status", "source", "target"]);
  });

  it("claims the next alternate in one call with what the migration takes over", async () => {
    const { ports, moving, asked } = await aMove();
    const steps = [selected, finished(claimedHost, { index: 0, host: hostOf("a") }, "undone")];
    const result = doneOf(await claimDestination(ports).run(moving({}, { steps, round: 1 })));
    assert.equal((result.output as { index: number }).index, 1);
    const { operation } = moving();
    assert.deepEqual(asked, [
      {
        method: "claimAllocations",
        request: {
          operation: operation.name,
          fence: 1n,
          attempt: 1,
          claim: {
            consumerId: SERVER,
            projectId: "project",
            userId: "user",
            consumerType: "INSTANCE",
            allocations: [{ providerId: "b", resources: new Map([["VCPU", 2n]]) }],
            consumerGeneration: 7n,
          },
          takeOvers: [{ consumerId: OPERATION, consumerType: "MIGRATION", fromConsumerId: SERVER }],
        },
      },
    ]);
  });

  it("is undone one round at a time", async () => {
    const { ports, moving, asked } = await aMove();
    await claimDestination(ports).undo?.(moving({}, { steps: [claimedTo], round: 2 }));
    assert.deepEqual(
      asked.map(({ method, request }) => [method, "attempt" in request && request.attempt]),
      [["revertAllocations", 2]],
    );
  });
});
