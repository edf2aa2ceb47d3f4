import assert from "node:assert/strict";
import { ServerSpec } from "../../../gen/kilonova/type/v1/server_spec.js";
import type { Ports } from "../ports.js";
import { SERVER, aCall } from "../testing/a-call.js";
import { claimHost } from "./claim-host.js";
import { selectDestinations } from "./select-destinations.js";

/** Ports that remember what was released, and where a group's member was said to be. */
function remembering() {
  const done: object[] = [];
  const never = (): never => assert.fail("an undo only takes back");
  const ports: Pick<Ports, "placement" | "groups" | "scheduler"> = {
    scheduler: { selectDestinations: never },
    placement: {
      claimAllocations: never,
      releaseAllocations: async (_ctx, request) => {
        done.push(request);
        return { released: true };
      },
    },
    groups: {
      getStoredServerGroup: never,
      placeGroupMember: async (_ctx, { serverId, host, cell }) => {
        done.push({ serverId, host, cell });
        return {};
      },
    },
  };
  return { ports, done };
}

describe("undoing a claim", () => {
  it("of a host gives back what this round claimed, and nothing of the next, or of another operation", async () => {
    const { ports, done } = remembering();
    const call = aCall({ round: 2 });
    assert.equal(await claimHost(ports).undo?.(call), undefined);
    assert.deepEqual(done, [
      {
        consumerId: SERVER,
        operation: call.operation.name,
        fence: call.fence,
        ownClaimsOnly: true,
        attempt: 2,
      },
    ]);
  });
  it("of the scheduler leaves the group and gives back whatever the operation claimed", async () => {
    const { ports, done } = remembering();
    const call = aCall({ instance: { spec: ServerSpec.fromPartial({ serverGroupId: "g" }) } });
    assert.equal(await selectDestinations(ports, 1).undo?.(call), undefined);
    assert.deepEqual(done, [
      { serverId: SERVER, host: "", cell: "" },
      { consumerId: SERVER, operation: call.operation.name, fence: call.fence, ownClaimsOnly: true },
    ]);
  });
});
