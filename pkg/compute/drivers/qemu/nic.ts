import type { StoredNic } from "./definition.js";
import { nicModels } from "./hardware.js";

/** QEMU's name of the wire behind an interface. */
export const netdevOf = ({ device }: Pick<StoredNic, "device">): string => `net${device.slice(3)}`;

/** PCIe slots (root ports) of a q35 machine by their names. */
export const rootPort = (slot: number): string => `rp${slot}`;

/** An interface as QEMU's device, for its command line and its monitor alike. */
export function nicDevice(nic: StoredNic): Readonly<Record<string, string | number>> {
  const model = nicModels[nic.model];
  return {
    driver: model?.device ?? "virtio-net-pci",
    id: nic.device,
    netdev: netdevOf(nic),
    mac: nic.macAddress,
    ...(model?.tellsMtu && nic.mtu > 0 ? { host_mtu: nic.mtu } : {}),
    // No option ROM: guests do not boot from the network, and it would cost a second.
    romfile: "",
    ...(nic.slot === null ? {} : { bus: rootPort(nic.slot) }),
  };
}
