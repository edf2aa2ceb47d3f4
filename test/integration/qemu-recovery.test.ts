import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rootCtx } from "../../pkg/kernel/index.js";
import type { GuestSpec } from "../../pkg/compute/driver.js";
import { PATIENCE_MS, qemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import type { QemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import { QmpClient } from "../../pkg/compute/drivers/qemu/qmp-client.js";
import { identify } from "../../pkg/compute/drivers/host/linux-process.js";
import { startEntry } from "../../pkg/testkit/processes.js";
import { until } from "../../pkg/testkit/until.js";

const ctx = rootCtx({ requestId: "req-recovery" });
const timeoutMs = PATIENCE_MS;

describe("QEMU driver: what survives, what is told", function () {
  this.timeout(PATIENCE_MS * 2);
  let host: QemuHost;
  beforeEach(async () => {
    host = await qemuHost();
  });
  afterEach(() => host.dispose());

  const running = async (spec?: GuestSpec): Promise<{ instanceUuid: string; pid: number }> => {
    const wanted = spec ?? (await host.aSpec());
    await host.driver().define(ctx, wanted);
    await host.driver().powerOn(ctx, wanted.instanceUuid);
    await host.booted(wanted.instanceUuid);
    return {
      instanceUuid: wanted.instanceUuid,
      pid: (await host.driver().inspect(ctx, wanted.instanceUuid))?.pid ?? 0,
    };
  };
  /** What QEMU says of a guest. */
  const statusOf = async (instanceUuid: string): Promise<string> => {
    const { operatorSocket } = host.paths(instanceUuid);
    const operator = await QmpClient.connect(operatorSocket, { greetingTimeoutMs: timeoutMs });
    try {
      return ((await operator.execute("query-status")) as { status: string }).status;
    } finally {
      operator.close();
    }
  };
  const gone = (pid: number): Promise<true> =>
    until(() => identify(pid) === undefined, { timeoutMs, what: `process ${pid} to end` });

  it("tells of a guest that powered itself off while the agent was away, and ends its process", async () => {
    const { instanceUuid, pid } = await running();
    await host.restart(async () => {
      await host.guestPowersOff(instanceUuid);
      await until(() => host.console(instanceUuid).endsWith("off\n"), {
        timeoutMs,
        what: "the guest to go off",
      });
      // It says so before it does so.
      await until(async () => (await statusOf(instanceUuid)) === "shutdown", {
        timeoutMs,
        what: "the guest to be off",
      });
    });
    assert.deepEqual(host.events, [{ instanceUuid, type: "STOPPED", byGuest: true }]);
    assert.deepEqual(await host.driver().list(ctx), [{ instanceUuid, powerState: "SHUTDOWN", pid: 0 }]);
    await gone(pid);
  });

  it("tells of a process that died while the agent was away, once", async () => {
    const { instanceUuid, pid } = await running();
    await host.restart(async () => {
      process.kill(pid, "SIGKILL");
      await gone(pid);
    });
    assert.deepEqual(host.events, [{ instanceUuid, type: "CRASHED", byGuest: false }]);
    await host.restart();
    assert.equal(host.events.length, 1);
    assert.equal((await host.driver().inspect(ctx, instanceUuid))?.powerState, "CRASHED");
    await host.driver().powerOff(ctx, instanceUuid, 0);
    assert.equal((await host.driver().inspect(ctx, instanceUuid))?.powerState, "SHUTDOWN");
  });

  it("leaves a running guest alone whose definition is spoiled, with the user that it has", async () => {
    const spec = await host.aSpec();
    const { instanceUuid, pid } = await running(spec);
    const { definition } = host.paths(instanceUuid);
    const written = readFileSync(definition, "utf8");
    await host.restart(async () => writeFileSync(definition, "{"));
    const refused = { reason: "DEFINITION_SPOILED" };
    await assert.rejects(host.driver().define(ctx, spec), refused);
    await assert.rejects(host.driver().powerOn(ctx, instanceUuid), refused);
    await assert.rejects(host.driver().remove(ctx, instanceUuid), refused);
    assert.notEqual(identify(pid), undefined);
    const other = await running();
    // Only root can give each guest a user of its own.
    const [its, others] = [pid, other.pid].map((one) => statSync(`/proc/${one}`).uid);
    assert.equal(its === others, process.getuid?.() !== 0);
    await host.restart(async () => writeFileSync(definition, written));
    assert.equal((await host.driver().inspect(ctx, instanceUuid))?.pid, pid);
  });

  it("still hears a re-attached guest: its own power off, its death", async () => {
    const [one, two] = [await running(), await running()];
    await host.restart();
    await host.guestPowersOff(one.instanceUuid);
    process.kill(two.pid, "SIGKILL");
    await until(() => host.events.length === 2, { timeoutMs, what: "both events" });
    assert.deepEqual(
      host.events.find((e) => e.instanceUuid === one.instanceUuid),
      { instanceUuid: one.instanceUuid, type: "STOPPED", byGuest: true },
    );
    assert.deepEqual(
      host.events.find((e) => e.instanceUuid === two.instanceUuid),
      { instanceUuid: two.instanceUuid, type: "CRASHED", byGuest: false },
    );
  });

  it("takes over the guest of an agent that was killed", async () => {
    const { configDrive: _, ...spec } = await host.aSpec();
    const { instanceUuid } = spec;
    let pid = 0;
    await host.restart(async () => {
      const agent = await startEntry(new URL("./entries/qemu-agent.ts", import.meta.url), {
        args: [JSON.stringify(host.config), JSON.stringify(spec)],
        ready: /^running \d+$/,
        timeoutMs,
      });
      pid = Number(agent.readyLine.split(" ")[1]);
      await agent.kill();
    });
    assert.deepEqual(await host.driver().inspect(ctx, instanceUuid), {
      instanceUuid,
      powerState: "RUNNING",
      pid,
    });
    assert.deepEqual(host.events, []);
    await host.booted(instanceUuid);
    await host.driver().powerOff(ctx, instanceUuid, timeoutMs);
    await gone(pid);
  });

  it("finds a process that no record names", async () => {
    const { instanceUuid, pid } = await running();
    await host.restart(async () => rmSync(host.paths(instanceUuid).runRecord));
    assert.deepEqual(await host.driver().inspect(ctx, instanceUuid), {
      instanceUuid,
      powerState: "RUNNING",
      pid,
    });
    assert.deepEqual(host.events, []);
  });

  it("never touches another process that got the number of its own", async () => {
    const { instanceUuid, pid } = await running();
    const innocent = spawn("sleep", ["600"], { stdio: "ignore" });
    try {
      await host.restart(async () => {
        process.kill(pid, "SIGKILL");
        await gone(pid);
        const record = JSON.parse(readFileSync(host.paths(instanceUuid).runRecord, "utf8")) as {
          process: { pid: number };
        };
        writeFileSync(
          host.paths(instanceUuid).runRecord,
          JSON.stringify({ ...record, process: { ...record.process, pid: innocent.pid } }),
        );
      });
      assert.equal(host.events[0]?.type, "CRASHED");
      await host.driver().powerOff(ctx, instanceUuid, 0);
      await host.driver().remove(ctx, instanceUuid);
      assert.ok(identify(innocent.pid ?? 0));
    } finally {
      innocent.kill("SIGKILL");
    }
  });

  it("tells of a guest that somebody else ended through the operators' monitor, or paused there", async () => {
    const { instanceUuid } = await running();
    const operator = await QmpClient.connect(host.paths(instanceUuid).operatorSocket, {
      greetingTimeoutMs: timeoutMs,
    });
    await operator.execute("stop");
    await operator.execute("cont");
    operator.execute("quit").catch(() => undefined);
    await until(() => host.events.length === 3, { timeoutMs, what: "all events" });
    assert.deepEqual(
      host.events.map((e) => [e.type, e.byGuest]),
      [
        ["PAUSED", false],
        ["RESUMED", false],
        ["STOPPED", false],
      ],
    );
    assert.equal((await host.driver().inspect(ctx, instanceUuid))?.powerState, "SHUTDOWN");
  });

  it("takes a process of before a reboot of the machine for stopped, not crashed", async () => {
    const { instanceUuid, pid } = await running();
    await host.restart(async () => {
      process.kill(pid, "SIGKILL");
      await gone(pid);
      const record = JSON.parse(readFileSync(host.paths(instanceUuid).runRecord, "utf8")) as {
        process: object;
      };
      writeFileSync(
        host.paths(instanceUuid).runRecord,
        JSON.stringify({ ...record, process: { ...record.process, bootId: "another" } }),
      );
    });
    assert.deepEqual(host.events, [{ instanceUuid, type: "STOPPED", byGuest: false }]);
  });

  it("says no word about a guest that it was about to end when it was killed", async () => {
    const { instanceUuid, pid } = await running();
    await host.restart(async () => {
      const record = JSON.parse(readFileSync(host.paths(instanceUuid).runRecord, "utf8")) as object;
      writeFileSync(host.paths(instanceUuid).runRecord, JSON.stringify({ ...record, phase: "stopping" }));
    });
    assert.deepEqual(host.events, []);
    assert.equal((await host.driver().inspect(ctx, instanceUuid))?.powerState, "SHUTDOWN");
    await gone(pid);
  });

  it("pulls the plug at once when somebody is in a hurry while it waits for a deaf guest", async () => {
    const spec = await host.aDeafSpec();
    const { instanceUuid } = await running(spec);
    const soft = host.driver().powerOff(ctx, instanceUuid, 10 * 60_000);
    await host.driver().remove(ctx, instanceUuid);
    await soft;
    assert.deepEqual(await host.driver().list(ctx), []);
  });

  it("stops waiting for a guest when its caller gives up, and leaves it running", async () => {
    const spec = await host.aDeafSpec();
    const { instanceUuid } = await running(spec);
    const caller = new AbortController();
    const soft = host.driver().powerOff({ ...ctx, signal: caller.signal }, instanceUuid, 10 * 60_000);
    caller.abort(new Error("gave up"));
    await assert.rejects(soft, /gave up/);
    assert.equal((await host.driver().inspect(ctx, instanceUuid))?.powerState, "RUNNING");
  });

  it("puts no new disk in the place of a lost one, neither at a start nor at a change", async () => {
    const spec = await host.aSpec({ ephemerals: [{ gib: 1 }], swapMib: 1 });
    const { instanceUuid } = spec;
    await host.driver().define(ctx, spec);
    const { rootDisk, ephemeralDisk, swapDisk } = host.paths(instanceUuid);
    for (const [disk, path] of [
      ["root", rootDisk],
      ["ephemeral0", ephemeralDisk],
    ] as const) {
      renameSync(path, `${path}.away`);
      await assert.rejects(host.driver().powerOn(ctx, instanceUuid), {
        reason: "DISK_LOST",
        message: `Disk ${disk} of instance ${instanceUuid} is not there any more.`,
      });
      await assert.rejects(host.driver().define(ctx, { ...spec, swapMib: 2 }), { reason: "DISK_LOST" });
      assert.equal(existsSync(path), false);
      renameSync(`${path}.away`, path);
    }
    rmSync(swapDisk);
    await host.driver().powerOn(ctx, instanceUuid);
    await host.booted(instanceUuid);
    assert.equal(statSync(swapDisk).size, 1024 ** 2);
  });

  if (process.getuid?.() === 0)
    it("runs guests without root's rights, and closes their files to others", async () => {
      const { instanceUuid, pid } = await running();
      const { uid } = statSync(`/proc/${pid}`);
      assert.ok(uid > 0);
      const paths = host.paths(instanceUuid);
      const owned = (path: string): unknown => {
        const { uid: owner, gid, mode } = statSync(path);
        return [owner, gid, (mode & 0o777).toString(8)];
      };
      assert.deepEqual(owned(paths.definition), [0, 0, "600"]);
      assert.deepEqual(owned(paths.rootDisk), [uid, uid, "600"]);
      assert.deepEqual(owned(paths.consoleLog), [uid, uid, "600"]);
      // The guest's user can put nothing in the place of what the agent opens: neither file nor socket.
      for (const dir of [paths.dir, paths.socketDir]) assert.deepEqual(owned(dir), [0, uid, "710"]);
    });

  if (process.getuid?.() === 0)
    it("gives a guest another user and its files when its own was given away over a reboot", async () => {
      const { instanceUuid, pid } = await running();
      const paths = host.paths(instanceUuid);
      const { uid } = statSync(paths.rootDisk);
      const taken = join("/run/kilonova-uids", String(uid));
      await host.restart(async () => {
        process.kill(pid, "SIGKILL");
        await gone(pid);
        rmSync(taken);
        symlinkSync("/another/guest", taken);
      });
      try {
        const next = statSync(paths.rootDisk).uid;
        assert.notEqual(next, uid);
        assert.notEqual(next, 0);
        await host.driver().powerOn(ctx, instanceUuid);
        assert.equal(statSync(`/proc/${(await host.driver().inspect(ctx, instanceUuid))?.pid}`).uid, next);
        await host.driver().remove(ctx, instanceUuid);
        assert.equal(existsSync(join("/run/kilonova-uids", String(next))), false);
      } finally {
        rmSync(taken);
      }
    });
});

describe("QEMU driver: a state folder with a long path", function () {
  this.timeout(PATIENCE_MS * 2);

  it("keeps its sockets reachable", async () => {
    const host = await qemuHost({}, "a-rather-long-folder-name/".repeat(6));
    try {
      const spec = await host.aSpec();
      assert.ok(host.config.stateDir.length > 150);
      assert.ok(spec.interfaces.every((nic) => nic.socketPath.length <= 107));
      await host.driver().define(ctx, spec);
      await host.driver().powerOn(ctx, spec.instanceUuid);
      await host.booted(spec.instanceUuid);
      assert.ok(statSync(spec.interfaces[0]?.socketPath ?? "").isSocket());
      await host.restart();
      assert.equal((await host.driver().inspect(ctx, spec.instanceUuid))?.powerState, "RUNNING");
    } finally {
      await host.dispose();
    }
  });
});
