import assert from "node:assert/strict";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { CommonErrors, defineErrors, rootCtx } from "../../kernel/index.js";
import { metadataService } from "../metadata/index.js";
import type { TaggedVolume } from "../driver.js";
import type { VendorDataSubject } from "../vendordata/index.js";
import { cellGuestData } from "./guest-data-source.js";
import type { CellGuestDataDeps } from "./guest-data-source.js";

const ctx = rootCtx({ requestId: "req-test" });
const uuid = "6c1bc2d2-4b9e-4d0a-8a53-3a2f1f4f1c11";
const Errors = defineErrors("cells", {
  SERVER_NOT_FOUND: ["missing", (_p: Record<string, never>) => "no such server"],
  SERVER_PASSWORD_EXISTS: ["exists", (_p: Record<string, never>) => "has one"],
});

const record = (over: Parameters<typeof InstanceRecord.fromPartial>[0] = {}): InstanceRecord =>
  InstanceRecord.fromPartial({
    number: 42n,
    server: {
      id: uuid,
      name: "Web 1",
      hostname: "web-1",
      projectId: "p1",
      generation: 1n,
      userData: Buffer.from("#!/bin/sh\n").toString("base64"),
      metadata: new Map([["role", "web"]]),
      flavor: { name: "m1.tiny", ephemeralGib: 1, swapMib: 64 },
      image: { id: "0a1b2c3d-0000-4000-8000-000000000000" },
      addresses: [{ type: "floating", version: 4, address: "203.0.113.7" }],
    },
    spec: {
      keyName: "k",
      publicKey: "ssh-ed25519 AAAA",
      keyType: "ssh",
      image: { id: "0a1b2c3d-0000-4000-8000-000000000000" },
      kernel: { id: "11111111-0000-4000-8000-000000000000" },
      bootRoles: ["member"],
    },
    ports: [
      {
        portId: "0a1b2c3d-4e5f",
        networkId: "n",
        macAddress: "fa:16:3e:00:00:01",
        mtu: 1450,
        vifType: "ovs",
        tag: "mgmt",
        addresses: [
          {
            subnetId: "s",
            ipAddress: "fd00::5",
            prefixLength: 64,
            version: 6,
            dhcpEnabled: true,
            ipv6AddressMode: "slaac",
          },
        ],
      },
    ],
    ...over,
  });

/** A cell with one instance, and an operator who tells everybody something. */
function scene(metadataCacheExpirationMs: number) {
  const state = {
    tagged: [] as TaggedVolume[],
    instance: record(),
    reads: 0,
    asked: [] as VendorDataSubject[],
  };
  const instances: CellGuestDataDeps["instances"] = {
    getInstance: async (_ctx, { serverId, withUserData }) => {
      assert.equal(withUserData, true);
      state.reads += 1;
      if (serverId === "broken") throw CommonErrors.UNAVAILABLE({ what: "cell1" });
      if (serverId !== uuid) throw Errors.SERVER_NOT_FOUND({});
      return { instance: state.instance };
    },
    saveServerPassword: async (_ctx, { serverPassword }) => {
      if (state.instance.serverPassword !== "") throw Errors.SERVER_PASSWORD_EXISTS({});
      const { server } = state.instance;
      state.instance = {
        ...state.instance,
        serverPassword: serverPassword ?? "",
        server: server && { ...server, generation: server.generation + 1n },
      };
      return {};
    },
  };
  const vendorData: CellGuestDataDeps["vendorData"] = {
    hasFixed: true,
    fixed: async () => ({ a: 1 }),
    dynamic: async (_ctx, subject) => {
      state.asked.push(subject);
      return new Map([["join", { token: "t" }]]);
    },
  };
  const source = cellGuestData({
    cell: "cell1",
    domain: "novalocal",
    instances,
    vendorData,
    taggedVolumes: async (_ctx, serverId) => (serverId === uuid ? state.tagged : []),
    metadataCacheExpirationMs,
  });
  const service = metadataService(source);
  const ask = async (path: string, method = "GET", body = ""): Promise<string> => {
    const answer = await service.answer(ctx, { instanceUuid: uuid, method, path, body: Buffer.from(body) });
    return answer.status === 200 ? Buffer.from(answer.body).toString() : String(answer.status);
  };
  return { state, source, ask };
}

describe("guests' metadata from their records", () => {
  it("tells what the record says", async () => {
    const { source } = scene(0);
    const data = (await source.guestData(ctx, uuid))?.data;
    assert.deepEqual(
      [data?.floatingIp, data?.instanceType, data?.ec2Ids],
      [
        "203.0.113.7",
        "m1.tiny",
        { instanceId: "i-0000002a", imageId: "ami-0a1b2c3d", kernelId: "aki-11111111" },
      ],
    );
    assert.deepEqual(
      [...(data?.blockDeviceMapping ?? [])],
      [
        ["ami", "vda"],
        ["root", "/dev/vda"],
        ["ephemeral0", "/dev/vdb"],
        ["swap", "/dev/vdc"],
      ],
    );
    assert.deepEqual(data?.devices, [
      { type: "nic", bus: "none", address: "none", mac: "fa:16:3e:00:00:01", tags: ["mgmt"] },
    ]);
    assert.deepEqual(
      [data?.networks[0]?.vifType, data?.networks[0]?.subnets[0]?.ipv6AddressMode],
      ["ovs", "slaac"],
    );
    assert.equal(data?.adminPass, undefined);
  });

  it("knows no guest that the cell does not know, and fails when the cell fails", async () => {
    const { source } = scene(0);
    assert.equal(await source.guestData(ctx, "00000000-0000-4000-8000-000000000009"), undefined);
    await assert.rejects(source.guestData(ctx, "broken"), { kind: "unavailable" });
  });

  it("keeps a record for as long as configured, and reads it each time when that is no time", async () => {
    const [cached, uncached] = [scene(60_000), scene(0)];
    for (const { ask } of [cached, uncached])
      for (let n = 0; n < 3; n++) await ask("/latest/meta-data/hostname");
    assert.deepEqual([cached.state.reads, uncached.state.reads], [1, 3]);
    uncached.state.instance = record({ server: { ...record().server, hostname: "web-2", generation: 2n } });
    assert.equal(await uncached.ask("/latest/meta-data/hostname"), "web-2.novalocal");
  });

  it("tells of volumes with tags as soon as the guest has them, however long records are kept", async () => {
    const { ask, state } = scene(60_000);
    const devices = async (): Promise<unknown> =>
      (JSON.parse(await ask("/openstack/latest/meta_data.json")) as { devices: unknown[] }).devices.slice(1);
    assert.deepEqual(await devices(), []);
    const volume = { volumeId: "v", deviceName: "/dev/vdb", tag: "db" };
    state.tagged = [{ ...volume, bus: "pci", address: "0000:02:00.0" }];
    const told = { type: "disk", serial: "v", path: "/dev/vdb", tags: ["db"] };
    assert.deepEqual(await devices(), [{ ...told, bus: "pci", address: "0000:02:00.0" }]);
    state.tagged = [{ ...volume, bus: "scsi", address: undefined }];
    assert.deepEqual(await devices(), [{ ...told, bus: "scsi", address: "none" }]);
  });

  it("lists vendor data, and tells services what Nova tells them", async () => {
    const { ask, state } = scene(60_000);
    assert.match(await ask("/openstack/latest"), /vendor_data\.json/);
    assert.deepEqual(JSON.parse(await ask("/openstack/latest/vendor_data.json")), { a: 1 });
    assert.equal(state.asked.length, 0);
    assert.deepEqual(JSON.parse(await ask("/openstack/latest/vendor_data2.json")), {
      static: { a: 1 },
      join: { token: "t" },
    });
    assert.deepEqual(state.asked, [
      {
        projectId: "p1",
        instanceUuid: uuid,
        imageId: "0a1b2c3d-0000-4000-8000-000000000000",
        userData: "IyEvYmluL3NoCg==",
        hostname: "web-1",
        metadata: new Map([["role", "web"]]),
        bootRoles: ["member"],
      },
    ]);
  });

  it("shows a posted password at once, and takes no second one, however long records are kept", async () => {
    const { ask } = scene(60_000);
    const path = "/openstack/latest/password";
    assert.equal(await ask(path), "");
    assert.equal(await ask(path, "POST", "c2VjcmV0"), "");
    assert.equal(await ask(path), "c2VjcmV0");
    assert.equal(await ask(path, "POST", "another"), "409");
  });

  it("loses to another host's or replica's guest who was faster", async () => {
    const { source, state } = scene(60_000);
    await source.guestData(ctx, uuid);
    state.instance = record({ serverPassword: "first" });
    assert.equal(await source.savePassword(ctx, uuid, "second"), false);
    assert.equal((await source.guestData(ctx, uuid))?.data.password, "first");
  });
});
