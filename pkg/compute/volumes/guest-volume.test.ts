import assert from "node:assert/strict";
import { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { guestVolume, keyOf } from "./guest-volume.js";

const device = (info: object | string, over: Partial<BlockDeviceRecord> = {}): BlockDeviceRecord =>
  BlockDeviceRecord.fromPartial({
    volumeId: "v",
    deviceName: "/dev/vdb",
    connectionInfo: typeof info === "string" ? info : JSON.stringify(info),
    ...over,
  });
const at = (info: object): unknown => guestVolume(device(info)).connection.at;

/** As the Block Storage service's attachments say it, flat. */
const iscsi = {
  driver_volume_type: "iscsi",
  target_discovered: false,
  target_portal: "192.0.2.1:3260",
  target_iqn: "iqn.2010-10.org.openstack:volume-1",
  target_lun: 1,
  auth_method: "CHAP",
  auth_username: "u",
  auth_password: "p",
  access_mode: "rw",
  encrypted: false,
  attachment_id: "a",
};
const rbd = {
  driver_volume_type: "rbd",
  name: "volumes/volume-1",
  hosts: ["192.0.2.1", "[2001:db8::1]"],
  ports: ["6789", "3300"],
  cluster_name: "ceph",
  auth_enabled: true,
  auth_username: "cinder",
  secret_type: "ceph",
  secret_uuid: "s",
  keyring: null,
};
const nfs = {
  driver_volume_type: "nfs",
  export: "filer:/share",
  name: "volume-1",
  options: null,
  format: "raw",
  mount_point_base: "/var/lib/cinder/mnt",
};

describe("how a volume is reached", () => {
  it("is read as the Block Storage service says it, by protocol", () => {
    const nbd = { driver_volume_type: "nbd", export: "e" };
    assert.deepEqual(at({ ...nbd, unix: "/run/v.sock" }), {
      type: "nbd",
      unix: "/run/v.sock",
      exportName: "e",
    });
    assert.deepEqual(at({ ...nbd, host: "h", port: 10809 }), {
      type: "nbd",
      host: "h",
      port: 10809,
      exportName: "e",
    });
    const target = { type: "iscsi", portal: iscsi.target_portal, target: iscsi.target_iqn, lun: 1 };
    assert.deepEqual(at(iscsi), { ...target, chap: { user: "u", password: "p" } });
    assert.deepEqual(at({ ...iscsi, auth_method: null }), target);
    const monitors = [
      { host: "192.0.2.1", port: "6789" },
      { host: "2001:db8::1", port: "3300" },
    ];
    const image = { type: "rbd", pool: "volumes", image: "volume-1", cluster: "ceph", monitors };
    assert.deepEqual(at(rbd), { ...image, user: "cinder", key: undefined });
    assert.deepEqual(at({ ...rbd, keyring: "[client.cinder]\n\tkey = AQB==\n" }), {
      ...image,
      user: "cinder",
      key: "AQB==",
    });
    assert.deepEqual(at({ ...rbd, auth_enabled: false }), { ...image, user: undefined, key: undefined });
    // md5 of `filer:/share`, as the mounts are named.
    assert.deepEqual(at(nfs), {
      type: "file",
      path: "/var/lib/cinder/mnt/bcf757ab24f34b883f45dbda6cad9246/volume-1",
    });
    assert.deepEqual(at({ driver_volume_type: "local", device_path: "/dev/vg/v" }), {
      type: "file",
      path: "/dev/vg/v",
    });
  });

  it("says who may write, and how the guest sees it", () => {
    const info = { driver_volume_type: "local", device_path: "/d", access_mode: "ro", multiattach: true };
    const found = guestVolume(device(info, { diskBus: "scsi", bootIndex: 0, tag: "t" }));
    assert.deepEqual(
      [found.connection.readOnly, found.connection.shared, found.bus, found.bootIndex, found.tag],
      [true, true, "scsi", 0, "t"],
    );
    assert.equal(found.deviceType, "disk");
  });

  it("is refused where it is of no known kind, or not whole, without a word of what it holds", () => {
    for (const driver_volume_type of ["fibre_channel", "constructor", "__proto__", "toString", ""])
      assert.throws(() => guestVolume(device({ driver_volume_type })), {
        reason: "CONNECTION_NOT_SUPPORTED",
      });
    for (const info of [
      "no JSON",
      {},
      { ...iscsi, target_lun: "x" },
      { ...iscsi, auth_method: "secret" },
      { ...rbd, name: "volume-1" },
      { ...rbd, ports: [] },
      { ...rbd, auth_username: "../x" },
      { ...nfs, name: "../volume-1" },
      { ...nfs, format: "qcow2" },
      { driver_volume_type: "nbd", export: "e" },
    ])
      assert.throws(
        () => guestVolume(device(info)),
        ({ reason, message }: { reason?: string; message?: string }) =>
          reason === "INVALID_ARGUMENT" && !/secret|iqn|cinder/.test(message ?? ""),
        JSON.stringify(info),
      );
  });

  it("finds the key of a keyring", () => {
    assert.equal(keyOf('[client.a]\n  key = AQ==\n  caps mon = "x"'), "AQ==");
    assert.equal(keyOf("[client.a]"), undefined);
  });
});
