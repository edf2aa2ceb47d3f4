import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { buildArgv } from "../../pkg/compute/drivers/qemu/argv.js";
import { parseDefinition } from "../../pkg/compute/drivers/qemu/definition.js";
import type { GuestPaths } from "../../pkg/compute/drivers/qemu/guest-paths.js";
import { openMemoryDoor } from "../../pkg/compute/drivers/qemu/memory-stream.js";
import { QmpClient, asArray, asObject } from "../../pkg/compute/drivers/qemu/qmp-client.js";
import { identify, listProcesses } from "../../pkg/compute/drivers/host/linux-process.js";
import { aGuestSpec } from "../../pkg/compute/drivers/testing/a-spec.js";
import { PATIENCE_MS, qemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import type { QemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import { rootCtx } from "../../pkg/kernel/index.js";
import { startEntry } from "../../pkg/testkit/processes.js";
import { until } from "../../pkg/testkit/until.js";

const ctx = rootCtx({ requestId: "req-suspension" });
const timeoutMs = PATIENCE_MS;

/** A suspension counts when its record is written: before that the guest goes on, after it it never runs. */
describe("QEMU driver: suspension that is cut short", function () {
  this.timeout(PATIENCE_MS);
  let host: QemuHost;
  let paths: GuestPaths;
  let instanceUuid: string;
  let pid: number;

  beforeEach(async () => {
    host = await qemuHost();
    const spec = await host.aSpec();
    ({ instanceUuid } = spec);
    paths = host.paths(instanceUuid);
    await host.driver().define(ctx, spec);
    await host.driver().powerOn(ctx, instanceUuid);
    await host.booted(instanceUuid);
    pid = (await host.driver().inspect(ctx, instanceUuid))?.pid ?? 0;
  });
  afterEach(() => host.dispose());

  const inspect = () => host.driver().inspect(ctx, instanceUuid);
  const operator = (): Promise<QmpClient> =>
    QmpClient.connect(paths.operatorSocket, { greetingTimeoutMs: timeoutMs });
  const devices = async (): Promise<unknown[]> => {
    const qmp = await operator();
    const listed = asArray(await qmp.execute("qom-list", { path: "/machine/peripheral" }));
    qmp.close();
    return listed.map((one) => asObject(one)["name"]).sort();
  };
  const leavesNoMemory = (): void =>
    assert.deepEqual(
      [paths.memory, paths.memoryBeingSaved, paths.savedRecord].filter((path) => existsSync(path)),
      [],
    );
  /** It runs on, hears its button, and has not booted anew. */
  const goesOn = async (): Promise<void> => {
    assert.deepEqual(await inspect(), { instanceUuid, powerState: "RUNNING", pid });
    leavesNoMemory();
    await host.driver().powerOff(ctx, instanceUuid, timeoutMs);
    assert.equal(host.console(instanceUuid), "boot\noff\n");
    assert.deepEqual(host.events, []);
  };

  it("lets the guest go on when its caller gives up before the record is written", async () => {
    const caller = new AbortController();
    const suspended = host
      .driver()
      .suspend({ ...ctx, signal: caller.signal }, instanceUuid, () => caller.abort());
    await assert.rejects(suspended);
    await goesOn();
  });

  /** Another agent does it and dies on the way, while this one is away. */
  const diesAt = async (what: "suspend" | "resume"): Promise<void> => {
    const agent = await startEntry(new URL("./entries/qemu-dying-agent.ts", import.meta.url), {
      args: [JSON.stringify(host.config), instanceUuid, what],
      ready: /^started$/,
      timeoutMs,
    });
    assert.equal((await agent.ended).signal, "SIGKILL");
  };

  it("lets the guest go on when its agent is killed in the middle of it", async () => {
    await host.restart(async () => {
      await diesAt("suspend");
      assert.ok(existsSync(paths.memoryBeingSaved));
      assert.notEqual(identify(pid), undefined);
    });
    await goesOn();
  });

  it("keeps the memory, and no process, when an agent is killed in the middle of giving it back", async () => {
    await host.driver().suspend(ctx, instanceUuid);
    await host.restart(() => diesAt("resume"));
    assert.deepEqual(await inspect(), { instanceUuid, powerState: "SUSPENDED", pid: 0 });
    assert.deepEqual(
      listProcesses().filter(({ args }) => args.has(instanceUuid)),
      [],
    );
    await host.driver().resume(ctx, instanceUuid);
    ({ pid = 0 } = (await inspect()) ?? {});
    await goesOn();
  });

  it("lets the guest go on whose agent died while its memory was being written", async () => {
    await host.restart(async () => {
      writeFileSync(paths.memoryBeingSaved, "half of it");
      const qmp = await operator();
      await qmp.execute("stop");
      qmp.close();
    });
    await goesOn();
  });

  it("lets the guest go on whose agent died when QEMU had given all and nothing was written down", async () => {
    await host.restart(async () => {
      const { uid } = statSync(`/proc/${pid}`);
      const door = await openMemoryDoor(paths.memorySocket, { uid, gid: uid });
      const qmp = await operator();
      await qmp.execute("stop");
      await qmp.execute("migrate", { uri: `unix:${paths.memorySocket}` });
      assert.ok((await door.receive(ctx, paths.memoryBeingSaved, 2 ** 30, () => {})) > 0);
      assert.deepEqual(asObject(await qmp.execute("query-status"))["status"], "postmigrate");
      await door.close();
      qmp.close();
    });
    await goesOn();
  });

  it("ends the process of an agent that died right after the record was written", async () => {
    await host.restart(async () => {
      writeFileSync(paths.memory, "all");
      writeFileSync(paths.savedRecord, JSON.stringify({ version: 1, bytes: 3, argv: ["qemu"] }));
      const qmp = await operator();
      await qmp.execute("stop");
      qmp.close();
    });
    assert.deepEqual(await inspect(), { instanceUuid, powerState: "SUSPENDED", pid: 0 });
    await until(() => identify(pid) === undefined, { timeoutMs, what: "the process to end" });
    assert.deepEqual(host.events, []);
  });

  it("is suspended still after the machine was booted anew before the process had been ended", async () => {
    await host.driver().suspend(ctx, instanceUuid);
    await host.restart(async () => {
      const running = { version: 1, phase: "running", process: { pid, startTicks: "1", bootId: "another" } };
      writeFileSync(paths.runRecord, JSON.stringify(running));
    });
    assert.deepEqual(await inspect(), { instanceUuid, powerState: "SUSPENDED", pid: 0 });
    assert.deepEqual(host.events, []);
    await host.driver().resume(ctx, instanceUuid);
    ({ pid = 0 } = (await inspect()) ?? {});
    await goesOn();
  });

  it("refuses before it stops the guest when the disk has no room, and says how much there is", async () => {
    const spec = await host.aSpec({ memoryMib: 64 * 1024 * 1024 });
    const definition = readFileSync(paths.definition, "utf8");
    const changed = definition.replace(/"memoryMib": 64/, `"memoryMib": ${spec.memoryMib}`);
    await host.restart(async () => writeFileSync(paths.definition, changed));
    await assert.rejects(host.driver().suspend(ctx, instanceUuid), {
      reason: "NO_ROOM_FOR_MEMORY",
      message: /^The host has no room for the guest's memory: \d+ MiB are needed, \d+ MiB are free\.$/,
    });
    await host.restart(async () => writeFileSync(paths.definition, definition));
    await goesOn();
  });

  it("does not go on from a file that is not whole, and keeps the guest as it is", async () => {
    await host.driver().suspend(ctx, instanceUuid);
    truncateSync(paths.memory, statSync(paths.memory).size - 1);
    await assert.rejects(host.driver().resume(ctx, instanceUuid), { reason: "SAVED_MEMORY_LOST" });
    assert.deepEqual(await inspect(), { instanceUuid, powerState: "SUSPENDED", pid: 0 });
  });

  it("keeps the memory when QEMU cannot take it, and goes on from it when it can", async () => {
    await host.driver().suspend(ctx, instanceUuid);
    const saved = readFileSync(paths.savedRecord, "utf8");
    const more = saved.replace(/"64M"/, '"128M"');
    assert.notEqual(more, saved);
    await host.restart(async () => writeFileSync(paths.savedRecord, more));
    await assert.rejects(host.driver().resume(ctx, instanceUuid), { reason: "HYPERVISOR_FAILED" });
    assert.deepEqual(await inspect(), { instanceUuid, powerState: "SUSPENDED", pid: 0 });
    await host.restart(async () => writeFileSync(paths.savedRecord, saved));
    await host.driver().resume(ctx, instanceUuid);
    ({ pid = 0 } = (await inspect()) ?? {});
    await goesOn();
  });

  it("goes on with the command line that the guest was started with, whatever this version would write", async () => {
    await host.driver().suspend(ctx, instanceUuid);
    const { argv } = JSON.parse(readFileSync(paths.savedRecord, "utf8")) as { argv: string[] };
    const definition = parseDefinition(readFileSync(paths.definition, "utf8"));
    assert.deepEqual(argv, buildArgv(definition, paths, host.config));
    const older = argv.map((word) => (word === "timestamp=on" ? "timestamp=off" : word));
    assert.notDeepEqual(older, argv);
    await host.restart(async () => {
      const saved = JSON.parse(readFileSync(paths.savedRecord, "utf8")) as object;
      writeFileSync(paths.savedRecord, JSON.stringify({ ...saved, argv: older }));
    });
    await host.driver().resume(ctx, instanceUuid);
    await host.driver().suspend(ctx, instanceUuid);
    const again = JSON.parse(readFileSync(paths.savedRecord, "utf8")) as { argv: string[] };
    assert.deepEqual(again.argv, older);
  });

  it("goes on with the interfaces that the guest got since it was started", async () => {
    const added = aGuestSpec().interfaces.map((nic) => ({
      ...nic,
      portId: randomUUID(),
      macAddress: "fa:16:3e:99:99:99",
    }));
    for (const nic of added) await host.driver().attachInterface(ctx, instanceUuid, nic);
    const before = await devices();
    await host.driver().suspend(ctx, instanceUuid);
    await host.driver().resume(ctx, instanceUuid);
    assert.deepEqual(await devices(), before);
    await host.driver().suspend(ctx, instanceUuid);
    await host.driver().resume(ctx, instanceUuid);
    await host.driver().powerOff(ctx, instanceUuid, timeoutMs);
    assert.equal(host.console(instanceUuid), "boot\noff\n");
  });

  it("goes on with the interfaces that it got while it was suspended", async () => {
    const [nic] = aGuestSpec().interfaces;
    const late = { ...(nic ?? assert.fail()), portId: randomUUID(), macAddress: "fa:16:3e:99:99:98" };
    const before = await devices();
    await host.driver().suspend(ctx, instanceUuid);
    await host.driver().attachInterface(ctx, instanceUuid, late);
    await host.driver().resume(ctx, instanceUuid);
    const during = await devices();
    assert.equal(during.length, before.length + 1);
    await host.driver().suspend(ctx, instanceUuid);
    await host.driver().resume(ctx, instanceUuid);
    assert.deepEqual(await devices(), during);
    await host.driver().powerOff(ctx, instanceUuid, timeoutMs);
    assert.equal(host.console(instanceUuid), "boot\noff\n");
  });

  it("refuses a guest that has other devices than it was started with, and one that an older version started otherwise", async () => {
    const qmp = await operator();
    await qmp.execute("device_add", { driver: "virtio-rng-pci", id: "late", bus: "rp9" });
    const refused = { reason: "GUEST_NOT_SUSPENDABLE" };
    await assert.rejects(host.driver().suspend(ctx, instanceUuid), refused);
    qmp.close();
    await host.restart(async () => {
      const { argv: _, ...older } = JSON.parse(readFileSync(paths.runRecord, "utf8")) as { argv: string[] };
      writeFileSync(paths.runRecord, JSON.stringify(older));
    });
    await assert.rejects(host.driver().suspend(ctx, instanceUuid), refused);
    await host.driver().reboot(ctx, instanceUuid, "hard", 0);
    await host.driver().suspend(ctx, instanceUuid);
    assert.equal((await inspect())?.powerState, "SUSPENDED");
  });
});
