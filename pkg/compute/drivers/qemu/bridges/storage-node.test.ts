import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VolumeAddress } from "../../../driver.js";
import { storageNode } from "./storage-node.js";
import type { StorageOptions } from "./storage-node.js";

const options: StorageOptions = { initiator: "iqn.x:h", volumeFolders: [] };
const nodeOf = (at: VolumeAddress, over: Partial<StorageOptions> = {}, shared = false) =>
  storageNode({ at, shared, readOnly: false }, { ...options, ...over });

describe("what a storage daemon is told", () => {
  it("of a target of iSCSI: never its password", async () => {
    const at = { type: "iscsi", portal: "p:3260", target: "iqn.y:v", lun: 2 } as const;
    const open = await nodeOf(at);
    assert.deepEqual(open.node, {
      driver: "iscsi",
      transport: "tcp",
      portal: "p:3260",
      target: "iqn.y:v",
      lun: 2,
      "initiator-name": "iqn.x:h",
    });
    assert.equal(open.room.reaches, "network");
    const closed = await nodeOf({ ...at, chap: { user: "u", password: "hush" } });
    assert.deepEqual(closed.secret, { data: "hush", format: "raw" });
    assert.ok(!JSON.stringify(closed.node).includes("hush"));
    assert.deepEqual([closed.node["user"], closed.node["password-secret"]], ["u", "secret"]);
  });

  it("of an image of Ceph: its monitors, and never its key", async () => {
    const at = {
      type: "rbd",
      pool: "p",
      image: "i",
      monitors: [{ host: "h", port: "6789" }],
      user: "cinder",
      key: "hush",
      cluster: "nowhere",
    } as const;
    const { node, secret } = await nodeOf(at);
    assert.deepEqual(secret, { data: "hush", format: "base64" });
    assert.deepEqual(node, {
      driver: "rbd",
      pool: "p",
      image: "i",
      server: [{ host: "h", port: "6789" }],
      user: "cinder",
      "auth-client-required": ["cephx"],
      "key-secret": "secret",
    });
    assert.equal((await nodeOf({ ...at, key: undefined })).secret, undefined);
    const open = await nodeOf({ ...at, user: undefined });
    assert.deepEqual([open.secret, open.node["auth-client-required"]], [undefined, ["none"]]);
  });

  it("of a server of NBD: over sockets where it is one, and to see its folder only", async () => {
    const local = await nodeOf({ type: "nbd", unix: "/run/v/s.sock", exportName: "e" });
    assert.deepEqual(local.room, { reaches: "sockets", readable: ["/run/v"] });
    const remote = await nodeOf({ type: "nbd", host: "h", port: 10809, exportName: "e" });
    assert.deepEqual(remote.room, { reaches: "network" });
    assert.deepEqual(remote.node["server"], { type: "inet", host: "h", port: "10809" });
  });

  it("of a file: only below a folder for volumes, wherever links lead", async () => {
    const home = mkdtempSync(join(tmpdir(), "kilonova-node-"));
    try {
      mkdirSync(join(home, "volumes"));
      const [inside, outside, link] = ["volumes/v", "v", "volumes/link"].map((name) => join(home, name));
      assert.ok(inside && outside && link);
      for (const path of [inside, outside]) writeFileSync(path, "");
      symlinkSync(outside, link);
      const volumeFolders = [join(home, "volumes"), join(home, "absent")];
      const file = (path: string, shared = false) =>
        nodeOf({ type: "file", path }, { volumeFolders }, shared);
      assert.deepEqual((await file(inside)).node, { driver: "file", filename: inside });
      assert.deepEqual((await file(inside, true)).node, {
        driver: "file",
        filename: inside,
        cache: { direct: true },
        locking: "off",
      });
      for (const path of [outside, link, join(home, "volumes/../v")])
        await assert.rejects(file(path), { reason: "CONNECTION_NOT_SUPPORTED" });
      await assert.rejects(nodeOf({ type: "file", path: inside }), { reason: "CONNECTION_NOT_SUPPORTED" });
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});
