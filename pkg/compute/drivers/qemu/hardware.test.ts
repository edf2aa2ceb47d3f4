import assert from "node:assert/strict";
import { KilonovaError } from "../../../kernel/index.js";
import type { GuestHardware, GuestSpec } from "../../driver.js";
import { aGuestSpec } from "../testing/a-spec.js";
import { parseDefinition, says, toDefinition } from "./definition.js";
import { checkHardware, diskBus, pinMachine } from "./hardware.js";

const offer = {
  pinned: { q35: "pc-q35-7.2", pc: "pc-i440fx-7.2" },
  machines: new Map([
    ["pc-q35-7.2", 8],
    ["pc-q35-6.2", 8],
    ["pc-i440fx-7.2", 255],
    ["microvm", 288],
  ]),
  cpuModels: new Set(["max", "qemu64"]),
};
const unsupported = (e: unknown): boolean =>
  e instanceof KilonovaError && e.reason === "UNSUPPORTED_HARDWARE";
const check = (over: Partial<GuestSpec>, machine = "pc-q35-7.2"): void =>
  checkHardware(toDefinition(aGuestSpec(over), machine).spec, machine, offer);

describe("virtual hardware", () => {
  for (const [asked, got] of [
    [undefined, "pc-q35-7.2"],
    ["q35", "pc-q35-7.2"],
    ["pc", "pc-i440fx-7.2"],
    ["pc-q35-6.2", "pc-q35-6.2"],
  ] as const) {
    it(`pins ${asked ?? "nothing"} to ${got}`, () => assert.equal(pinMachine(asked, offer), got));
  }
  for (const asked of [
    "microvm",
    "virt",
    "q35,smm=on",
    "pc-q35-7.2,accel=kvm",
    "",
    "pc-i440fx-0.0",
    "pc-q35-9.9",
  ]) {
    it(`refuses machine type "${asked}"`, () => assert.throws(() => pinMachine(asked, offer), unsupported));
  }

  const bad: readonly (readonly [string, Partial<GuestSpec>])[] = [
    ["an unknown bus", { hardware: { diskBus: "floppy" } }],
    ["a bus named like an object's own", { hardware: { diskBus: "constructor" } }],
    ["IDE on q35", { hardware: { diskBus: "ide" } }],
    ["a CPU model with options", { hardware: { cpuModel: "max,-sse" } }],
    ["a CPU model that QEMU does not list", { hardware: { cpuModel: "Nonesuch-v9" } }],
    ["more CPUs than the machine has", { vcpus: 9 }],
    ["another architecture", { hardware: { architecture: "aarch64" } }],
    ["no CPU", { vcpus: 0 }],
    [
      "an unknown NIC",
      {
        interfaces: [
          { portId: "p", macAddress: "fa:16:3e:00:00:01", mtu: 1500, model: "vmxnet3", socketPath: "" },
        ],
      },
    ],
    [
      "a MAC with options",
      {
        interfaces: [
          { portId: "p", macAddress: "fa:16:3e:00:00:01,x=y", mtu: 1500, model: "virtio", socketPath: "" },
        ],
      },
    ],
    [
      "a port id with a path",
      {
        interfaces: [
          { portId: "../p", macAddress: "fa:16:3e:00:00:01", mtu: 1500, model: "virtio", socketPath: "" },
        ],
      },
    ],
  ];
  for (const [name, over] of bad) it(`refuses ${name}`, () => assert.throws(() => check(over), unsupported));

  it("takes the buses that each machine has", () => {
    for (const bus of ["virtio", "scsi", "sata", "usb"]) check({ hardware: { diskBus: bus } });
    check({ hardware: { diskBus: "ide" } }, "pc-i440fx-7.2");
    check({ hardware: { cpuModel: "qemu64" }, vcpus: 8 });
    assert.equal(diskBus("ide", "pc").device(3), "ide-hd,bus=ide.1,unit=1");
  });
});

describe("definition", () => {
  const hardware: GuestHardware = { machineType: "q35" };

  it("comes back as it was written", () => {
    const definition = toDefinition(
      aGuestSpec({
        hardware,
        rootImage: { imageId: "i", path: "/i", virtualSizeBytes: 5 },
        kernel: { kernelPath: "/k", ramdiskPath: undefined, commandLine: "" },
      }),
      "pc-q35-7.2",
    );
    assert.deepEqual(parseDefinition(JSON.stringify(definition)), definition);
  });

  it("keeps no byte of the config drive but knows another one", () => {
    const drive = (text: string): Partial<GuestSpec> => ({
      instanceUuid: "u",
      instanceName: "n",
      hostname: "h",
      interfaces: [],
      configDrive: new Map([["a", Buffer.from(text)]]),
    });
    const one = toDefinition(aGuestSpec(drive("s3cret-word")), "m");
    assert.ok(!JSON.stringify(one).includes("s3cret"));
    assert.deepEqual(toDefinition(aGuestSpec(drive("s3cret-word")), "m"), one);
    assert.notEqual(toDefinition(aGuestSpec(drive("another")), "m").configDriveDigest, one.configDriveDigest);
  });

  it("says what is wanted, whatever a later version has added to it", () => {
    const wanted = toDefinition(aGuestSpec({ hardware }), "pc-q35-7.2");
    const newer = parseDefinition(JSON.stringify({ ...wanted, sealed: true }));
    assert.ok(says(newer, wanted));
    assert.ok(!says({ ...newer, machine: "pc-q35-8.0" }, wanted));
  });

  it("refuses what it does not understand", () => {
    assert.throws(() => parseDefinition("{}"));
    assert.throws(() => parseDefinition("not json"));
  });
});
