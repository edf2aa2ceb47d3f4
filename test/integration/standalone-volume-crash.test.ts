import assert from "node:assert/strict";
import { execFile } from "node:child_process";

import { mkdtemp, open, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { cagedPrograms, endVolumeDaemonsBelow } from "../../pkg/compute/index.js";
import { silentLogger } from "../../pkg/kernel/index.js";
import { volumeStorage } from "../../pkg/standalone/volume/adapters/storage/volume-storage.js";
import type { CagedPrograms, VolumeStorage } from "../../pkg/standalone/volume/ports.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";
import { daemonsBelow } from "./support/volume-cloud.js";

const run = promisify(execFile);
const MIB = 2 ** 20;
const SIZE = 256 * MIB;
const FILLED = 128 * MIB;

/** What a service finds that died in the middle of its work: its daemons have gone on. */
describe("standalone volume: storage after a death", () => {
  let directory: string;
  let programs: CagedPrograms;
  let storage: VolumeStorage;
  const keep = (volumes: readonly string[], snapshots: readonly string[] = []) => ({
    volumes: new Set(volumes),
    snapshots: new Set(snapshots),
  });
  const start = (): VolumeStorage => volumeStorage({ directory, programs, log: silentLogger });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "kn-vol-"));
    programs = await cagedPrograms({ mode: "auto", uids: { first: 0, count: 10_000 } });
    storage = start();
  });
  afterEach(async () => {
    storage.close();
    await endVolumeDaemonsBelow(directory);
    await rm(directory, { recursive: true, force: true });
  });

  /** Fills a part of a volume, so that copying takes a while. */
  const fill = async (volumeId: string): Promise<void> => {
    const file = await open(join(directory, "volumes", volumeId, "disk"), "r+");
    const piece = Buffer.alloc(MIB, 0x5a);
    for (let at = 0; at < FILLED / MIB; at++) await file.write(piece, 0, MIB, at * MIB);
    await file.close();
  };

  it("ends a copy that was cut off, and makes it again", async () => {
    await storage.blank(testCtx(), "v1", SIZE);
    await fill("v1");
    await storage.serve(testCtx(), { volumeId: "v1", attachmentId: "a1", readOnly: false });
    const [pid] = await daemonsBelow(directory);
    const lost = storage.snapshot(testCtx(), "s1", "v1").catch((error: unknown) => error);
    const copies = async (): Promise<string[]> =>
      (await readdir(join(directory, "volumes", "v1"))).filter((name) => name.startsWith("copy-"));
    await until(
      async () => {
        const [name] = await copies();
        return name !== undefined && (await stat(join(directory, "volumes", "v1", name))).blocks > 0;
      },
      { everyMs: 1 },
    );
    storage.close();
    await lost;
    storage = start();
    await storage.restore(
      testCtx(),
      [{ volumeId: "v1", attachmentId: "a1", readOnly: false }],
      keep(["v1"], ["s1"]),
    );
    assert.deepEqual([await daemonsBelow(directory), await copies()], [[pid], []]);
    await storage.snapshot(testCtx(), "s1", "v1");
    const made = await readFile(join(directory, "snapshots", "s1"));
    assert.equal(made.length, SIZE);
    assert.ok(made.subarray(0, FILLED).equals(Buffer.alloc(FILLED, 0x5a)));
    assert.ok(made.subarray(FILLED).equals(Buffer.alloc(SIZE - FILLED)));
  });

  it("serves what is recorded and nothing else, and removes what belongs to nothing", async () => {
    for (const id of ["v1", "v2", "v3"]) await storage.blank(testCtx(), id, 4 * MIB);
    const serve = (volumeId: string, attachmentId: string) =>
      storage.serve(testCtx(), { volumeId, attachmentId, readOnly: false });
    const at = await serve("v1", "a1");
    await serve("v1", "a2");
    await serve("v2", "a3");
    storage.close();
    storage = start();
    await storage.restore(
      testCtx(),
      [
        { volumeId: "v1", attachmentId: "a1", readOnly: true },
        { volumeId: "v1", attachmentId: "a4", readOnly: false },
      ],
      keep(["v1", "v2"]),
    );
    const io = (name: string, ...commands: readonly string[]) =>
      run("qemu-io", ["-f", "raw", `nbd+unix:///${name}?socket=${at.socket}`, ...commands]);
    await io("a4", "-c", "write 0 512");
    await io("a1", "-r", "-c", "read 0 512");
    await assert.rejects(io("a1", "-c", "write 0 512"), "now read-only");
    await assert.rejects(io("a2", "-c", "read 0 512"), "ended");
    assert.equal((await daemonsBelow(directory)).length, 1);
    assert.deepEqual((await readdir(join(directory, "volumes"))).sort(), ["v1", "v2"]);
  });

  it("serves a volume to the next one whose first client went away at any moment", async () => {
    await storage.blank(testCtx(), "v1", 4 * MIB);
    for (let afterMs = 0; afterMs < 60; afterMs += 3) {
      const gone = new AbortController();
      const lost = storage.serve(testCtx({ signal: gone.signal }), {
        volumeId: "v1",
        attachmentId: "a1",
        readOnly: false,
      });
      setTimeout(() => gone.abort(), afterMs);
      await lost.catch(() => undefined);
      await storage.endServing(testCtx(), "v1", "a1");
      assert.deepEqual(await daemonsBelow(directory), []);
    }
    await storage.serve(testCtx(), { volumeId: "v1", attachmentId: "a2", readOnly: false });
    assert.equal((await daemonsBelow(directory)).length, 1);
  });

  it("cuts off clients for the moment in which a volume grows, and no longer", async () => {
    await storage.blank(testCtx(), "v1", 4 * MIB);
    const at = await storage.serve(testCtx(), { volumeId: "v1", attachmentId: "a1", readOnly: false });
    await storage.grow(testCtx(), "v1", 8 * MIB);
    const { stdout } = await run("qemu-io", [
      ...["-f", "raw", `nbd+unix:///a1?socket=${at.socket}`],
      ...["-c", "length"],
    ]);
    assert.match(stdout, /8 MiB/);
    await storage.endServing(testCtx(), "v1", "a1");
    await storage.grow(testCtx(), "v1", 16 * MIB);
    await storage.grow(testCtx(), "v1", 8 * MIB);
    assert.equal((await readFile(join(directory, "volumes", "v1", "disk"))).length, 16 * MIB);
  });

  it("follows no link that a daemon's user may have put in its folder", async () => {
    await storage.blank(testCtx(), "v1", 4 * MIB);
    const secret = join(directory, "secret");
    await writeFile(secret, "secret");
    await rm(join(directory, "volumes", "v1", "disk"));
    await symlink(secret, join(directory, "volumes", "v1", "disk"));
    await assert.rejects(storage.snapshot(testCtx(), "s1", "v1"));
    await assert.rejects(storage.grow(testCtx(), "v1", 8 * MIB));
    assert.equal(await readFile(secret, "utf8"), "secret");
    assert.deepEqual(await readdir(join(directory, "snapshots")), []);
  });
});
