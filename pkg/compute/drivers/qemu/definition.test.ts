import assert from "node:assert/strict";
import { aGuestSpec } from "../testing/a-spec.js";
import { parseDefinition, says, toDefinition, withNic, withoutNic } from "./definition.js";

const nic = (portId: string) => ({
  portId,
  macAddress: "fa:16:3e:00:00:01",
  mtu: 1450,
  model: "virtio",
  socketPath: "",
});
const spec = (...ports: readonly string[]) =>
  aGuestSpec({
    instanceUuid: "6c1bc2d2-4b9e-4d0a-8a53-3a2f1f4f1c11",
    instanceName: "instance-00000001",
    hostname: "guest",
    interfaces: ports.map(nic),
  });
const placesOf = ({ spec: { interfaces } }: ReturnType<typeof toDefinition>) =>
  interfaces.map(({ device, slot }) => [device, slot]);

describe("places of a guest's interfaces", () => {
  it("are PCIe slots on q35, of which most stay free, and QEMU's choice elsewhere", () => {
    assert.deepEqual(placesOf(toDefinition(spec("a", "b", "c", "d", "e"), "pc-q35-7.2")), [
      ["nic-a", 0],
      ["nic-b", 1],
      ["nic-c", 2],
      ["nic-d", 3],
      ["nic-e", null],
    ]);
    assert.deepEqual(placesOf(toDefinition(spec("a"), "pc-i440fx-7.2")), [["nic-a", null]]);
  });

  it("stay what they are, whatever comes and goes", () => {
    const first = toDefinition(spec("a", "b"), "pc-q35-7.2");
    const more = withNic(withoutNic(withNic(first, nic("c")), "a"), nic("d"));
    assert.deepEqual(placesOf(more), [
      ["nic-b", 1],
      ["nic-c", 2],
      ["nic-d", 0],
    ]);
    const again = toDefinition(spec("b", "c", "d"), "pc-q35-7.2", null, more);
    assert.ok(says(more, again));
  });

  it("run out", () => {
    let full = toDefinition(spec("a"), "pc-q35-7.2");
    for (let i = 1; i < full.rootPorts; i++) full = withNic(full, nic(`p${i}`));
    assert.deepEqual(placesOf(withNic(full, nic("last"))).at(-1), ["nic-last", null]);
  });

  it("of a guest that an older build has defined are as it started it", () => {
    const { rootPorts: _ports, ...today } = toDefinition(spec("a", "b"), "pc-q35-7.2");
    const interfaces = today.spec.interfaces.map(({ device: _device, slot: _slot, ...plain }) => plain);
    const old = parseDefinition(JSON.stringify({ ...today, spec: { ...today.spec, interfaces } }));
    assert.deepEqual(
      [placesOf(old), old.rootPorts],
      [
        [
          ["nic0", null],
          ["nic1", null],
        ],
        8,
      ],
    );
    assert.ok(says(old, toDefinition(spec("a", "b"), "pc-q35-7.2", null, old)));
    assert.deepEqual(placesOf(withNic(old, nic("c"))).at(-1), ["nic-c", 0]);
  });
});

describe("ephemeral disks of a stored guest", () => {
  it("are the one that an older build has written down, or none", () => {
    const { spec: today, ...definition } = toDefinition(spec("a"), "pc-q35-7.2");
    const { ephemerals: _ephemerals, ...old } = today;
    for (const [ephemeralGib, expected] of [
      [0, []],
      [3, [{ gib: 3 }]],
    ] as const) {
      const text = JSON.stringify({ ...definition, spec: { ...old, ephemeralGib, newer: 1 } });
      const read = parseDefinition(text);
      assert.deepEqual(read.spec.ephemerals, expected);
      assert.ok("newer" in read.spec, "what a newer build has noted stays");
    }
  });
  it("stay what they are", () => {
    const ephemerals = [{ gib: 1 }, { gib: 2, bus: "scsi", format: "ext3" }];
    const made = toDefinition({ ...spec("a"), ephemerals }, "pc-q35-7.2");
    assert.ok(says(parseDefinition(JSON.stringify(made)), made));
  });
  it("may be told to be replaced, by name", () => {
    const made = toDefinition(spec("a"), "pc-q35-7.2");
    const text = (name: string): string => JSON.stringify({ ...made, incoming: ["root", name] });
    assert.deepEqual(parseDefinition(text("ephemeral1")).incoming, ["root", "ephemeral1"]);
    assert.throws(() => parseDefinition(text("../root")));
  });
});
