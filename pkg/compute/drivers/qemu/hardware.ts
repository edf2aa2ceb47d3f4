import { DriverErrors } from "../errors.js";
import type { HardwareOffer } from "./config.js";
import type { StoredSpec } from "./definition.js";
import { machineFamily } from "./machine-family.js";

/** NIC models by their Nova name; only virtio tells the guest its MTU. */
export const nicModels: Readonly<Record<string, { readonly device: string; readonly tellsMtu: boolean }>> = {
  virtio: { device: "virtio-net-pci", tellsMtu: true },
  e1000: { device: "e1000", tellsMtu: false },
  e1000e: { device: "e1000e", tellsMtu: false },
  rtl8139: { device: "rtl8139", tellsMtu: false },
  pcnet: { device: "pcnet", tellsMtu: false },
  ne2k_pci: { device: "ne2k_pci", tellsMtu: false },
};

/** How a disk hangs on its bus: controllers to add once, and the device of the n-th disk. */
export interface DiskBus {
  readonly controllers: readonly string[];
  readonly device: (index: number) => string;
  /** The same as an optical disc, where the bus has such. */
  readonly cdrom?: (index: number) => string;
  /** How many disks fit. */
  readonly slots: number;
}

const diskBuses: Readonly<Record<string, (family: "q35" | "pc") => DiskBus>> = {
  virtio: () => ({ controllers: [], device: () => "virtio-blk-pci", slots: 8 }),
  scsi: () => ({
    controllers: ["virtio-scsi-pci,id=scsi0"],
    device: (i) => `scsi-hd,bus=scsi0.0,scsi-id=${i}`,
    cdrom: (i) => `scsi-cd,bus=scsi0.0,scsi-id=${i}`,
    slots: 8,
  }),
  // q35 has six SATA ports on board.
  sata: (family) => {
    const port = (i: number): string => `bus=${family === "q35" ? "ide" : "sata"}.${i}`;
    return {
      controllers: family === "q35" ? [] : ["ich9-ahci,id=sata"],
      device: (i) => `ide-hd,${port(i)}`,
      cdrom: (i) => `ide-cd,${port(i)}`,
      slots: 6,
    };
  },
  usb: () => ({ controllers: ["qemu-xhci,id=usb"], device: () => "usb-storage,bus=usb.0", slots: 4 }),
};
const ide: DiskBus = {
  controllers: [],
  device: (i) => `ide-hd,bus=ide.${i >> 1},unit=${i & 1}`,
  cdrom: (i) => `ide-cd,bus=ide.${i >> 1},unit=${i & 1}`,
  slots: 4,
};

/**
 * @param property  that says so, for errors
 * @throws UNSUPPORTED_HARDWARE: q35 has no IDE controller
 */
export function diskBus(name: string, family: "q35" | "pc", property = "hw_disk_bus"): DiskBus {
  if (name === "ide" && family === "pc") return ide;
  const make = Object.hasOwn(diskBuses, name) ? diskBuses[name] : undefined;
  if (make === undefined) throw DriverErrors.UNSUPPORTED_HARDWARE({ property, value: name });
  return make(family);
}

/**
 * The machine type to write down: unpinned names get their version now.
 * @throws UNSUPPORTED_HARDWARE for anything but those of the two PC families that this host's QEMU has; the
 *   names come from image properties
 */
export function pinMachine(machineType: string | undefined, { pinned, machines }: HardwareOffer): string {
  const wanted = machineType ?? "q35";
  if (wanted === "q35" || wanted === "pc") return pinned[wanted];
  if (!canPin(wanted, { machines }))
    throw DriverErrors.UNSUPPORTED_HARDWARE({ property: "hw_machine_type", value: wanted });
  return wanted;
}

/** Whether this is a machine with its version that this host's QEMU has. */
export const canPin = (machine: string, { machines }: Pick<HardwareOffer, "machines">): boolean =>
  /^pc-(q35|i440fx)-\d+\.\d+$/.test(machine) && machines.has(machine);

/** That disks can be made with here. */
const FILE_SYSTEMS: ReadonlySet<string> = new Set(["ext2", "ext3", "ext4"]);

/** More take an interrupt controller that no guest here has. */
const MOST_CPUS = 255;

/**
 * @throws UNSUPPORTED_HARDWARE for what the argv builder could not build, or QEMU would refuse at the start
 */
export function checkHardware(
  spec: StoredSpec,
  machine: string,
  { machines, cpuModels }: Pick<HardwareOffer, "machines" | "cpuModels">,
): void {
  const { architecture, cpuModel, diskBus: bus } = spec.hardware;
  const refuse = (property: string, value: string): never => {
    throw DriverErrors.UNSUPPORTED_HARDWARE({ property, value });
  };
  if (architecture !== undefined && !["x86_64", "i686"].includes(architecture))
    refuse("hw_architecture", architecture);
  if (cpuModel !== undefined && !(/^[\w.-]{1,64}$/.test(cpuModel) && cpuModels.has(cpuModel)))
    refuse("hw_cpu_model", cpuModel);
  diskBus(bus ?? "virtio", machineFamily(machine));
  for (const ephemeral of spec.ephemerals) {
    if (ephemeral.bus !== undefined) diskBus(ephemeral.bus, machineFamily(machine), "disk_bus");
    if (!FILE_SYSTEMS.has(ephemeral.format ?? "ext4")) refuse("guest_format", ephemeral.format ?? "");
  }
  // A machine that an older QEMU gave, before an upgrade, is left to QEMU.
  if (spec.vcpus < 1 || spec.vcpus > Math.min(machines.get(machine) ?? MOST_CPUS, MOST_CPUS))
    refuse("vcpus", String(spec.vcpus));
  for (const nic of spec.interfaces) {
    if (!Object.hasOwn(nicModels, nic.model)) refuse("hw_vif_model", nic.model);
    if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(nic.macAddress)) refuse("mac", nic.macAddress);
    if (!/^[\w-]{1,64}$/.test(nic.portId)) refuse("port", nic.portId);
  }
  if (spec.interfaces.length > 16) refuse("interfaces", String(spec.interfaces.length));
}
