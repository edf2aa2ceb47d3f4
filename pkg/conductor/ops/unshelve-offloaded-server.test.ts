import assert from "node:assert/strict";
import { UnshelveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import {
  SelectDestinationsRequest,
  SelectDestinationsResponse,
} from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { aServer } from "../../cells/testing/records.js";
import { operationError } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { SERVER, aCall } from "../testing/a-call.js";
import { unusedDeps } from "../testing/unused-deps.js";
import unshelveOffloadedServer, { failed } from "./unshelve-offloaded-server.js";

const input = (asked: Partial<UnshelveInput>): UnshelveInput =>
  UnshelveInput.fromPartial({ offloaded: true, ...asked });
const spec = { availabilityZone: "west", flavor: { id: "1" } };
const stepOf = (name: string, ports: Partial<Ports>): Step<UnshelveInput> =>
  unshelveOffloadedServer({ ...unusedDeps, ports: ports as Ports }).steps.find((one) => one.name === name) ??
  assert.fail(name);

/** What a server in this state is afterwards. */
function after(reason: string, vmState: VmState) {
  const call = {
    ...aCall({ instance: { server: aServer({ id: SERVER, vmState }) } }),
    input: UnshelveInput.fromPartial({ offloaded: true }),
  };
  const { set } = failed(call, operationError({ reason, domain: "compute", message: "m" }), "");
  assert.deepEqual(
    [set?.fault?.reason, set?.taskState, set?.powerState],
    [reason, "", PowerState.POWER_STATE_SHUTDOWN],
  );
  return set?.vmState;
}

describe("an unshelve that did not end well", () => {
  const { VM_STATE_ERROR, VM_STATE_SHELVED_OFFLOADED } = VmState;

  it("leaves the server offloaded, also when an operator had to look after it", () => {
    for (const before of [VM_STATE_SHELVED_OFFLOADED, VM_STATE_ERROR])
      assert.equal(after("HYPERVISOR_FAILED", before), VM_STATE_SHELVED_OFFLOADED);
  });

  it("leaves it in ERROR without its image", () =>
    assert.equal(after("SHELVED_IMAGE_GONE", VM_STATE_SHELVED_OFFLOADED), VM_STATE_ERROR));
});

describe("an unshelve", () => {
  it("looks for a host in the server's own cell, in the zone and on the host that are asked for", async () => {
    const asked: SelectDestinationsRequest[] = [];
    const scheduler: Ports["scheduler"] = {
      selectDestinations: async (_ctx, request) => {
        asked.push(SelectDestinationsRequest.fromPartial(request));
        return SelectDestinationsResponse.fromPartial({});
      },
    };
    const search = stepOf("select-destinations", { scheduler });
    for (const one of [{}, { movesZone: true, availabilityZone: "east", host: "h9" }])
      await search.run({ ...aCall({ database: "cell7", instance: { spec } }), input: input(one) });
    assert.deepEqual(
      asked.map(({ onlyCells, spec: wanted, requestedDestination }) => [
        onlyCells,
        wanted?.availabilityZone,
        requestedDestination?.host,
      ]),
      [
        [["cell7"], "west", undefined],
        [["cell7"], "east", "h9"],
      ],
    );
  });

  it("leaves the server the zone that was asked for, once it is there", async () => {
    const end = stepOf("end-shelving", {});
    const zoneAfter = async (asked: Partial<UnshelveInput>) => {
      const result = await end.run({ ...aCall({ instance: { spec } }), input: input(asked) });
      const { set, more } = (result.kind === "done" ? result.change : undefined) ?? assert.fail();
      return [set?.pinnedAvailabilityZone, more?.spec?.availabilityZone, more?.specMask];
    };
    assert.deepEqual(await zoneAfter({ movesZone: true, availabilityZone: "east" }), [
      "east",
      "east",
      ["availability_zone"],
    ]);
    assert.deepEqual(await zoneAfter({}), [undefined, undefined, undefined]);
  });
});
