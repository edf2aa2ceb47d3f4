import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCtx } from "../../../kernel/index.js";
import { plain } from "../host/command.js";
import { aGuestSpec } from "../testing/a-spec.js";
import { toDefinition } from "./definition.js";
import type { Entry } from "./entry.js";
import { guestPaths } from "./guest-paths.js";
import type { SnapshotTools } from "./snapshot.js";
import { discard, openSnapshot, takeSnapshot } from "./snapshot.js";

const ctx = rootCtx({ requestId: "req-snapshot" });
const SNAPSHOT = "5a000000-0000-4000-8000-000000000001";
const MIB = 1024 ** 2;
/** A number that no process has. */
const NOBODY = 2 ** 30;

describe("a copy of a guest's disk", () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "kilonova-copy-"));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  /** A guest with a disk of 1 GiB, of which 4 MiB are used. */
  function anEntry(over: Parameters<typeof aGuestSpec>[0] = {}, pid?: number): Entry {
    const spec = aGuestSpec({ rootGib: 1, rootImage: undefined, ...over });
    const paths = guestPaths(home, home, spec.instanceUuid);
    mkdirSync(paths.snapshotsDir, { recursive: true });
    const disk = Buffer.alloc(4 * MIB, 1);
    disk.writeBigUInt64BE(BigInt(1024 * MIB), 24);
    writeFileSync(paths.rootDisk, disk);
    const running = pid === undefined ? undefined : { identity: { pid }, runState: "unknown" };
    return {
      definition: toDefinition(spec, "q35"),
      paths,
      running,
      last: "stopped",
    } as Partial<Entry> as Entry;
  }
  const tools = (freeBytes = 1024 * MIB, ran: string[] = []): SnapshotTools => ({
    run: async (_ctx, argv) => {
      ran.push(argv[1] ?? "");
      return "";
    },
    config: {
      qemuImg: "qemu-img",
      toolTimeoutMs: 1,
      snapshotTimeoutMs: 1,
      snapshotBytesPerSecond: 0,
      snapshotFormat: "qcow2",
    },
    isolation: { tool: () => plain },
    files: { makeSnapshotsFolder: async () => {} },
    freeBytes: async () => freeBytes,
  });
  const take = (entry: Entry, with_: SnapshotTools, snapshotId = SNAPSHOT) =>
    takeSnapshot(ctx, entry, { snapshotId, quiesce: "no" }, () => {}, with_);

  it("is as large as what is used, and needs that and some room", async () => {
    const entry = anEntry();
    await assert.rejects(take(entry, tools(4 * MIB)), { reason: "HOST_DISK_FULL" });
    await assert.rejects(take(entry, tools(200 * MIB)), { reason: "HOST_DISK_FULL" });
    assert.deepEqual(readdirSync(entry.paths.snapshotsDir), []);
    const ran: string[] = [];
    const copy = await take(entry, tools(300 * MIB, ran));
    assert.deepEqual([ran, copy.virtualSizeBytes], [["create", "convert"], 1024 * MIB]);
  });

  it("is not made of a disk that is not there, nor by a process that does not see where to", async () => {
    await assert.rejects(take(anEntry({ rootGib: 0 }), tools()), { reason: "NO_ROOT_DISK" });
    await assert.rejects(take(anEntry({}, NOBODY), tools()), { reason: "GUEST_NOT_REACHABLE" });
  });

  it("is not waited for where nobody in the guest has the agent's channel open", async () => {
    const entry = anEntry({ hardware: { ...aGuestSpec().hardware, guestAgent: true } });
    const said: string[] = [];
    const answers: Readonly<Record<string, unknown>> = {
      "query-jobs": [],
      "query-named-block-nodes": [],
      "query-chardev": [{ label: "qga0", "frontend-open": false }],
    };
    const execute = async (command: string): Promise<unknown> => {
      said.push(command);
      return answers[command] ?? {};
    };
    const running = { identity: { pid: process.pid }, runState: "running", execute };
    const asked = { ...entry, running } as Partial<Entry> as Entry;
    const wish = { snapshotId: SNAPSHOT, quiesce: "required" } as const;
    const began = performance.now();
    await assert.rejects(
      takeSnapshot(ctx, asked, wish, () => {}, tools()),
      { reason: "QUIESCE_FAILED" },
    );
    assert.ok(performance.now() - began < 30_000, "it was waited for");
    assert.deepEqual([said.includes("query-chardev"), said.includes("blockdev-backup")], [true, false]);
  });

  it("replaces whatever was left of others", async () => {
    const entry = anEntry();
    writeFileSync(join(entry.paths.snapshotsDir, "5a000000-0000-4000-8000-000000000002"), "left");
    await take(entry, tools());
    assert.deepEqual(readdirSync(entry.paths.snapshotsDir), [SNAPSHOT]);
  });

  it("is found by its id only, which cannot lead elsewhere", async () => {
    const entry = anEntry();
    const { snapshotsDir, dir } = entry.paths;
    writeFileSync(join(dir, "secret"), "x");
    for (const id of ["../secret", SNAPSHOT])
      await assert.rejects(openSnapshot(entry, id), { reason: "SNAPSHOT_LOST" });
    await assert.rejects(discard(entry, "../secret"), { reason: "SNAPSHOT_LOST" });
    writeFileSync(join(snapshotsDir, SNAPSHOT), "content");
    const { sizeBytes, data } = await openSnapshot(entry, SNAPSHOT);
    const pieces: Uint8Array[] = [];
    for await (const piece of data) pieces.push(piece);
    assert.deepEqual([sizeBytes, Buffer.concat(pieces).toString()], [7, "content"]);
    await discard(entry, SNAPSHOT);
    await discard(entry, SNAPSHOT);
    assert.deepEqual(readdirSync(dir).includes("secret"), true);
  });

  it("is a file, whatever the guest's process puts in its place, also while it is being opened", async () => {
    const entry = anEntry();
    const { snapshotsDir, dir } = entry.paths;
    const path = join(snapshotsDir, SNAPSHOT);
    writeFileSync(join(dir, "secret"), "x");
    const puts = {
      "a link": () => symlinkSync(join(dir, "secret"), path),
      "a pipe": () => execFileSync("mkfifo", [path]),
      "a folder": () => mkdirSync(path),
    };
    for (const [what, put] of Object.entries(puts)) {
      put();
      await assert.rejects(openSnapshot(entry, SNAPSHOT), { reason: "SNAPSHOT_LOST" }, what);
      rmSync(path, { recursive: true });
      writeFileSync(path, "content");
      const { data } = await openSnapshot(entry, SNAPSHOT);
      rmSync(path);
      put();
      let read = "";
      await assert.rejects(async () => {
        for await (const piece of data) read += Buffer.from(piece).toString();
      }, what);
      assert.equal(read, "", what);
      rmSync(path, { recursive: true });
    }
  });

  it("is made of the formats and the base that the host knows, whatever stands in the disk", async () => {
    const sources: unknown[] = [];
    const run: SnapshotTools["run"] = async (_ctx, argv) => {
      const source = argv.find((word) => word.startsWith("json:"));
      if (source !== undefined) sources.push(JSON.parse(source.slice("json:".length)));
      return "";
    };
    const own = anEntry();
    await take(own, { ...tools(), run });
    assert.deepEqual(sources, [
      { driver: "qcow2", file: { driver: "file", filename: own.paths.rootDisk }, backing: null },
    ]);
  });
});
