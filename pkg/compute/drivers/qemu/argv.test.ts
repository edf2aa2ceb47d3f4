import assert from "node:assert/strict";
import type { GuestSpec } from "../../driver.js";
import { aGuestSpec } from "../testing/a-spec.js";
import { buildArgv, processMarks } from "./argv.js";
import { toDefinition } from "./definition.js";
import { guestPaths } from "./guest-paths.js";

const uuid = "6c1bc2d2-4b9e-4d0a-8a53-3a2f1f4f1c11";
const paths = guestPaths("/state", "/run/k", uuid);
const spec = (over: Partial<GuestSpec> = {}): GuestSpec =>
  aGuestSpec({ instanceUuid: uuid, instanceName: "instance-00000001", ...over });
const argvOf = (
  over: Partial<GuestSpec> = {},
  machine = "pc-q35-7.2",
  virtType: "tcg" | "kvm" = "tcg",
): readonly string[] =>
  buildArgv(toDefinition(spec(over), machine), paths, { qemu: "qemu-system-x86_64", virtType });
/** All values of one option. */
const all = (argv: readonly string[], option: string): string[] =>
  argv.flatMap((arg, i) => (arg === option ? [argv[i + 1] ?? ""] : []));
const image = { imageId: "i", path: "/images/i.raw", virtualSizeBytes: 1_000_000 };
const nodes = (argv: readonly string[]): Record<string, unknown>[] =>
  all(argv, "-blockdev").map((json) => JSON.parse(json) as Record<string, unknown>);

describe("QEMU argv", () => {
  const cases: readonly (readonly [string, Partial<GuestSpec>, option: string, expected: RegExp])[] = [
    [
      "names guest and process",
      {},
      "-name",
      /^guest=instance-00000001,process=qemu:instance-00000001,debug-threads=on$/,
    ],
    ["doubles commas in names", { instanceName: "a,b" }, "-name", /^guest=a,,b,process=qemu:a,,b,/],
    ["tells cloud-init where it is", {}, "-smbios", /product=OpenStack Compute,.*uuid=6c1bc2d2/],
    ["counts memory in MiB", { memoryMib: 96 }, "-m", /^96M$/],
    ["gives each CPU its socket", { vcpus: 3 }, "-smp", /^3,sockets=3,cores=1,threads=1$/],
    ["takes the CPU model asked for", { hardware: { cpuModel: "Nehalem" } }, "-cpu", /^Nehalem$/],
    [
      "denies QEMU what it does not need",
      {},
      "-sandbox",
      /^on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny$/,
    ],
    ["shows its screen at a socket only", {}, "-vnc", /^unix:\/run\/k\/[0-9a-f]{16}\/vnc\.sock$/],
    ["keeps the process of a guest that shut down", {}, "-action", /^shutdown=pause$/],
    [
      "appends the console to its file",
      {},
      "-chardev",
      /logfile=\/state\/6c1bc2d2-[^,]*\/console\.log,logappend=on$/,
    ],
  ];
  for (const [name, over, option, expected] of cases) {
    it(name, () =>
      assert.ok(
        all(argvOf(over), option).some((value) => expected.test(value)),
        all(argvOf(over), option).join("\n"),
      ),
    );
  }

  it("puts the graphics adapter behind all other devices, whose slots stay", () => {
    assert.equal(all(argvOf({ rootImage: image, rootGib: 1 }), "-device").at(-1), "VGA,id=video0");
  });

  it("emulates unless KVM is configured", () => {
    assert.deepEqual([all(argvOf(), "-accel"), all(argvOf(), "-cpu")], [["tcg,thread=multi"], ["max"]]);
    assert.deepEqual(
      [all(argvOf({}, "pc-q35-7.2", "kvm"), "-accel"), all(argvOf({}, "pc-q35-7.2", "kvm"), "-cpu")],
      [["kvm"], ["host"]],
    );
  });

  it("names every format and the whole chain, so that nothing is probed", () => {
    const found = nodes(argvOf({ rootImage: image, rootGib: 1, ephemeralGib: 1, swapMib: 16 }));
    assert.ok(
      found.every((node) => typeof node["driver"] === "string" && typeof node["node-name"] === "string"),
    );
    assert.deepEqual(found.slice(0, 4), [
      { driver: "file", "node-name": "root-base-file", filename: "/images/i.raw", "read-only": true },
      { driver: "raw", "node-name": "root-base", file: "root-base-file", "read-only": true },
      { driver: "file", "node-name": "root-file", filename: `/state/${uuid}/disk`, discard: "unmap" },
      { driver: "qcow2", "node-name": "root", file: "root-file", discard: "unmap", backing: "root-base" },
    ]);
    assert.deepEqual(
      found.slice(4).map((node) => node["node-name"]),
      ["ephemeral0-file", "ephemeral0", "swap-file", "swap", "config-file", "config"],
    );
  });

  it("ends the chain of a blank root disk", () => {
    assert.equal(
      nodes(argvOf({ rootGib: 1 })).find((node) => node["node-name"] === "root")?.["backing"],
      null,
    );
  });

  it("makes the config drive a read-only virtio disk behind all others", () => {
    const devices = all(
      argvOf({ rootImage: image, swapMib: 1, hardware: { diskBus: "scsi" } }),
      "-device",
    ).filter((d) => d.includes("drive="));
    assert.deepEqual(devices, [
      "scsi-hd,bus=scsi0.0,scsi-id=0,id=root-disk,drive=root,serial=root,bootindex=1",
      "scsi-hd,bus=scsi0.0,scsi-id=1,id=swap-disk,drive=swap,serial=swap",
      "virtio-blk-pci,id=config-disk,drive=config,serial=config",
    ]);
    assert.deepEqual(
      nodes(argvOf()).map((node) => node["read-only"]),
      [true, true],
    );
    assert.deepEqual(nodes(argvOf({ configDrive: undefined })), []);
  });

  const nic = {
    portId: "p",
    macAddress: "fa:16:3e:00:00:01",
    mtu: 1450,
    model: "virtio",
    socketPath: "/run/k/x/port,p",
  };
  it("listens for the switch at each interface's socket", () => {
    const argv = argvOf({ interfaces: [nic, { ...nic, portId: "q", model: "e1000" }] });
    assert.deepEqual(
      all(argv, "-netdev"),
      ["p", "q"].map((id) => `stream,id=net-${id},server=on,addr.type=unix,addr.path=/run/k/x/port,,p`),
    );
    const devices = all(argv, "-device").filter((d) => d.includes("netdev="));
    assert.deepEqual(devices, [
      "virtio-net-pci,id=nic-p,netdev=net-p,mac=fa:16:3e:00:00:01,host_mtu=1450,romfile=,bus=rp0",
      "e1000,id=nic-q,netdev=net-q,mac=fa:16:3e:00:00:01,romfile=,bus=rp1",
    ]);
  });

  it("leaves PCIe slots for later on q35, and none on the old machine", () => {
    assert.equal(all(argvOf(), "-device").filter((d) => d.startsWith("pcie-root-port")).length, 12);
    assert.equal(
      all(argvOf({}, "pc-i440fx-7.2"), "-device").filter((d) => d.startsWith("pcie-root-port")).length,
      0,
    );
    assert.ok(all(argvOf({}, "pc-i440fx-7.2"), "-global").includes("PIIX4_PM.disable_s3=1"));
  });

  it("boots a kernel with its command line as one argument", () => {
    const argv = argvOf({
      kernel: { kernelPath: "/k", ramdiskPath: undefined, commandLine: "console=ttyS0,115200 a=b" },
    });
    assert.deepEqual(
      [all(argv, "-kernel"), all(argv, "-initrd"), all(argv, "-append")],
      [["/k"], [], ["console=ttyS0,115200 a=b"]],
    );
  });

  it("can be known again by its marks, and not mistaken for the same guest on another agent", () => {
    const argv = argvOf();
    assert.ok(processMarks(uuid, paths).every((mark) => argv.includes(mark)));
    assert.ok(
      !processMarks(uuid, guestPaths("/state2", "/run/other", uuid)).every((mark) => argv.includes(mark)),
    );
  });
});
