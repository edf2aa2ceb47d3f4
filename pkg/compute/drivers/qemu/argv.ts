import { asStarted } from "./definition.js";
import type { Definition, StoredNic, StoredSpec, StoredVolume } from "./definition.js";
import { planDisks } from "./disk-plan.js";
import type { PlannedDisk } from "./disk-plan.js";
import { AGENT_CHARDEV } from "./guest-agent.js";
import { volumeName, volumePaths } from "./guest-paths.js";
import type { GuestPaths } from "./guest-paths.js";
import { diskBus } from "./hardware.js";
import { machineFamily } from "./machine-family.js";
import { netdevOf, nicDevice, rootPort } from "./nic.js";
import { volumeControllers, volumeDevice, volumeNode, volumesAtStart } from "./volume-device.js";
import type { DeviceProperties } from "./volume-device.js";

/** What of the host's options shapes the command line. */
export interface ArgvOptions {
  readonly qemu: string;
  readonly virtType: "tcg" | "kvm";
}

/**
 * The command line of a guest. Pure. Every disk names its format and its whole chain, so that QEMU never has
 * to guess what a file is; every value that could hold a comma is escaped or JSON.
 */
export function buildArgv(defined: Definition, paths: GuestPaths, options: ArgvOptions): readonly string[] {
  const definition = asStarted(defined);
  const { spec, machine } = definition;
  return [
    options.qemu,
    ...identity(spec),
    ...platform(spec, machine, options.virtType),
    ...monitors(paths),
    ...ports(definition),
    ...planDisks(definition, paths).flatMap((disk) => blockNodes(disk)),
    ...diskDevices(definition, paths),
    ...spec.interfaces.flatMap((nic) => network(nic)),
    ...(spec.hardware.guestAgent === true ? guestAgent(paths) : []),
    "-device",
    "virtio-balloon-pci,id=balloon0",
    "-object",
    "rng-random,id=rng0,filename=/dev/urandom",
    "-device",
    "virtio-rng-pci,id=rngdev0,rng=rng0",
    ...kernel(spec),
    ...screen(paths),
    // Behind all others, which keep the places that the guest knows them by.
    ...volumesAtStart(definition).flatMap((volume) => volumeWords(definition, paths, volume)),
    // QEMU may neither start processes nor gain rights; what it needs was opened or given before.
    "-sandbox",
    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
  ];
}

/** Arguments by which the guest's process is known among all others of this machine. */
export const processMarks = (instanceUuid: string, paths: GuestPaths): readonly string[] => [
  instanceUuid,
  qmpChardev(paths),
];

function identity(spec: StoredSpec): string[] {
  const smbios = {
    type: "1",
    manufacturer: "OpenStack Foundation",
    product: "OpenStack Compute",
    serial: spec.instanceUuid,
    uuid: spec.instanceUuid,
    family: "Virtual Machine",
  };
  return [
    "-name",
    options({ guest: spec.instanceName, process: `qemu:${spec.instanceName}`, "debug-threads": "on" }),
    "-uuid",
    spec.instanceUuid,
    // cloud-init looks for this product name before it asks for OpenStack's metadata.
    "-smbios",
    options(smbios),
  ];
}

function platform(spec: StoredSpec, machine: string, virtType: "tcg" | "kvm"): string[] {
  const cpu = spec.hardware.cpuModel ?? (virtType === "kvm" ? "host" : "max");
  const chipset = machineFamily(machine) === "q35" ? "ICH9-LPC" : "PIIX4_PM";
  return [
    "-machine",
    `${machine},usb=off,vmport=off,dump-guest-core=off`,
    "-accel",
    virtType === "kvm" ? "kvm" : "tcg,thread=multi",
    "-cpu",
    cpu,
    "-smp",
    `${spec.vcpus},sockets=${spec.vcpus},cores=1,threads=1`,
    "-m",
    `${spec.memoryMib}M`,
    "-nodefaults",
    "-no-user-config",
    "-display",
    "none",
    "-vga",
    "none",
    "-msg",
    "timestamp=on",
    "-rtc",
    "base=utc,driftfix=slew",
    // Sleep states would look like a guest that hangs.
    "-global",
    `${chipset}.disable_s3=1`,
    "-global",
    `${chipset}.disable_s4=1`,
    // Started paused: networks are plugged before the first instruction. And a guest that powers itself off
    // leaves its process behind, paused, so that an agent that was away can tell that from a crash.
    "-S",
    "-action",
    "shutdown=pause",
  ];
}

function monitors(paths: GuestPaths): string[] {
  return [
    "-chardev",
    qmpChardev(paths),
    "-mon",
    "chardev=qmp0,mode=control",
    "-chardev",
    options({ socket: undefined, id: "qmp1", path: paths.operatorSocket, server: "on", wait: "off" }),
    "-mon",
    "chardev=qmp1,mode=control",
    "-chardev",
    options({
      socket: undefined,
      id: "serial0",
      path: paths.serialSocket,
      server: "on",
      wait: "off",
      logfile: paths.consoleLog,
      logappend: "on",
    }),
    "-serial",
    "chardev:serial0",
  ];
}

const guestAgent = (paths: GuestPaths): string[] => [
  "-chardev",
  options({ socket: undefined, id: AGENT_CHARDEV, path: paths.agentSocket, server: "on", wait: "off" }),
  "-device",
  "virtio-serial-pci,id=serialbus0",
  "-device",
  `virtserialport,bus=serialbus0.0,chardev=${AGENT_CHARDEV},name=org.qemu.guest_agent.0`,
];

const qmpChardev = (paths: GuestPaths): string =>
  options({ socket: undefined, id: "qmp0", path: paths.qmpSocket, server: "on", wait: "off" });

/** A graphics adapter behind all other devices: they keep the slots that guests know them by. */
const screen = (paths: GuestPaths): string[] => [
  "-device",
  "VGA,id=video0",
  "-vnc",
  `unix:${paths.vncSocket.replaceAll(",", ",,")}`,
];

/** PCIe slots out of which devices can be taken while the guest runs; q35 cannot add slots later. */
function ports({ machine, rootPorts }: Definition): string[] {
  if (machineFamily(machine) !== "q35") return [];
  return Array.from({ length: rootPorts }, (_, i) => [
    "-device",
    `pcie-root-port,id=${rootPort(i)},chassis=${i + 1},slot=${i + 1},bus=pcie.0`,
  ]).flat();
}

function blockNodes(disk: PlannedDisk): string[] {
  const nodes: Record<string, unknown>[] = [];
  if (disk.base !== undefined) {
    nodes.push(
      { driver: "file", "node-name": `${disk.node}-base-file`, filename: disk.base, "read-only": true },
      { driver: "raw", "node-name": `${disk.node}-base`, file: `${disk.node}-base-file`, "read-only": true },
    );
  }
  const readOnly = disk.readOnly ? { "read-only": true } : { discard: "unmap" };
  nodes.push({ driver: "file", "node-name": `${disk.node}-file`, filename: disk.path, ...readOnly });
  nodes.push({
    driver: disk.format,
    "node-name": disk.node,
    file: `${disk.node}-file`,
    ...readOnly,
    ...(disk.format === "qcow2" ? { backing: disk.base === undefined ? null : `${disk.node}-base` } : {}),
  });
  return nodes.flatMap((node) => ["-blockdev", JSON.stringify(node)]);
}

function diskDevices(definition: Definition, paths: GuestPaths): string[] {
  const family = machineFamily(definition.machine);
  const usual = definition.spec.hardware.diskBus ?? "virtio";
  const controllers = new Set(diskBus(usual, family).controllers);
  const taken = new Map<string, number>();
  const devices = planDisks(definition, paths).map((disk) => {
    const boot = disk.bootIndex === undefined ? "" : `,bootindex=${disk.bootIndex}`;
    return `${onBus(disk)},id=${disk.node}-disk,drive=${disk.node},serial=${disk.node}${boot}`;
  });
  for (const volume of volumesAtStart(definition))
    for (const controller of volumeControllers(definition, volume)) controllers.add(controller);
  return [...controllers, ...devices].flatMap((device) => ["-device", device]);

  function onBus({ node, bus: name = usual, isCdrom }: PlannedDisk): string {
    // The config drive is always virtio: it must be readable whatever controller the image has drivers for,
    // and its image was built for this cloud.
    if (node === "config") return "virtio-blk-pci";
    const bus = diskBus(name, family);
    for (const controller of bus.controllers) controllers.add(controller);
    const index = taken.get(name) ?? 0;
    taken.set(name, index + 1);
    return (isCdrom && bus.cdrom ? bus.cdrom : bus.device)(index);
  }
}

/**
 * A guest's command line with the interfaces and volumes that it has now instead of those that it was started
 * with. Each must sit in a place of its own: then no other device moves, and memory of the guest fits.
 * @returns undefined where one sits where QEMU chose
 */
export function withHotDevices(
  argv: readonly string[],
  definition: Definition,
  paths: GuestPaths,
): readonly string[] | undefined {
  const { interfaces } = definition.spec;
  const volumes = volumesAtStart(definition);
  const others: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (word !== "-netdev" && !(word === "-blockdev" && OF_VOLUME.test(argv[at + 1] ?? "")))
      others.push(word);
    else if (!IN_PLACE.test(argv[at + 3] ?? "")) return undefined;
    else at += 3;
  }
  const words = volumes.map((volume) => volumeWords(definition, paths, volume));
  if (interfaces.some(({ slot }) => slot === null)) return undefined;
  if (words.some((four) => !IN_PLACE.test(four[3] ?? ""))) return undefined;
  const first = argv.indexOf("-netdev");
  const wired = others.toSpliced(first < 0 ? others.length : first, 0, ...interfaces.flatMap(network));
  return wired.toSpliced(wired.lastIndexOf("-sandbox"), 0, ...words.flat());
}

/** Interfaces in slots, and volumes wherever they can be plugged. */
const IN_PLACE = /,bus=(rp\d+|scsi0\.0|usb\.0|pci\.0,addr=\w+)(,|$)/;
const OF_VOLUME = /"node-name":"vol-/;

/**
 * Whether no interface or volume of a guest, if it is on that command line, sits where another one did, or
 * has the data of another one: a device that came back elsewhere would take the other's memory.
 */
export function inSamePlaces(argv: readonly string[], definition: Definition, paths: GuestPaths): boolean {
  const places = new Map(
    argv.flatMap((word, at) => (word === "-device" ? [placeOf(argv[at + 1] ?? "")] : [])),
  );
  const drives = new Set(argv.map((word) => /,drive=([^,]+)/.exec(word)?.[1]));
  const now = [
    ...definition.spec.interfaces.map(network),
    ...volumesAtStart(definition).map((volume) => volumeWords(definition, paths, volume)),
  ].map((words) => placeOf(words[3] ?? ""));
  return (
    now.every(([id, place]) => (places.get(id) ?? place) === place) &&
    volumesAtStart(definition).every(
      ({ device, volumeId }) => !places.has(device) || drives.has(volumeName(volumeId)),
    )
  );
}

const placeOf = (word: string): readonly [id: string, place: string] => [
  /,id=([^,]+)/.exec(word)?.[1] ?? "",
  [...word.matchAll(/,(?:bus|addr|scsi-id|port|unit)=[^,]+/g)].join(""),
];

/** Four words: two for the data, two for the device. */
const volumeWords = (definition: Definition, paths: GuestPaths, volume: StoredVolume): readonly string[] => [
  "-blockdev",
  JSON.stringify(volumeNode(volume, volumePaths(paths, volume.volumeId).socket)),
  "-device",
  deviceWord(volumeDevice(definition, volume)),
];

const deviceWord = ({ driver, ...properties }: DeviceProperties): string =>
  [driver, ...Object.entries(properties).map(([key, value]) => `${key}=${asWord(value)}`)].join(",");

const asWord = (value: string | number | boolean): string =>
  typeof value === "boolean" ? (value ? "on" : "off") : String(value).replaceAll(",", ",,");

/** Four words: two for the wire, two for the device. */
function network(nic: StoredNic): string[] {
  return [
    "-netdev",
    options({
      stream: undefined,
      id: netdevOf(nic),
      server: "on",
      "addr.type": "unix",
      "addr.path": nic.socketPath,
    }),
    "-device",
    deviceWord(nicDevice(nic)),
  ];
}

function kernel(spec: StoredSpec): string[] {
  if (spec.kernel === null) return [];
  const { kernelPath, ramdiskPath, commandLine } = spec.kernel;
  return [
    "-kernel",
    kernelPath,
    ...(ramdiskPath === null ? [] : ["-initrd", ramdiskPath]),
    ...(commandLine === "" ? [] : ["-append", commandLine]),
  ];
}

/**
 * QEMU's option syntax; a comma inside a value is written twice. An undefined value stands for the bare key.
 */
function options(pairs: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(pairs)
    .map(([key, value]) => (value === undefined ? key : `${key}=${value.replaceAll(",", ",,")}`))
    .join(",");
}
