import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RbdAddress, VolumeAddress } from "../../../driver.js";
import type { VolumePaths } from "../guest-paths.js";
import { keepConnection, keptConnection } from "./connection-file.js";

const rbd: RbdAddress = {
  type: "rbd",
  pool: "p",
  image: "i",
  monitors: [{ host: "h", port: "6789" }],
  user: "cinder",
  key: "k",
  cluster: "ceph",
};
const iscsi = { type: "iscsi", portal: "h:3260", target: "iqn.x", lun: 1 } as const;
const addresses: readonly VolumeAddress[] = [
  { type: "nbd", unix: "/s", exportName: "e" },
  { type: "nbd", host: "h", port: 10809, exportName: "e" },
  iscsi,
  { ...iscsi, chap: { user: "u", password: "p" } },
  rbd,
  // The key is the host's.
  { ...rbd, key: undefined },
  { ...rbd, user: undefined, key: undefined },
  { type: "file", path: "/f" },
];

describe("how a volume is reached, as its host remembers it", () => {
  let paths: VolumePaths;
  beforeEach(() => {
    const dir = mkdtempSync(join(tmpdir(), "kilonova-connection-"));
    const at = (name: string): string => join(dir, "volumes", name);
    paths = {
      connection: at("c.json"),
      log: at("log"),
      dir: at("d"),
      qmpSocket: at("q"),
      served: at("s"),
      socket: at("t"),
    };
  });
  afterEach(() => rmSync(join(paths.dir, "../.."), { recursive: true }));

  for (const at of addresses)
    it(`is what it was: ${JSON.stringify(at)}`, async () => {
      const connection = { readOnly: true, shared: false, at };
      await keepConnection(paths, connection);
      const kept = await keptConnection("v", paths);
      assert.equal(JSON.stringify(kept), JSON.stringify(connection));
    });

  it("is a volume that cannot be reached where the file is of another version, or is not there", async () => {
    await assert.rejects(keptConnection("v", paths), { reason: "VOLUME_NOT_REACHABLE" });
    await keepConnection(paths, { readOnly: false, shared: false, at: rbd });
    writeFileSync(paths.connection, JSON.stringify({ readOnly: false, shared: false, at: { type: "x" } }));
    await assert.rejects(keptConnection("v", paths), { reason: "VOLUME_NOT_REACHABLE" });
  });
});
