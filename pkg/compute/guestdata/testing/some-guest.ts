import type { GuestData } from "../guest-data.js";

/** A guest with one of everything; a test overrides what it looks at. */
export const someGuest = (over: Partial<GuestData> = {}): GuestData => ({
  uuid: "6c1bc2d2-4b9e-4d0a-8a53-3a2f1f4f1c11",
  hostname: "web-1",
  domain: "novalocal",
  name: "Web 1",
  projectId: "p1",
  launchIndex: 2,
  availabilityZone: "az1",
  keys: [{ name: "mykey", type: "ssh", data: "ssh-ed25519 AAAA me" }],
  metadata: new Map([["role", "web"]]),
  networks: [
    {
      portId: "0a1b2c3d-4e5f-4000-8000-000000000001",
      networkId: "net-1",
      mac: "fa:16:3e:00:00:01",
      mtu: 1450,
      vifType: "ovs",
      subnets: [
        {
          subnetId: "sub-1",
          version: 4,
          ip: "10.0.0.5",
          prefix: 24,
          dhcp: false,
          gateway: "10.0.0.1",
          dns: ["9.9.9.9"],
          routes: [{ destination: "10.9.0.0/16", nextHop: "10.0.0.9" }],
        },
      ],
    },
  ],
  vendorData: {},
  securityGroups: ["default", "web"],
  reservationId: "r-abc",
  instanceType: "m1.tiny",
  ec2Ids: { instanceId: "i-0000002a", imageId: "ami-0a1b2c3d" },
  ...over,
});
