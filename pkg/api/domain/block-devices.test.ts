import assert from "node:assert/strict";
import {
  BlockDevice,
  BlockDeviceDestination,
  BlockDeviceSource,
} from "../../../gen/kilonova/type/v1/block_device.js";
import { bootDevices } from "../../model/boot-devices.js";
import { aFlavor } from "../testing/an-api.js";
import { judgeDevices, readDevices, withSizes } from "./block-devices.js";
import type { WantedDevice } from "./block-devices.js";
import { mergeDevices } from "./merge-devices.js";

const {
  BLOCK_DEVICE_SOURCE_BLANK: BLANK,
  BLOCK_DEVICE_SOURCE_IMAGE: IMAGE,
  BLOCK_DEVICE_SOURCE_SNAPSHOT: SNAPSHOT,
  BLOCK_DEVICE_SOURCE_VOLUME: VOLUME,
} = BlockDeviceSource;
const { BLOCK_DEVICE_DESTINATION_LOCAL: LOCAL, BLOCK_DEVICE_DESTINATION_VOLUME: TO_VOLUME } =
  BlockDeviceDestination;

const flavor = aFlavor({ rootGib: 5, ephemeralGib: 2, swapMib: 512 });
type Wish = Partial<BlockDevice>;
interface About {
  readonly imageId?: string | undefined;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly maxCount?: number;
  readonly maxLocal?: number;
}

function planned(
  wishes: readonly Wish[],
  { imageId = "img", properties = {}, maxCount = 1, maxLocal = 4 }: About = {},
): WantedDevice[] {
  const texts = Object.entries(properties).map(([name, value]): [string, string] => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const wanted = readDevices(
    wishes.map((wish) => BlockDevice.fromPartial(wish)),
    imageId || undefined,
  );
  const all = mergeDevices({
    wanted,
    imageId: imageId || undefined,
    properties: new Map(texts),
    flavor,
    maxCount,
  });
  judgeDevices(all, flavor, maxLocal);
  return all.map((one) => ({ ...one, device: withSizes(one.device, flavor) }));
}

const shown = (all: readonly WantedDevice[]): unknown[] =>
  all.map(({ device: { source, destination, sourceId, sizeGib, sizeMib } }) => [
    source,
    destination,
    sourceId,
    sizeGib ?? sizeMib,
  ]);

const boot: Wish = { source: IMAGE, destination: LOCAL, sourceId: "img", bootIndex: 0 };
const swap: Wish = { source: BLANK, guestFormat: "swap", sizeMib: 256 };
const ephemeral: Wish = { source: BLANK, destination: LOCAL, sizeGib: 1 };
const volume: Wish = { source: VOLUME, sourceId: "v" };
const rootVolume: Wish = { ...volume, bootIndex: 0 };
const local = (device: Wish): unknown[] => [
  device.source,
  LOCAL,
  device.sourceId,
  device.sizeGib ?? device.sizeMib,
];

describe("disks of a new server", () => {
  it("are those of image and flavor when nothing else is said", () => {
    assert.deepEqual(shown(planned([])), [
      local({ source: IMAGE, sourceId: "img" }),
      local({ source: BLANK, sizeGib: 2 }),
      local({ source: BLANK, sizeMib: 512 }),
    ]);
  });
  it("may be several ephemeral disks and swap of the sizes asked for, within the flavor's", () => {
    assert.deepEqual(shown(planned([boot, ephemeral, ephemeral, swap])), [
      local(boot),
      local(ephemeral),
      local(ephemeral),
      local(swap),
    ]);
  });
  it("are the flavor's where the request names none of the kind", () => {
    assert.deepEqual(shown(planned([boot, ephemeral])).at(-1), local({ source: BLANK, sizeMib: 512 }));
    assert.deepEqual(shown(planned([boot, { source: BLANK, guestFormat: "swap" }])).slice(1), [
      local({ source: BLANK, sizeMib: 512 }),
      local({ source: BLANK, sizeGib: 2 }),
    ]);
  });
  it("stay on volumes and go from the host, unless told otherwise", () => {
    const [first, second] = planned([rootVolume, { ...ephemeral, deleteOnTermination: false }], {
      imageId: "",
    });
    assert.deepEqual([first?.device.deleteOnTermination, second?.device.deleteOnTermination], [false, false]);
    assert.equal(planned([boot])[0]?.device.deleteOnTermination, true);
  });
  it("are root, ephemeral disks, swap and volumes by name, on their buses", () => {
    const blockDevices = planned([
      { ...volume, deviceName: "vdq" },
      boot,
      swap,
      ephemeral,
      { ...ephemeral, diskBus: "scsi" },
      { ...volume, sourceId: "w" },
    ]).map(({ device }) => device);
    assert.deepEqual(
      bootDevices({ flavor, image: undefined, blockDevices }).map(({ role, name }) => `${role} ${name}`),
      [
        "root /dev/vda",
        "ephemeral /dev/vdb",
        "ephemeral /dev/sda",
        "swap /dev/vdc",
        "volume /dev/vdd",
        "volume /dev/vde",
      ],
    );
  });
});

describe("disks that an image brings", () => {
  const snapshot = { source_type: "snapshot", destination_type: "volume", snapshot_id: "s" };
  const properties = {
    img_bdm_v2: "true",
    img_block_device_mapping: [
      { ...snapshot, boot_index: 0, device_name: "/dev/vda", volume_size: 3, delete_on_termination: true },
      { ...snapshot, snapshot_id: "t", boot_index: -1, device_name: "/dev/vdb" },
    ],
  };
  const devices = (about: About, wishes: readonly Wish[] = []): unknown[] =>
    shown(planned(wishes, about)).slice(0, 2);
  const both = [
    [SNAPSHOT, TO_VOLUME, "s", 3],
    [SNAPSHOT, TO_VOLUME, "t", undefined],
  ];

  it("take the place of the disk that it would become", () => {
    assert.deepEqual(devices({ properties }), both);
    assert.deepEqual(devices({ properties }, [boot]), both);
  });
  it("give way to those of the request with their names", () => {
    assert.deepEqual(devices({ properties }, [boot, { ...volume, deviceName: "vdb" }]), [
      [VOLUME, TO_VOLUME, "v", undefined],
      [SNAPSHOT, TO_VOLUME, "s", 3],
    ]);
  });
  it("are read in the older form, in which vda boots", () => {
    const old = [
      { snapshot_id: "s", volume_size: "3", device_name: "vda" },
      { snapshot_id: "t", device_name: "vdb", no_device: false },
      { snapshot_id: "u", device_name: "vdc", no_device: true },
    ];
    assert.deepEqual(devices({ properties: { img_block_device_mapping: old } }), both);
  });
  it("are as many as are named, each once, and none that is said not to be", () => {
    const one = (name: string, more: object = {}): object => ({
      ...snapshot,
      boot_index: -1,
      device_name: name,
      ...more,
    });
    const about = (img_block_device_mapping: readonly object[]): About => ({
      properties: { img_bdm_v2: "true", img_block_device_mapping },
    });
    const volumes = (all: readonly WantedDevice[]): number =>
      all.filter(({ device }) => device.destination === TO_VOLUME).length;
    const replaced = [boot, { ...volume, deviceName: "vdb" }];
    assert.equal(volumes(planned(replaced, about([one("/dev/vdb"), one("/dev/vdc")]))), 2);
    assert.equal(volumes(planned([boot], about([one("vdb"), one("vdc", { no_device: true })]))), 1);
    const many = Array.from({ length: 65 }, (_, n) => one(`vd${n}`));
    assert.equal(volumes(planned([boot], about(many.slice(1)))), 64);
    assert.throws(() => planned([boot], about(many)), { message: /brings too many devices/ });
  });
  it("are what a request might say, whoever has written them", () => {
    const blank = { source_type: "blank", destination_type: "volume", volume_size: 1, boot_index: -1 };
    for (const [odd, message] of [
      [{ disk_bus: "floppy-cable" }, /^Block Device Mapping is Invalid\.$/],
      [{ device_type: "tape" }, /device_type must be one of/],
      [{ device_name: "/dev/v db" }, /Device name contains spaces/],
      [{ device_name: "x".repeat(256) }, /more than 255 characters/],
      [{ volume_type: "x".repeat(256) }, /more than 255 characters/],
      [{ tag: "x".repeat(61) }, /tag is not valid/],
      [{ tag: "a,b" }, /tag is not valid/],
    ] as const)
      assert.throws(
        () =>
          devices({
            properties: { img_bdm_v2: "true", img_block_device_mapping: [{ ...blank, ...odd }] },
          }),
        { reason: "BAD_BLOCK_DEVICES", message },
      );
  });
  it("may be the flavor's by the names of old", () => {
    const img_mappings = [
      { virtual: "ami", device: "vda" },
      { virtual: "ephemeral0", device: "vdb" },
      { virtual: "swap", device: "vdc" },
    ];
    const all = planned([], { properties: { img_mappings } });
    assert.deepEqual(
      all.map(({ device }) => device.deviceName),
      [undefined, "/dev/vdb", "/dev/vdc"],
    );
  });
});

describe("disks that are refused", () => {
  const invalid = (why: string): string => `Block Device Mapping is Invalid: ${why}`;
  const noImage = { imageId: "" };
  const cases: [what: string, wishes: Wish[], message: string, field: string, about?: About][] = [
    ["a blank one with a uuid", [{ ...swap, sourceId: "x" }], invalid("Invalid device UUID."), "source_id"],
    ["one of a source without uuid", [{ source: IMAGE }], invalid("Missing device UUID."), "source_id"],
    ["one of no source", [{ sourceId: "x" }], invalid("Some required fields are missing"), "source"],
    [
      "another image on the host",
      [{ ...boot, sourceId: "other" }],
      invalid("Mapping image to local is not supported."),
      "destination",
    ],
    [
      "the image as a further disk",
      [{ ...boot, bootIndex: 1 }],
      invalid("Mapping image to local is not supported."),
      "destination",
    ],
    [
      "a volume on the host",
      [{ ...volume, destination: LOCAL }],
      invalid("Mapping volume to local is not supported."),
      "destination",
    ],
    [
      "a type of something on the host",
      [{ ...ephemeral, volumeType: "t" }],
      invalid("Specifying a volume_type with destination_type=local is not supported."),
      "volume_type",
    ],
    [
      "a type of a volume that is there",
      [{ ...volume, volumeType: "t" }],
      invalid("Specifying volume type to existing volume is not supported."),
      "volume_type",
    ],
    [
      "spaces in a name",
      [{ ...volume, deviceName: "v d" }],
      invalid("Device name contains spaces."),
      "device_name",
    ],
    ["an unknown bus", [{ ...volume, diskBus: "tape" }], "Block Device Mapping is Invalid.", "disk_bus"],
    [
      "an unknown type of device",
      [{ ...volume, deviceType: "tape" }],
      invalid("device_type must be one of disk, cdrom, floppy, lun"),
      "device_type",
    ],
    [
      "a volume of nothing without a size",
      [boot, { source: BLANK, destination: TO_VOLUME }],
      "Blank volumes (source: 'blank', dest: 'volume') need to have non-zero size",
      "[1].size_gib",
    ],
    [
      "a volume of an image without a size",
      [{ ...boot, destination: TO_VOLUME }],
      "Images with destination_type 'volume' need to have a non-zero size specified",
      "size_gib",
    ],
    [
      "too much on ephemeral disks",
      [boot, { ...ephemeral, sizeGib: 2 }, ephemeral],
      "Ephemeral disks requested are larger than the instance type allows. If no size is given in one block device mapping, flavor ephemeral size will be used.",
      "[2].size_gib",
    ],
    [
      "too much swap",
      [boot, { ...swap, sizeMib: 513 }],
      "Swap drive requested is larger than instance type allows.",
      "[1].size_gib",
    ],
    ["swap twice", [boot, swap, swap], invalid("More than one swap drive requested."), "[2]"],
    [
      "more on the host than one may have",
      [boot],
      invalid("You specified more local devices than the limit allows"),
      "block_devices",
      { maxLocal: 2 },
    ],
    [
      "any on the host where none may be",
      [boot],
      invalid("You specified more local devices than the limit allows"),
      "block_devices",
      { maxLocal: 0 },
    ],
    [
      "a volume with the name of the root disk",
      [boot, { ...volume, deviceName: "/dev/vda" }],
      "The volume cannot be assigned the same device name as the root device vda",
      "device_name",
    ],
    [
      "a volume for several servers",
      [boot, volume],
      "Cannot attach one or more volumes to multiple instances",
      "[1]",
      { maxCount: 2 },
    ],
    ...(
      [
        ["no disk to boot from", [ephemeral], {}],
        ["no disk to boot from, without an image", [volume], noImage],
        ["a gap in the order of booting", [rootVolume, { ...volume, bootIndex: 2 }], noImage],
        ["two first disks", [rootVolume, { ...volume, sourceId: "w", bootIndex: 0 }], noImage],
      ] as const
    ).map(([what, wishes, about]): (typeof cases)[number] => [
      what,
      [...wishes],
      invalid("Boot sequence for the instance and image/block device mapping combination is not valid."),
      "block_devices",
      about,
    ]),
  ];
  for (const [what, wishes, message, field, about] of cases)
    it(`for ${what}`, () => {
      assert.throws(
        () => planned(wishes, about),
        (error: { reason: string; message: string; violations: { field: string }[] }) => {
          assert.deepEqual([error.reason, error.message], ["BAD_BLOCK_DEVICES", message]);
          assert.ok(error.violations[0]?.field.endsWith(field), error.violations[0]?.field);
          return true;
        },
      );
    });
});
