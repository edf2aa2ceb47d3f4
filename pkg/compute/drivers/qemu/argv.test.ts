import assert from "node:assert/strict";
import type { GuestSpec, RescueSpec } from "../../driver.js";
import { aGuestSpec, aRescueSpec } from "../testing/a-spec.js";
import { buildArgv, processMarks, withHotDevices } from "./argv.js";
import { toDefinition } from "./definition.js";
import { guestPaths } from "./guest-paths.js";
import { toRescue } from "./rescue.js";

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
    const found = nodes(argvOf({ rootImage: image, rootGib: 1, ephemerals: [{ gib: 1 }], swapMib: 16 }));
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

  it("gives ephemeral disks files, names and buses of their own, before swap", () => {
    const argv = argvOf({ ephemerals: [{ gib: 1 }, { gib: 2, bus: "scsi" }], swapMib: 16 });
    assert.deepEqual(
      nodes(argv)
        .filter(({ driver }) => driver === "file")
        .map(({ filename }) => filename),
      ["disk.eph0", "disk.eph1", "disk.swap", "disk.config"].map((name) => `/state/${uuid}/${name}`),
    );
    const devices = all(argv, "-device").filter((device) => device.includes("drive="));
    assert.deepEqual(
      devices.map((device) => device.split(",")[0]),
      ["virtio-blk-pci", "scsi-hd", "virtio-blk-pci", "virtio-blk-pci"],
    );
    assert.ok(devices[1]?.includes("serial=ephemeral1"), devices[1]);
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

  const disks = (argv: readonly string[]): string[] =>
    all(argv, "-device").filter((device) => device.includes("drive="));
  const rescueImage = { imageId: "r", path: "/images/r.raw", virtualSizeBytes: 1_000_000 };
  const offer = {
    pinned: { q35: "pc-q35-7.2", pc: "pc-i440fx-7.2" },
    machines: new Map([
      ["pc-q35-7.2", 255],
      ["pc-i440fx-7.2", 255],
    ]),
    cpuModels: new Set<string>(),
  };
  const rescued = (over: Partial<GuestSpec>, rescue: Partial<RescueSpec>, machine = "pc-q35-7.2") => {
    const definition = toDefinition(spec({ rootImage: image, rootGib: 1, ...over }), machine);
    const wanted = toRescue(aRescueSpec({ image: rescueImage, ...rescue }), definition, offer);
    return buildArgv({ ...definition, rescue: wanted }, paths, {
      qemu: "qemu-system-x86_64",
      virtType: "tcg",
    });
  };

  it("boots a rescued guest from the rescue disk, with its root disk second and no others", () => {
    const argv = rescued({ ephemerals: [{ gib: 1 }], swapMib: 16 }, {});
    assert.deepEqual(disks(argv), [
      "virtio-blk-pci,id=rescue-disk,drive=rescue,serial=rescue,bootindex=1",
      "virtio-blk-pci,id=root-disk,drive=root,serial=root",
      "virtio-blk-pci,id=config-disk,drive=config,serial=config",
    ]);
    const files = nodes(argv).map((node) => node["filename"]);
    assert.deepEqual(
      files.filter((name) => name !== undefined),
      [
        "/images/r.raw",
        `/state/${uuid}/disk.rescue`,
        "/images/i.raw",
        `/state/${uuid}/disk`,
        `/state/${uuid}/disk.config.rescue`,
      ],
    );
  });

  it("gives a rescued guest the machine that the rescue image asks for, and no kernel but its own", () => {
    const kernel = { kernelPath: "/k", ramdiskPath: undefined, commandLine: "" };
    const argv = rescued(
      { kernel, hardware: { machineType: "pc", diskBus: "ide", cpuModel: "x" } },
      { hardware: { diskBus: "scsi" } },
      "pc-i440fx-7.2",
    );
    assert.match(all(argv, "-machine")[0] ?? "", /^pc-q35-7\.2,/);
    assert.deepEqual([all(argv, "-cpu"), all(argv, "-kernel")], [["max"], []]);
    assert.match(disks(argv)[0] ?? "", /^scsi-hd,bus=scsi0\.0,scsi-id=0,id=rescue-disk/);
    const own = { kernelPath: "/rk", ramdiskPath: "/rr", commandLine: "quiet" };
    const booted = rescued({ kernel }, { kernel: own });
    assert.deepEqual([all(booted, "-kernel"), all(booted, "-initrd")], [["/rk"], ["/rr"]]);
  });

  const stable: readonly (readonly [string, Partial<GuestSpec>, Partial<RescueSpec>, string, string[]])[] = [
    [
      "on the bus of the others",
      { swapMib: 1 },
      { stable: { device: "disk", bus: undefined } },
      "virtio-blk-pci",
      [],
    ],
    [
      "behind the others of a numbered bus",
      { swapMib: 1, hardware: { diskBus: "scsi" } },
      { stable: { device: "disk", bus: "scsi" } },
      "scsi-hd,bus=scsi0.0,scsi-id=2",
      ["virtio-scsi-pci,id=scsi0"],
    ],
    [
      "on a bus of its own, with its controller",
      {},
      { stable: { device: "disk", bus: "usb" } },
      "usb-storage,bus=usb.0",
      ["qemu-xhci,id=usb"],
    ],
    [
      "on the bus that the rescue image wants for its disks",
      {},
      { stable: { device: "disk", bus: undefined }, hardware: { diskBus: "sata" } },
      "ide-hd,bus=ide.0",
      [],
    ],
    ["as a disc", {}, { stable: { device: "cdrom", bus: undefined } }, "ide-cd,bus=ide.0", []],
  ];
  for (const [how, over, rescue, device, controllers] of stable) {
    it(`leaves a rescued guest's disks where they are and adds the rescue disk ${how}`, () => {
      const argv = rescued(over, rescue);
      const usual = disks(argvOf({ rootImage: image, rootGib: 1, ...over }));
      assert.deepEqual(disks(argv), [
        ...usual.map((one) => one.replace(",bootindex=1", "")),
        `${device},id=rescue-disk,drive=rescue,serial=rescue,bootindex=1`,
      ]);
      const added = all(argv, "-device").filter((one) => /^(virtio-scsi|qemu-xhci|ich9)/.test(one));
      assert.deepEqual(added, controllers);
      const isRead = rescue.stable?.device === "cdrom" ? true : undefined;
      assert.equal(nodes(argv).find((node) => node["node-name"] === "rescue")?.["read-only"], isRead);
    });
  }

  const impossible: readonly (readonly [Partial<GuestSpec>, RescueSpec["stable"], RegExp])[] = [
    [{}, { device: "floppy", bus: undefined }, /hw_rescue_device=floppy/],
    [{}, { device: "lun", bus: "scsi" }, /hw_rescue_device=lun/],
    [{}, { device: "cdrom", bus: "virtio" }, /hw_rescue_bus=virtio/],
    [{}, { device: "disk", bus: "fdc" }, /hw_rescue_bus=fdc/],
    [{}, { device: "disk", bus: "ide" }, /hw_rescue_bus=ide/],
  ];
  for (const [over, how, message] of impossible)
    it(`refuses a rescue as ${JSON.stringify(how)}`, () =>
      assert.throws(() => rescued(over, { stable: how }), { reason: "UNSUPPORTED_HARDWARE", message }));

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

  it("can be given other interfaces, where each has a slot of its own", () => {
    const definition = (interfaces: GuestSpec["interfaces"], machine = "pc-q35-7.2") =>
      toDefinition(spec({ interfaces }), machine);
    const other = { ...nic, portId: "q", macAddress: "fa:16:3e:00:00:02" };
    const changes: readonly (readonly [GuestSpec["interfaces"], GuestSpec["interfaces"]])[] = [
      [[nic], [nic, other]],
      [[nic, other], [nic]],
      [[nic], []],
    ];
    for (const [from, to] of changes) {
      const changed = withHotDevices(argvOf({ interfaces: from }), definition(to), paths);
      assert.deepEqual(changed, argvOf({ interfaces: to }));
    }
    const first = withHotDevices(argvOf({ interfaces: [] }), definition([nic]), paths);
    assert.deepEqual(first?.toSorted(), argvOf({ interfaces: [nic] }).toSorted());
    const old = "pc-i440fx-7.2";
    assert.equal(withHotDevices(argvOf({ interfaces: [nic] }, old), definition([], old), paths), undefined);
    assert.equal(withHotDevices(argvOf({ interfaces: [] }), definition([nic], old), paths), undefined);
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
