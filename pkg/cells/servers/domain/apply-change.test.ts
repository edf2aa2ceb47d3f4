import assert from "node:assert/strict";
import { InstanceChange, InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { MetadataChange, TagsChange } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { USER_PATHS } from "../../../model/user-change.js";
import { aServer } from "../../testing/records.js";
import { checkAcceptable } from "../../operations/domain/acceptance.js";
import { applyChange, applyUserChange } from "./apply-change.js";
import { instanceColumns } from "./instance-columns.js";

const id = "6f70656e-7374-4163-8b00-000000000001";
const record = (server: Server = aServer({ id })) => InstanceRecord.fromPartial({ server });
const change = (init: Parameters<typeof InstanceChange.fromPartial>[0]) => InstanceChange.fromPartial(init);
const NOW = 1_767_225_600_000_000n;

describe("applyChange", () => {
  it("changes what the mask names and nothing else, under a new generation", () => {
    const { server } = applyChange(
      record(),
      change({
        server: { taskState: "deleting", vmState: VmState.VM_STATE_STOPPED },
        updateMask: ["task_state"],
      }),
      "op",
      NOW,
    );
    assert.deepEqual(
      [server?.taskState, server?.vmState, server?.generation, server?.currentOperation],
      ["deleting", VmState.VM_STATE_ACTIVE, 2n, "op"],
    );
  });
  it("refuses a lasting state that cannot follow", () =>
    assert.throws(
      () =>
        applyChange(
          record(aServer({ id, vmState: VmState.VM_STATE_DELETED })),
          change({ server: { vmState: VmState.VM_STATE_ACTIVE }, updateMask: ["vm_state"] }),
          "",
          NOW,
        ),
      { reason: "ILLEGAL_TRANSITION" },
    ));
  it("refuses a field that operations do not own", () =>
    assert.throws(
      () =>
        applyChange(record(), change({ server: { projectId: "x" }, updateMask: ["project_id"] }), "", NOW),
      { reason: "INVALID_ARGUMENT" },
    ));
  it("fills addresses from the ports", () => {
    const { server } = applyChange(
      record(),
      change({
        replacePorts: true,
        ports: [{ portId: "p", networkLabel: "net", addresses: [{ ipAddress: "10.0.0.2", version: 4 }] }],
      }),
      "",
      NOW,
    );
    assert.deepEqual(
      server?.addresses.map(({ networkLabel, address, type }) => [networkLabel, address, type]),
      [["net", "10.0.0.2", "fixed"]],
    );
  });
  it("shows floating IPs after the address to which they lead, and finds servers by fixed ones", () => {
    const after = applyChange(
      record(),
      change({
        replacePorts: true,
        ports: [
          {
            portId: "p",
            networkLabel: "net",
            addresses: [
              { ipAddress: "10.0.0.2", version: 4, subnetId: "s", floatingIps: ["192.0.2.8", "192.0.2.9"] },
              { ipAddress: "10.0.0.3", version: 4, subnetId: "s" },
            ],
          },
        ],
      }),
      "",
      NOW,
    );
    assert.deepEqual(
      after.server?.addresses.map(({ address, type, version, portId }) => [address, type, version, portId]),
      [
        ["10.0.0.2", "fixed", 4, "p"],
        ["192.0.2.8", "floating", 4, "p"],
        ["192.0.2.9", "floating", 4, "p"],
        ["10.0.0.3", "fixed", 4, "p"],
      ],
    );
    assert.deepEqual(instanceColumns(after)["ipv4"], ["10.0.0.2", "10.0.0.3"]);
  });

  it("puts ports in and takes them out, whatever has become of the others, and addresses follow", () => {
    const port = (portId: string, ipAddress: string, more = {}) => ({
      portId,
      networkLabel: "net",
      addresses: [{ ipAddress, version: 4 }],
      ...more,
    });
    const before = InstanceRecord.fromPartial({
      server: aServer({ id }),
      ports: [port("a", "10.0.0.1"), port("b", "10.0.0.2", { tag: "nic" }), port("c", "10.0.0.3")],
    });
    const after = applyChange(
      before,
      change({ putPorts: [port("b", "10.0.0.9"), port("d", "10.0.0.4")], removePorts: ["a", "x"] }),
      "",
      NOW,
    );
    assert.deepEqual(
      after.ports.map(({ portId }) => portId),
      ["b", "c", "d"],
    );
    assert.deepEqual(
      after.server?.addresses.map(({ portId, address }) => `${portId} ${address}`),
      ["b 10.0.0.9", "c 10.0.0.3", "d 10.0.0.4"],
    );
  });
  it("changes what the spec's mask names and nothing else, and keeps what a newer build has noted", () => {
    const before = InstanceRecord.fromPartial({
      server: aServer({ id }),
      spec: {
        name: "vm",
        keyName: "old",
        flavor: { id: "1" },
        _unknownFields: { 80_000: [Buffer.from([1])] },
      },
    });
    const { spec } = applyChange(
      before,
      change({
        spec: { keyName: "new", name: "other", flavor: { id: "2" } },
        specMask: ["key_name", "flavor"],
      }),
      "",
      NOW,
    );
    assert.deepEqual([spec?.name, spec?.keyName, spec?.flavor?.id], ["vm", "new", "2"]);
    assert.ok(spec?._unknownFields);
    assert.throws(() => applyChange(before, change({ spec: {}, specMask: ["nothing"] }), "", NOW), {
      reason: "INVALID_ARGUMENT",
    });
  });
  it("replaces what the host gives only when told to", () => {
    const before = InstanceRecord.fromPartial({
      server: aServer({ id }),
      hostResources: { limits: { vcpus: 4n } },
    });
    const vcpus = (init: Parameters<typeof change>[0]) =>
      applyChange(before, change(init), "", NOW).hostResources?.limits?.vcpus;
    assert.equal(vcpus({ hostResources: { limits: { vcpus: 8n } } }), 4n);
    assert.equal(vcpus({ hostResources: { limits: { vcpus: 8n } }, replaceHostResources: true }), 8n);
    assert.equal(vcpus({ replaceHostResources: true }), undefined);
  });
  it("shows the volumes that its block devices are", () => {
    const volumes = [{ id: "v", deleteOnTermination: true }];
    assert.deepEqual(applyChange(record(), change({}), "", NOW, volumes).server?.volumes, volumes);
    assert.throws(
      () => applyChange(record(), change({ server: { volumes }, updateMask: ["volumes"] }), "", NOW),
      {
        reason: "INVALID_ARGUMENT",
      },
    );
  });
  it("marks a record deleted with the time", () => {
    const { server } = applyChange(record(), change({ deleteRecord: true }), "", NOW);
    assert.deepEqual(
      [server?.vmState, server?.taskState, server?.deletedAt?.seconds],
      [VmState.VM_STATE_DELETED, "", 1_767_225_600n],
    );
  });
});

describe("applyUserChange", () => {
  it("tells an empty description from none", () => {
    const given = applyUserChange(
      record(),
      { server: Server.fromPartial({ description: "", hasDescription: true }), updateMask: ["description"] },
      NOW,
    );
    assert.equal(given.server?.hasDescription, true);
  });
  it("knows every path that users may change", () => {
    for (const path of USER_PATHS)
      assert.ok(applyUserChange(record(), { server: aServer({ id }), updateMask: [path] }, NOW), path);
  });
  it("moves the zone that the scheduler reads with the pin", () => {
    const before = InstanceRecord.fromPartial({
      server: aServer({ id, pinnedAvailabilityZone: "west" }),
      spec: { availabilityZone: "west", name: "vm" },
    });
    const change = (updateMask: string[]) =>
      applyUserChange(before, { server: Server.fromPartial({}), updateMask }, NOW).spec;
    assert.deepEqual(
      [change(["pinned_availability_zone"])?.availabilityZone, change(["hostname"])?.availabilityZone],
      ["", "west"],
    );
    assert.equal(change(["pinned_availability_zone"])?.name, "vm");
  });
  it("refuses what only operations may change", () =>
    assert.throws(
      () => applyUserChange(record(), { server: Server.fromPartial({}), updateMask: ["vm_state"] }, NOW),
      { reason: "INVALID_ARGUMENT" },
    ));
});

describe("applyUserChange of metadata and tags", () => {
  const before = record(
    aServer({
      id,
      metadata: new Map([
        ["a", "1"],
        ["b", "2"],
      ]),
      tags: ["x", "y"],
    }),
  );
  const metadata = (init: Parameters<typeof MetadataChange.fromPartial>[0]) =>
    applyUserChange(
      before,
      { server: undefined, updateMask: [], metadata: MetadataChange.fromPartial({ maxItems: 3n, ...init }) },
      NOW,
    );
  const tags = (init: Parameters<typeof TagsChange.fromPartial>[0]) =>
    applyUserChange(
      before,
      { server: undefined, updateMask: [], tags: TagsChange.fromPartial({ maxTags: 3, ...init }) },
      NOW,
    );

  it("merges, replaces and removes items", () => {
    assert.deepEqual(
      [
        ...(metadata({
          set: new Map([
            ["b", "3"],
            ["c", "4"],
          ]),
        }).server?.metadata ?? []),
      ],
      [
        ["a", "1"],
        ["b", "3"],
        ["c", "4"],
      ],
    );
    assert.deepEqual(
      [...(metadata({ set: new Map([["c", "4"]]), replaceAll: true }).server?.metadata ?? [])],
      [["c", "4"]],
    );
    assert.deepEqual([...(metadata({ remove: ["a"] }).server?.metadata ?? [])], [["b", "2"]]);
  });
  it("adds, replaces and removes tags, sorted", () => {
    assert.deepEqual(tags({ add: ["a", "x"] }).server?.tags, ["a", "x", "y"]);
    assert.deepEqual(tags({ add: ["z", "z", "x"], replaceAll: true }).server?.tags, ["x", "z"]);
    assert.deepEqual(tags({ remove: ["x"] }).server?.tags, ["y"]);
  });
  it("leaves the record alone when nothing is different", () => {
    for (const after of [
      metadata({ set: new Map([["a", "1"]]) }),
      tags({ add: ["x"] }),
      tags({ add: ["y", "x"], replaceAll: true }),
    ])
      assert.equal(after, before);
  });
  it("refuses more than the limit, but not what makes too many fewer", () => {
    assert.throws(
      () =>
        metadata({
          set: new Map([
            ["c", ""],
            ["d", ""],
          ]),
        }),
      { reason: "TOO_MANY_METADATA_ITEMS", kind: "quota" },
    );
    assert.throws(() => tags({ add: ["a", "b"] }), { reason: "TOO_MANY_TAGS", kind: "invalid" });
    assert.equal(metadata({ remove: ["a"], maxItems: 0n }).server?.metadata.size, 1);
    assert.equal(
      metadata({
        set: new Map([
          ["c", ""],
          ["d", ""],
        ]),
        maxItems: -1n,
      }).server?.metadata.size,
      4,
    );
  });
  it("refuses to remove what is not there", () => {
    assert.throws(() => metadata({ remove: ["z"] }), { reason: "METADATA_ITEM_NOT_FOUND", kind: "missing" });
    assert.throws(() => tags({ remove: ["z"] }), { reason: "TAG_NOT_FOUND", kind: "missing" });
  });
});

describe("checkAcceptable", () => {
  const form = {
    vmStates: [VmState.VM_STATE_ACTIVE],
    taskStates: [""],
    needsLaunch: true,
    lock: "refuses",
  } as const;
  const conditions = { form, action: "stop", bypassLock: false };
  const cases: [string, Partial<Server>, object][] = [
    [
      "a lock before everything else",
      { lock: { lockedBy: "owner", reason: "" }, vmState: VmState.VM_STATE_STOPPED },
      { reason: "INSTANCE_LOCKED" },
    ],
    [
      "a wrong vm_state by its word",
      { vmState: VmState.VM_STATE_SHELVED_OFFLOADED },
      { facts: { server: id, method: "stop", attr: "vm_state", state: "shelved_offloaded" } },
    ],
    [
      "a running task",
      { taskState: "rebooting" },
      { facts: { server: id, method: "stop", attr: "task_state", state: "rebooting" } },
    ],
    [
      "a server that never ran",
      { launchedAt: undefined },
      { message: `Instance ${id} is in an invalid state for 'stop'` },
    ],
  ];
  for (const [name, init, expected] of cases)
    it(`refuses ${name}`, () =>
      assert.throws(() => checkAcceptable({ ...aServer({ id }), ...init }, conditions), expected));
  it("lets administrators pass locks", () =>
    assert.doesNotThrow(() =>
      checkAcceptable(aServer({ id, lock: { lockedBy: "owner", reason: "" } }), {
        ...conditions,
        bypassLock: true,
      }),
    ));
  it("hides a lock behind a state that does not fit, where Nova does", () => {
    const locked = aServer({ id, lock: { lockedBy: "owner", reason: "" } });
    assert.throws(() => checkAcceptable(locked, { ...conditions, form: { ...form, lock: "hides" } }), {
      message: `Instance ${id} is in an invalid state for 'stop'`,
    });
  });
  for (const needsHost of ["first", "last"] as const)
    it(`asks for a host where one is needed: ${needsHost}`, () => {
      const asked = { ...conditions, form: { ...form, needsHost } };
      const check = (over: Partial<Server>) => () => checkAcceptable({ ...aServer({ id }), ...over }, asked);
      assert.throws(check({}), { reason: "NOT_READY" });
      const elsewhere = { vmState: VmState.VM_STATE_SHELVED_OFFLOADED };
      assert.throws(
        check(elsewhere),
        needsHost === "first"
          ? { reason: "NOT_READY" }
          : { message: `Cannot 'stop' instance ${id} while it is in vm_state shelved_offloaded` },
      );
    });
});
