import { randomUUID } from "node:crypto";
import type { GuestSpec, GuestVolume, RescueSpec } from "../../driver.js";

let counter = 0;

/** A one-CPU guest with one virtio interface and a config drive of one file, and no disk at all. */
export function aGuestSpec(over: Partial<GuestSpec> = {}): GuestSpec {
  const number = ++counter;
  const hex = number.toString(16).padStart(8, "0");
  return {
    instanceUuid: randomUUID(),
    instanceName: `instance-${hex}`,
    hostname: `guest-${number}`,
    vcpus: 1,
    memoryMib: 64,
    rootGib: 0,
    ephemerals: [],
    swapMib: 0,
    rootImage: undefined,
    kernel: undefined,
    interfaces: [
      {
        portId: randomUUID(),
        macAddress: `fa:16:3e:00:00:${(number % 256).toString(16).padStart(2, "0")}`,
        mtu: 1450,
        model: "virtio",
        socketPath: "",
      },
    ],
    configDrive: new Map([["openstack/latest/meta_data.json", new TextEncoder().encode("{}")]]),
    hardware: {},
    ...over,
  };
}

/** A rescue with a config drive of one file; another password makes another one. */
export const aRescueSpec = (over: Partial<RescueSpec> = {}): RescueSpec => ({
  image: { imageId: randomUUID(), path: "", virtualSizeBytes: 0 },
  kernel: undefined,
  configDrive: new Map([["openstack/latest/meta_data.json", new TextEncoder().encode('{"rescue": true}')]]),
  hardware: {},
  stable: undefined,
  ...over,
});

/** A volume at a server that does not exist. */
export const aVolume = (over: Partial<GuestVolume> = {}): GuestVolume => ({
  volumeId: randomUUID(),
  deviceName: "/dev/vdb",
  deviceType: "disk",
  bus: undefined,
  bootIndex: undefined,
  tag: undefined,
  connection: {
    readOnly: false,
    shared: false,
    at: { type: "nbd", unix: "/nowhere", exportName: "volume" },
  },
  ...over,
});
