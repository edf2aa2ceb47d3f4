import { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { Server } from "../../../gen/kilonova/api/v1/server.js";
import { DiskConfig, HostStatus, PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { PROJECT } from "./test-tokens.js";

export const SERVER_ID = "0e44cc9c-e052-415d-afbf-469b0d384170";
const IMAGE_ID = "70a599e0-31e7-49b7-b260-868f441e862b";
const NETWORK_ID = "f6b1ef80-0b0e-4b1a-a1e5-1d4d3a7d2f10";

export const someFlavor = (partial: Partial<Flavor> = {}): Flavor => ({
  ...Flavor.fromPartial({
    id: "1",
    name: "m1.tiny",
    vcpus: 1,
    memoryMib: 512,
    rootGib: 1,
    rxtxFactor: 1,
    isPublic: true,
    extraSpecs: new Map([["hw:cpu_policy", "shared"]]),
  }),
  ...partial,
});

/** A running server with every part filled. */
export const someServer = (partial: Partial<Server> = {}): Server => ({
  ...Server.fromPartial({
    id: SERVER_ID,
    name: "web",
    projectId: PROJECT,
    userId: "member-user",
    hostname: "web",
    vmState: VmState.VM_STATE_ACTIVE,
    powerState: PowerState.POWER_STATE_RUNNING,
    createdAt: { seconds: 1_762_000_000n, nanos: 0 },
    updatedAt: { seconds: 1_762_000_060n, nanos: 5_000_000 },
    launchedAt: { seconds: 1_762_000_050n, nanos: 880_302_000 },
    flavor: someFlavor(),
    image: { id: IMAGE_ID, properties: new Map([["architecture", "x86_64"]]) },
    metadata: new Map([
      ["role", "front"],
      ["__proto__", "kept"],
    ]),
    tags: ["blue"],
    addresses: [
      {
        networkLabel: "private",
        version: 4,
        address: "192.168.1.30",
        type: "fixed",
        macAddress: "fa:16:3e:0d:11:74",
        portId: "p1",
        networkId: NETWORK_ID,
      },
      {
        networkLabel: "private",
        version: 4,
        address: "203.0.113.5",
        type: "floating",
        macAddress: "fa:16:3e:0d:11:74",
        portId: "p1",
        networkId: NETWORK_ID,
      },
    ],
    accessIpV4: "1.2.3.4",
    diskConfig: DiskConfig.DISK_CONFIG_AUTO,
    keyName: "key",
    securityGroups: ["default"],
    availabilityZone: "nova",
    volumes: [{ id: "9c1a1f6e-0f35-4cd0-a5b5-3c0e0d6b8e11", deleteOnTermination: true }],
    schedulerHints: { sameHost: ["48e6a9f6-30af-47e0-bc04-acaed113bb4e"] },
    reservationId: "r-3fhpjulh",
    hostId: "92154fab69d5883ba2c8622b7e65f745dd33257221c07af363c51b29",
    generation: 7n,
  }),
  ...partial,
});

/** The same as administrators get it from `api`. */
export const someServerForAdmin = (partial: Partial<Server> = {}): Server =>
  someServer({
    hostStatus: HostStatus.HOST_STATUS_UP,
    hostInfo: {
      host: "compute-1",
      node: "compute-1.example",
      instanceName: "instance-0000002a",
      cell: "cell1",
      launchedOn: "compute-1",
      rootDeviceName: "/dev/vda",
    },
    ...partial,
  });
