import assert from "node:assert/strict";
import { Aggregate } from "../../../../gen/kilonova/api/v1/aggregates_service.js";
import { UpdateStoredAggregateRequest } from "../../../../gen/kilonova/cells/v1/aggregates_service.js";
import { changedAggregate, zoneConflict } from "./aggregate-change.js";

const NOW = 1_767_225_600_000_000n;
const before = Aggregate.fromPartial({
  id: "a",
  number: 1n,
  name: "ssd",
  availabilityZone: "west",
  hosts: ["h1"],
  metadata: new Map([
    ["availability_zone", "west"],
    ["ssd", "true"],
  ]),
});
const change = (init: Parameters<typeof UpdateStoredAggregateRequest.fromPartial>[0]) =>
  changedAggregate(before, UpdateStoredAggregateRequest.fromPartial(init), NOW);

describe("changedAggregate", () => {
  it("keeps zone and metadata one thing", () => {
    assert.equal(change({ setMetadata: new Map([["availability_zone", "east"]]) }).availabilityZone, "east");
    assert.equal(change({ removeMetadata: ["availability_zone"] }).availabilityZone, undefined);
  });
  it("counts as updated by a new name or zone only", () => {
    assert.notEqual(change({ name: "nvme" }).updatedAt, undefined);
    assert.equal(change({ setMetadata: new Map([["ssd", "false"]]) }).updatedAt, undefined);
    assert.equal(change({ addHost: "h2" }).updatedAt, undefined);
  });
  it("leaves the record alone when nothing is different", () =>
    assert.equal(
      change({ name: "ssd", setMetadata: new Map([["ssd", "true"]]), removeMetadata: ["nothing"] }),
      before,
    ));
  it("takes hosts in and out, sorted, each once", () => {
    assert.deepEqual(change({ addHost: "h0" }).hosts, ["h0", "h1"]);
    assert.deepEqual(change({ removeHost: "h1" }).hosts, []);
    assert.throws(() => change({ addHost: "h1" }), { reason: "HOST_IN_AGGREGATE", kind: "exists" });
    assert.throws(() => change({ removeHost: "h9" }), { reason: "HOST_NOT_IN_AGGREGATE", kind: "missing" });
  });
});

describe("zoneConflict", () => {
  const other = (init: Parameters<typeof Aggregate.fromPartial>[0]) => [Aggregate.fromPartial(init)];
  it("finds a host that is in another zone elsewhere", () =>
    assert.deepEqual(zoneConflict(before, other({ hosts: ["h1"], availabilityZone: "east" })), {
      host: "h1",
      zone: "east",
    }));
  it("allows the same zone, no zone, and other hosts", () => {
    for (const one of [
      { hosts: ["h1"], availabilityZone: "west" },
      { hosts: ["h1"] },
      { hosts: ["h2"], availabilityZone: "east" },
    ])
      assert.equal(zoneConflict(before, other(one)), undefined);
    assert.equal(
      zoneConflict(
        { ...before, availabilityZone: undefined },
        other({ hosts: ["h1"], availabilityZone: "east" }),
      ),
      undefined,
    );
  });
});
