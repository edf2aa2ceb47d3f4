import assert from "node:assert/strict";
import { aGuestSpec, aVolume } from "../testing/a-spec.js";
import { inSamePlaces, withHotDevices } from "./argv.js";
import { buildArgv } from "./argv.js";
import { toDefinition, withNic } from "./definition.js";
import type { Definition } from "./definition.js";
import { guestPaths } from "./guest-paths.js";
import { toRescue } from "./rescue.js";
import {
  taggedVolumes,
  volumeDevice,
  volumesAtStart,
  withVolume,
  withVolumesOf,
  withoutVolume,
} from "./volume-device.js";

const Q35 = "pc-q35-7.2";
const PC = "pc-i440fx-7.2";
const spec = aGuestSpec({ rootGib: 1 });
const paths = guestPaths("/state", "/run/k", spec.instanceUuid);
const guest = (machine = Q35, hardware = {}): Definition => toDefinition({ ...spec, hardware }, machine);
type Wanted = Parameters<typeof withVolume>[1];
const volume = (volumeId: string, over: Partial<Wanted> = {}): Wanted => ({
  ...aVolume({ volumeId }),
  readOnly: false,
  shared: false,
  ...over,
});
const having = (made: Definition, ...volumes: readonly Wanted[]): Definition =>
  volumes.reduce(withVolume, made);
const devicesOf = (definition: Definition) => definition.volumes.map((one) => volumeDevice(definition, one));
const argvOf = (definition: Definition): readonly string[] =>
  buildArgv(definition, paths, { qemu: "qemu", virtType: "tcg" });

describe("volumes as devices", () => {
  it("sit in free slots of q35, beside interfaces, and keep them", () => {
    const two = having(guest(), volume("a"), volume("b"));
    assert.deepEqual(
      two.volumes.map(({ slot }) => slot),
      [1, 2],
    );
    const again = having(withoutVolume(two, "a"), volume("c"));
    assert.deepEqual(
      again.volumes.map(({ volumeId, slot }) => [volumeId, slot]),
      [
        ["b", 2],
        ["c", 1],
      ],
    );
    const nic = { ...aGuestSpec().interfaces[0], portId: "p" };
    assert.equal(withNic(two, nic as Parameters<typeof withNic>[1]).spec.interfaces.at(-1)?.slot, 3);
  });

  it("show the guest their ids, and what it may do with them", () => {
    const made = having(guest(), volume("a", { shared: true, bootIndex: 0 }), volume("b"));
    assert.deepEqual(devicesOf(made), [
      {
        driver: "virtio-blk-pci",
        id: "disk-a",
        drive: made.volumes[0] && "vol-ca978112ca1bbdca",
        serial: "a",
        "share-rw": true,
        bus: "rp1",
        bootindex: 1,
      },
      { driver: "virtio-blk-pci", id: "disk-b", drive: "vol-3e23e8160039594a", serial: "b", bus: "rp2" },
    ]);
  });

  const buses: readonly (readonly [machine: string, bus: string, places: readonly object[], most: number])[] =
    [
      [
        PC,
        "virtio",
        [
          { bus: "pci.0", addr: "0xe" },
          { bus: "pci.0", addr: "0xf" },
        ],
        18,
      ],
      [Q35, "virtio", [{ bus: "rp1" }, { bus: "rp2" }], 11],
      [
        Q35,
        "scsi",
        [
          { bus: "scsi0.0", "scsi-id": 8 },
          { bus: "scsi0.0", "scsi-id": 9 },
        ],
        247,
      ],
      [Q35, "sata", [{ bus: "ide.5" }, { bus: "ide.4" }], 4],
      [
        PC,
        "ide",
        [
          { bus: "ide.1", unit: 1 },
          { bus: "ide.1", unit: 0 },
        ],
        2,
      ],
      [
        Q35,
        "usb",
        [
          { bus: "usb.0", port: "4" },
          { bus: "usb.0", port: "3" },
        ],
        2,
      ],
    ];
  for (const [machine, bus, places, most] of buses)
    it(`have places of their own on ${bus} of ${machine}, at most ${most}`, () => {
      let made = guest(machine);
      for (let i = 0; i < most; i++) made = withVolume(made, volume(`v${i}`, { bus }));
      const keys = ["bus", "addr", "scsi-id", "unit", "port"];
      assert.deepEqual(
        devicesOf(made)
          .slice(0, 2)
          .map((device) => Object.fromEntries(Object.entries(device).filter(([key]) => keys.includes(key)))),
        places,
      );
      const words = argvOf(made).filter((word) => word.includes(",id=disk-v"));
      assert.equal(new Set(words.map((word) => word.replace(/disk-\w+|vol-\w+|serial=\w+/g, ""))).size, most);
      assert.throws(() => withVolume(made, volume("last", { bus })), { reason: "DEVICE_SLOTS_EXHAUSTED" });
    });

  it("are refused as what QEMU here cannot make of them", () => {
    for (const over of [
      { deviceType: "lun" },
      { deviceType: "floppy" },
      { bus: "ide" },
      { bus: "fdc" },
      { deviceType: "cdrom", bus: "virtio" },
    ])
      assert.throws(() => withVolume(guest(), volume("a", over)), { reason: "UNSUPPORTED_HARDWARE" });
  });

  it("move to another machine, on its usual bus where theirs is not there", () => {
    const before = having(guest(PC), volume("a", { bus: "ide" }), volume("b"));
    const after = withVolumesOf(before, guest(Q35, { diskBus: "scsi" }));
    assert.deepEqual(
      after.volumes.map(({ volumeId, bus }) => [volumeId, bus]),
      [
        ["a", "scsi"],
        ["b", "scsi"],
      ],
    );
  });

  it("are found by their tags where the guest sees them", () => {
    const tagsOf = (machine: string, bus: string) => {
      const [found] = taggedVolumes(having(guest(machine), volume("b"), volume("a", { bus, tag: "t" })));
      return [found?.volumeId, found?.tag, found?.deviceName, found?.bus, found?.address];
    };
    assert.deepEqual(tagsOf(Q35, "virtio"), ["a", "t", "/dev/vdb", "pci", "0000:03:00.0"]);
    assert.deepEqual(tagsOf(PC, "virtio"), ["a", "t", "/dev/vdb", "pci", "0000:00:0f.0"]);
    assert.deepEqual(tagsOf(Q35, "scsi"), ["a", "t", "/dev/vdb", "scsi", undefined]);
    assert.deepEqual(tagsOf(Q35, "sata"), ["a", "t", "/dev/vdb", "none", undefined]);
  });

  it("are not there for a rescued guest, unless all of its disks stay", () => {
    const made = having(guest(), volume("a", { bootIndex: 0 }));
    const image = { imageId: "i", path: "/i", virtualSizeBytes: 512 };
    const offer = { pinned: { q35: Q35, pc: PC }, machines: new Map(), cpuModels: new Set<string>() };
    const rescued = (stable: { device: string; bus: undefined } | undefined): Definition => ({
      ...made,
      rescue: toRescue(
        { image, kernel: undefined, configDrive: undefined, hardware: {}, stable },
        made,
        offer,
      ),
    });
    assert.deepEqual(volumesAtStart(rescued(undefined)), []);
    const staying = rescued({ device: "disk", bus: undefined });
    assert.equal(volumesAtStart(staying).length, 1);
    // The rescue disk is what it boots from.
    assert.equal(devicesOf(staying)[0]?.["bootindex"], undefined);
  });

  it("fit a command line that was written before they came, went, or came back elsewhere", () => {
    for (const machine of [Q35, PC]) {
      const bare = { ...guest(machine), spec: { ...guest(machine).spec, interfaces: [] } };
      const [none, one, two] = [bare, having(bare, volume("a")), having(bare, volume("a"), volume("b"))];
      for (const [from, to] of [
        [none, two],
        [two, one],
        [two, none],
      ] as const)
        assert.deepEqual(withHotDevices(argvOf(from), to, paths), argvOf(to));
      const swapped = having(bare, volume("b"), volume("a"));
      assert.ok(inSamePlaces(argvOf(two), one, paths) && inSamePlaces(argvOf(none), two, paths));
      assert.ok(!inSamePlaces(argvOf(two), swapped, paths));
      assert.deepEqual(withHotDevices(argvOf(two), swapped, paths), argvOf(swapped));
      // Another volume in the same device, as a swap leaves it.
      const volumes = one.volumes.map((had) => ({ ...had, volumeId: "z" }));
      assert.ok(!inSamePlaces(argvOf(one), { ...one, volumes }, paths));
      assert.equal(having({ ...one, volumes }, volume("a")).volumes.at(-1)?.device, "disk-a-2");
    }
  });
});
