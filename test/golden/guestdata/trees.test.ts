import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { buildMetadataTree, configDriveFiles } from "../../../pkg/compute/guestdata/index.js";
import { someGuest } from "../../../pkg/compute/guestdata/testing/some-guest.js";

/** A guest with everything that any version tells. */
const guest = someGuest({
  userData: Buffer.from("#!/bin/sh\n"),
  adminPass: "s3cret",
  password: "c2VjcmV0",
  files: [{ path: "/etc/motd", contents: Buffer.from("hello\n") }],
  vendorData: { motd: "hi" },
  dynamicVendorData: new Map([["join", { token: "t" }]]),
  floatingIp: "203.0.113.7",
  dedicatedCpus: [1, 3],
  ec2Ids: {
    instanceId: "i-0000002a",
    imageId: "ami-0a1b2c3d",
    kernelId: "aki-11111111",
    ramdiskId: "ari-22222222",
  },
  blockDeviceMapping: new Map([
    ["ami", "vda"],
    ["root", "/dev/vda"],
    ["ephemeral0", "/dev/vdb"],
  ]),
  devices: [
    {
      type: "nic",
      bus: "pci",
      address: "0000:00:02.0",
      tags: ["mgmt"],
      mac: "fa:16:3e:00:00:01",
      vlan: 7,
      vfTrusted: true,
    },
    { type: "disk", bus: "pci", address: "0000:00:03.0", tags: ["db"], serial: "s", path: "/dev/vdb" },
    { type: "share", bus: "none", address: "none", tags: [], shareId: "s1", mountTag: "data" },
  ],
  networks: [
    ...someGuest().networks.map((nic) => ({
      ...nic,
      subnets: [
        ...nic.subnets,
        {
          subnetId: "s6",
          version: 6 as const,
          ip: "fd00::5",
          prefix: 64,
          dhcp: false,
          gateway: "fd00::1",
          dns: ["fd00::53"],
          routes: [],
        },
      ],
    })),
    {
      portId: "0a1b2c3d-5f5f-4000-8000-000000000002",
      networkId: "net-2",
      mac: "fa:16:3e:00:00:02",
      mtu: 1450,
      vifType: "kilonova",
      subnets: [
        {
          subnetId: "d4",
          version: 4,
          ip: "10.1.0.5",
          prefix: 24,
          dhcp: true,
          gateway: "10.1.0.1",
          dns: [],
          routes: [],
        },
        {
          subnetId: "d6",
          version: 6,
          ip: "fd01::5",
          prefix: 64,
          dhcp: true,
          ipv6AddressMode: "slaac",
          dns: [],
          routes: [],
        },
      ],
    },
  ],
});
const seed = new Uint8Array(512).fill(7);

/** The documents as the golden files have them: JSON parsed, the random seed by name. */
function readable(tree: ReadonlyMap<string, Uint8Array>): Record<string, unknown> {
  return Object.fromEntries(
    [...tree].map(([path, bytes]) => {
      const text = Buffer.from(bytes)
        .toString()
        .replace(Buffer.from(seed).toString("base64"), "<random_seed>");
      return [path, path.endsWith(".json") ? (JSON.parse(text) as unknown) : text];
    }),
  );
}

/** The expected trees are written down from Nova's behaviour; they are never generated from this code. */
function expected(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8")) as Record<string, unknown>;
}

function compare(found: Record<string, unknown>, wanted: Record<string, unknown>): void {
  assert.deepEqual(Object.keys(found).sort(), Object.keys(wanted).sort());
  for (const [path, document] of Object.entries(wanted)) assert.deepEqual(found[path], document, path);
}

describe("golden: what guests are told, in every version", () => {
  it("by the metadata service", () => {
    const { adminPass: _, ...told } = guest;
    const tree = new Map([...buildMetadataTree(told, seed)].filter(([path]) => !path.startsWith("/ec2")));
    compare(readable(tree), expected("service.json"));
  });

  it("on the config drive", () => {
    compare(readable(configDriveFiles(guest, seed)), expected("config-drive.json"));
  });
});
