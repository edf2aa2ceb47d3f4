import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rootCtx } from "../../pkg/kernel/index.js";
import type { Quiesce } from "../../pkg/compute/driver.js";
import { QmpClient } from "../../pkg/compute/drivers/qemu/qmp-client.js";
import { buttonGuestDisk } from "../../pkg/compute/drivers/testing/button-guest.js";
import { PATIENCE_MS, qemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import type { QemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import { until } from "../../pkg/testkit/until.js";

const ctx = rootCtx({ requestId: "req-snapshot" });
const SECRET = "not for images";

describe("QEMU driver: copies of disks", function () {
  this.timeout(PATIENCE_MS * 2);
  let host: QemuHost;
  beforeEach(async () => {
    host = await qemuHost();
  });
  afterEach(() => host.dispose());

  const running = async (): Promise<string> => {
    const spec = await host.aSpec();
    await host.driver().define(ctx, spec);
    await host.driver().powerOn(ctx, spec.instanceUuid);
    await host.booted(spec.instanceUuid);
    return spec.instanceUuid;
  };
  const copy = async (uuid: string, quiesce: Quiesce = "no"): Promise<string> => {
    const snapshotId = randomUUID();
    await host.driver().takeSnapshot(ctx, uuid, { snapshotId, quiesce });
    return join(host.paths(uuid).snapshotsDir, snapshotId);
  };
  /** The first 2 MiB of what a copy holds, read as what it says it is. */
  const contentOf = (path: string): Buffer => {
    const raw = join(host.home, "raw");
    execFileSync("qemu-img", [
      ...["dd", "-f", "qcow2", "-O", "raw", "bs=1M", "count=2"],
      ...[`if=${path}`, `of=${raw}`],
    ]);
    try {
      return readFileSync(raw);
    } finally {
      rmSync(raw);
    }
  };
  const headOf = (path: string, bytes: number): Buffer => {
    const head = Buffer.alloc(bytes);
    const file = openSync(path, "r");
    try {
      readSync(file, head);
    } finally {
      closeSync(file);
    }
    return head;
  };
  const infoOf = (path: string): Record<string, unknown> =>
    JSON.parse(execFileSync("qemu-img", ["info", "-f", "qcow2", "--output=json", path]).toString()) as Record<
      string,
      unknown
    >;
  const operatorOf = (uuid: string): Promise<QmpClient> =>
    QmpClient.connect(host.paths(uuid).operatorSocket, { greetingTimeoutMs: PATIENCE_MS });
  const nodesOf = async (qmp: QmpClient): Promise<string[]> =>
    ((await qmp.execute("query-named-block-nodes", { flat: true })) as { "node-name": string }[]).map(
      (node) => node["node-name"],
    );

  it("hold the whole disk without its base, whether the guest runs or not", async () => {
    const uuid = await running();
    const disk = Buffer.from(buttonGuestDisk());
    for (const isRunning of [true, false]) {
      if (!isRunning) await host.driver().powerOff(ctx, uuid, 0);
      const path = await copy(uuid);
      assert.equal(infoOf(path)["backing-filename"], undefined);
      const content = contentOf(path);
      assert.equal(infoOf(path)["virtual-size"], 1024 ** 3);
      assert.equal(content.length, 2 * 1024 ** 2);
      assert.ok(content.subarray(0, disk.length).equals(disk));
      assert.ok(!content.subarray(disk.length).some((byte) => byte !== 0));
    }
  });

  it("may be raw", async () => {
    await host.dispose();
    host = await qemuHost({ snapshotFormat: "raw" });
    const uuid = await running();
    const disk = Buffer.from(buttonGuestDisk());
    const path = await copy(uuid);
    assert.ok(headOf(path, disk.length).equals(disk));
    await host.driver().powerOff(ctx, uuid, 0);
    assert.ok(headOf(await copy(uuid), disk.length).equals(disk));
  });

  it("leave nothing in the guest's process, not even what an agent before had begun", async () => {
    const uuid = await running();
    const qmp = await operatorOf(uuid);
    const before = await nodesOf(qmp);
    await qmp.execute("blockdev-add", { driver: "null-co", "node-name": "snapshot-target", size: 1024 ** 3 });
    const job = { "job-id": "snapshot", device: "root", target: "snapshot-target", sync: "full" };
    await qmp.execute("blockdev-backup", { ...job, speed: 1, "auto-dismiss": false });
    await host.restart();
    await copy(uuid);
    assert.deepEqual(await qmp.execute("query-jobs"), []);
    assert.deepEqual((await nodesOf(qmp)).sort(), before.sort());
    qmp.close();
  });

  it("are ended and dropped while they are made", async () => {
    const uuid = await running();
    const qmp = await operatorOf(uuid);
    const target = { driver: "null-co", "node-name": "snapshot-target", size: 1024 ** 3 };
    await qmp.execute("blockdev-add", target);
    const job = { "job-id": "snapshot", device: "root", target: "snapshot-target", sync: "full" };
    await qmp.execute("blockdev-backup", { ...job, speed: 1, "auto-dismiss": false });
    await host.driver().dropSnapshot(ctx, uuid, randomUUID());
    assert.deepEqual(await qmp.execute("query-jobs"), []);
    qmp.close();
  });

  describe("that take long", () => {
    /** Much longer than a test for the disk's one MiB. */
    const slowly = async (): Promise<string> => {
      await host.dispose();
      host = await qemuHost({ snapshotBytesPerSecond: 1_000 });
      return running();
    };
    const begun = async (uuid: string, signal = new AbortController().signal) => {
      const told: number[] = [];
      const request = { snapshotId: randomUUID(), quiesce: "no" } as const;
      const taking = host
        .driver()
        .takeSnapshot(rootCtx({ requestId: "req-slow", signal }), uuid, request, ({ total }) =>
          told.push(total),
        );
      let over = false;
      const outcome = taking
        .then(
          () => "done",
          () => "ended",
        )
        .finally(() => (over = true));
      // It may be ended before it has told anything.
      const heard = (): boolean => over || told.some((total) => total > 0);
      await until(heard, { timeoutMs: PATIENCE_MS, what: "progress" });
      return outcome;
    };

    it("end when their caller gives up, and leave the guest alone", async () => {
      const uuid = await slowly();
      const stop = new AbortController();
      const outcome = begun(uuid, stop.signal);
      await until(async () => (await jobsOf(uuid)) === 1, { timeoutMs: PATIENCE_MS, what: "the job" });
      stop.abort(new Error("given up"));
      assert.equal(await outcome, "ended");
      assert.equal(await jobsOf(uuid), 0);
      assert.equal((await host.driver().inspect(ctx, uuid))?.powerState, "RUNNING");
    });

    it("end when the guest is removed or ends", async () => {
      const uuid = await slowly();
      const removed = begun(uuid);
      await until(async () => (await jobsOf(uuid)) === 1, { timeoutMs: PATIENCE_MS, what: "the job" });
      await host.driver().remove(ctx, uuid);
      assert.equal(await removed, "ended");
      assert.ok(!existsSync(host.paths(uuid).dir));
      const other = await running();
      const ended = begun(other);
      await until(async () => (await jobsOf(other)) === 1, { timeoutMs: PATIENCE_MS, what: "the job" });
      await host.guestCrashes(other);
      assert.equal(await ended, "ended");
    });

    const jobsOf = async (uuid: string): Promise<number> => {
      const qmp = await operatorOf(uuid);
      try {
        return ((await qmp.execute("query-jobs")) as unknown[]).length;
      } finally {
        qmp.close();
      }
    };
  });

  it("thaw what an agent before may have left frozen", async () => {
    const uuid = await running();
    const { frozenMark } = host.paths(uuid);
    writeFileSync(frozenMark, "");
    await host.restart();
    await until(() => !existsSync(frozenMark), { timeoutMs: PATIENCE_MS, what: "the mark to go" });
  });

  it("open nothing that the guest has written into its disk's header", async () => {
    const uuid = await running();
    await host.driver().powerOff(ctx, uuid, 0);
    const secret = join(host.home, "secret");
    writeFileSync(secret, SECRET.padEnd(4096));
    const { rootDisk } = host.paths(uuid);
    execFileSync("qemu-img", ["rebase", "-u", "-f", "qcow2", "-b", secret, "-F", "raw", rootDisk]);
    const content = contentOf(await copy(uuid));
    assert.ok(!content.subarray(0, 8192).includes(SECRET));
    assert.ok(content.subarray(0, 512).equals(Buffer.from(buttonGuestDisk().subarray(0, 512))));
  });

  it("are refused where file systems must be frozen and nobody can freeze them", async () => {
    const uuid = await running();
    await assert.rejects(copy(uuid, "required"), { reason: "QUIESCE_FAILED" });
    assert.equal((await host.driver().inspect(ctx, uuid))?.powerState, "RUNNING");
    const qmp = await operatorOf(uuid);
    assert.deepEqual(await qmp.execute("query-jobs"), []);
    qmp.close();
    await copy(uuid, "if-possible");
  });

  it("survive a restart of the agent", async () => {
    const uuid = await running();
    const snapshotId = randomUUID();
    await host.driver().takeSnapshot(ctx, uuid, { snapshotId, quiesce: "no" });
    await host.restart();
    const { sizeBytes, data } = await host.driver().openSnapshot(ctx, uuid, snapshotId);
    let read = 0;
    for await (const chunk of data) read += chunk.length;
    assert.equal(read, sizeBytes);
  });
});
