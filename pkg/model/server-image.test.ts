import assert from "node:assert/strict";
import { Quiesce } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import { Server } from "../../gen/kilonova/cells/v1/server.js";
import { ServerSpec } from "../../gen/kilonova/type/v1/server_spec.js";
import { imageOfServer } from "./server-image.js";

const server = Server.fromPartial({
  id: "s1",
  projectId: "p1",
  flavor: { rootGib: 5 },
  image: {
    id: "base",
    properties: new Map([
      ["hw_disk_bus", "scsi"],
      ["os_distro", "debian"],
      ["img_signature", "x"],
      ["img_signature_hash_method", "x"],
      ["img_signature_key_type", "x"],
      ["img_signature_certificate_uuid", "x"],
      ["img_block_device_mapping", "[]"],
      ["cinder_encryption_key_id", "x"],
      ["bittorrent", "x"],
      ["block_device_mapping", "[]"],
      ["os_glance_importing_to_stores", "x"],
    ]),
  },
});
const wanted = {
  imageId: "i1",
  name: "picture",
  kind: "snapshot",
  metadata: new Map([
    ["os_distro", "mine"],
    ["purpose", "test"],
  ]),
  userId: "u1",
  projectId: "p1",
} as const;
const spec = (properties: [string, string][] = []) =>
  ServerSpec.fromPartial({
    bootRoles: ["member", "reader"],
    image: { minDiskGib: 2, minMemoryMib: 64, properties: new Map(properties) },
  });

describe("the image of a server", () => {
  it("inherits what says how to run it, and says whose server it was; the user's word wins", () => {
    const image = imageOfServer(server, spec(), wanted);
    assert.deepEqual(Object.fromEntries(image.properties), {
      hw_disk_bus: "scsi",
      os_distro: "mine",
      purpose: "test",
      base_image_ref: "base",
      boot_roles: "member,reader",
      owner_id: "p1",
      image_location: "snapshot",
      image_state: "available",
      instance_uuid: "s1",
      user_id: "u1",
      image_type: "snapshot",
    });
    assert.deepEqual(
      [image.owner, image.memberProjectId, image.minDiskGib, image.minMemoryMib],
      ["p1", "", 5, 64],
    );
  });

  it("belongs to who asked, and lets the server's project in", () => {
    const image = imageOfServer(server, spec(), { ...wanted, projectId: "adm" });
    assert.deepEqual([image.owner, image.memberProjectId], ["adm", "p1"]);
    assert.equal(image.properties.get("instance_owner"), "p1");
  });

  it("is one of a backup type, whatever the user's metadata say", () => {
    const metadata = new Map([["backup_type", "other"]]);
    const backup = { ...wanted, kind: "backup", backupType: "daily", metadata } as const;
    const { properties } = imageOfServer(server, spec(), backup);
    assert.deepEqual([properties.get("image_type"), properties.get("backup_type")], ["backup", "daily"]);
    assert.equal(
      imageOfServer(server, spec(), { ...backup, backupType: "" }).properties.get("backup_type"),
      "",
    );
  });

  it("is taken from a frozen guest where an agent is asked for, and only so where that is required", () => {
    const quiesce = (properties: [string, string][]) =>
      imageOfServer(server, spec(properties), wanted).quiesce;
    assert.equal(quiesce([]), Quiesce.QUIESCE_UNSPECIFIED);
    assert.equal(quiesce([["hw_qemu_guest_agent", "true"]]), Quiesce.QUIESCE_IF_POSSIBLE);
    assert.equal(
      quiesce([
        ["hw_qemu_guest_agent", "true"],
        ["os_require_quiesce", "true"],
      ]),
      Quiesce.QUIESCE_REQUIRED,
    );
  });
});
