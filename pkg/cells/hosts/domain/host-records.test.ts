import assert from "node:assert/strict";
import {
  ComputeNode,
  HostService,
  UpdateHostServiceRequest,
} from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import { announcedService, changedService, registeredNode, registeredService } from "./host-records.js";

const [FIRST, LATER] = [1_767_225_600_000_000n, 1_767_225_700_000_000n];
const said = (init: Parameters<typeof HostService.fromPartial>[0] = {}): HostService =>
  HostService.fromPartial({ binary: "nova-compute", host: "h1", availabilityZone: "nova", ...init });
const minted = { id: "s1", number: 4, now: FIRST };
const registered = registeredService(undefined, said(), { ...minted, epoch: 0n }).row;
const again = (epoch: bigint, init: Parameters<typeof HostService.fromPartial>[0] = {}) =>
  registeredService(registered, said(init), { ...minted, now: LATER, epoch });

describe("a host's service", () => {
  it("begins with the first epoch and generation", () =>
    assert.deepEqual([registered.epoch, registered.generation, registered.updated_at], [1, 1, FIRST]));

  it("stays as it is while its process says the same", () =>
    assert.deepEqual(again(1n), { row: registered, same: true }));

  it("moves its generation with its address, and its epoch with its process", () => {
    const { row: moved } = again(1n, { address: "a:2" });
    assert.deepEqual([moved.epoch, moved.generation, moved.updated_at], [1, 2, LATER]);
    const { row: fresh } = again(0n);
    assert.deepEqual([fresh.epoch, fresh.generation], [2, 2]);
    assert.throws(() => again(9n), { reason: "STALE_EPOCH", kind: "refused" });
  });

  it("is disabled by itself at first, then by operators only", () => {
    const init = { disabled: true, disabledReason: "new here" };
    const { row } = registeredService(undefined, said(init), { ...minted, epoch: 0n });
    assert.deepEqual([row.disabled, row.disabled_reason], [true, "new here"]);
    assert.equal(again(1n, init).row.disabled, false);
    const service = announcedService(undefined, said(init), minted);
    assert.deepEqual([service.disabled, service.epoch], [false, 1]);
  });

  it("keeps the reason while it is disabled", () => {
    const change = (before: typeof registered, wish: object) =>
      changedService(before, UpdateHostServiceRequest.fromPartial(wish), LATER);
    const off = change(registered, { disabled: true, disabledReason: "broken" });
    assert.deepEqual([off.disabled, off.disabled_reason, off.generation], [true, "broken", 2]);
    assert.equal(change(off, { forcedDown: true }).disabled_reason, "broken");
    assert.equal(change(off, { disabled: false, disabledReason: "x" }).disabled_reason, "");
  });
});

describe("a host's hypervisor", () => {
  const node = ComputeNode.fromPartial({ hypervisorHostname: "h1.example", vcpus: 8, uptime: "up" });

  it("has one id whenever it registers, whatever it says of it, and no telemetry", () => {
    const first = registeredNode(undefined, { ...node, id: "another host's" }, "h1", 3);
    assert.match(first.node.id, /^[0-9a-f]{8}-/);
    assert.equal(registeredNode(undefined, node, "h1", 9).node.id, first.node.id);
    assert.deepEqual([first.node.uptime, first.node.number, first.changed], ["", 3n, true]);
  });

  it("is another record only when something of it has changed", () => {
    const { row } = registeredNode(undefined, node, "h1", 3);
    assert.equal(registeredNode(row, { ...node, uptime: "longer" }, "h1", 3).changed, false);
    const changed = registeredNode(row, { ...node, vcpus: 9 }, "h1", 3);
    assert.deepEqual([changed.changed, changed.row.generation], [true, 2]);
  });
});
