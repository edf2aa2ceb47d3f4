import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { KilonovaError, rootCtx } from "../../pkg/kernel/index.js";
import type { GuestSpec, GuestVolume, VolumeAddress } from "../../pkg/compute/driver.js";
import { identify, listProcesses, signalProcess } from "../../pkg/compute/drivers/host/linux-process.js";
import { standingOf } from "../../pkg/compute/drivers/host/process-standing.js";
import { bridgeSocket } from "../../pkg/compute/drivers/qemu/bridges/bridge.js";
import { volumeName, volumePaths } from "../../pkg/compute/drivers/qemu/guest-paths.js";
import { QmpClient } from "../../pkg/compute/drivers/qemu/qmp-client.js";
import { aVolume } from "../../pkg/compute/drivers/testing/a-spec.js";
import { buttonGuestDisk } from "../../pkg/compute/drivers/testing/button-guest.js";
import { GuestShell, linuxGuestDisk, onVolume } from "../../pkg/compute/drivers/testing/guest-shell.js";
import { PATIENCE_MS, qemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import type { QemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import { until } from "../../pkg/testkit/until.js";

const ctx = rootCtx({ requestId: "req-volumes" });
const timeoutMs = PATIENCE_MS;
const isRoot = process.getuid?.() === 0;

/** Volumes of QEMU guests, and the daemons that reach them. */
describe("QEMU driver: volumes", function () {
  this.timeout(PATIENCE_MS * 3);
  let host: QemuHost;
  beforeEach(async () => {
    host = await qemuHost({ detachAttempts: 2, detachTimeoutMs: 500 });
  });
  afterEach(() => host.dispose());

  /** The processes that reach a guest's volume. */
  const daemons = (uuid: string, { volumeId }: GuestVolume): readonly number[] => {
    const { qmpSocket } = volumePaths(host.paths(uuid), volumeId);
    return listProcesses()
      .filter(({ args }) => [...args].some((arg) => bridgeSocket(arg) === qmpSocket))
      .map(({ pid }) => pid);
  };
  const kill = (uuid: string, volume: GuestVolume): void => {
    const [pid = 0] = daemons(uuid, volume);
    const identity = identify(pid);
    assert.ok(identity);
    signalProcess(identity, [], "SIGKILL");
  };
  const serving = (uuid: string, volume: GuestVolume, but: number): Promise<number> =>
    until(() => daemons(uuid, volume).find((pid) => pid !== but), { timeoutMs, what: "another daemon" });
  const rejectsWith = (promise: Promise<unknown>, reason: string): Promise<void> =>
    assert.rejects(promise, (e: unknown) => e instanceof KilonovaError && e.reason === reason);
  const disksOf = async (uuid: string): Promise<number> =>
    (await host.driver().diagnostics(ctx, uuid)).disks.length;
  const defined = async (over: Partial<GuestSpec> = {}): Promise<string> => {
    const spec = await host.aSpec(over);
    await host.driver().define(ctx, spec);
    return spec.instanceUuid;
  };
  const running = async (over: Partial<GuestSpec> = {}): Promise<string> => {
    const uuid = await defined(over);
    await host.driver().powerOn(ctx, uuid);
    return uuid;
  };
  const leavesNothing = (uuid: string, { volumeId, ...volume }: GuestVolume): void => {
    const at = volumePaths(host.paths(uuid), volumeId);
    assert.deepEqual(daemons(uuid, { ...volume, volumeId }), []);
    assert.deepEqual(
      Object.values(at).filter((path) => existsSync(path)),
      [],
    );
  };

  describe("in a guest that uses them", () => {
    let uuid: string;
    let guest: GuestShell;
    let image: Uint8Array;
    before(async () => {
      image = await linuxGuestDisk();
    });
    beforeEach(async () => {
      await host.dispose();
      host = await qemuHost();
      uuid = await running({ memoryMib: 128, rootImage: host.image("linux.raw", image) });
      await until(() => /BOOT-DONE/.test(host.console(uuid)), { timeoutMs, what: "the guest to boot" });
      guest = new GuestShell(host.paths(uuid).serialSocket);
    });

    it("bring what was on them and keep what the guest writes, over deaths of all who serve them", async () => {
      const served = await host.served();
      const volume = { ...served.volume, tag: "data" };
      writeFileSync(served.file, "written before\n", { flag: "r+" });
      await host.driver().attachVolume(ctx, uuid, volume);
      const disk = await guest.seenAs(volume);
      const [tagged] = await host.driver().taggedVolumes(ctx, uuid);
      assert.match(await guest.run(`readlink /sys/block/${disk}`), new RegExp(`/${tagged?.address}/`));
      assert.match(await guest.run(`head -c 14 /dev/${disk}`), /written before/);
      await guest.write(disk, 1, "one");
      assert.equal(onVolume(served, 1, 3), "one");

      // The daemon dies while the agent is there.
      const [first = 0] = daemons(uuid, volume);
      kill(uuid, volume);
      await guest.write(disk, 2, "two");
      const second = await serving(uuid, volume, first);

      // The agent is away; then the daemon dies as well.
      await host.restart(() => guest.write(disk, 3, "three").then(() => undefined));
      assert.deepEqual(daemons(uuid, volume), [second]);
      let late: Promise<string> | undefined;
      await host.restart(async () => {
        kill(uuid, volume);
        late = guest.write(disk, 4, "four");
        await until(() => daemons(uuid, volume).length === 0);
      });
      await late;
      const third = await serving(uuid, volume, second);

      // The server dies and comes back.
      await served.stop();
      const waiting = guest.write(disk, 5, "five");
      await served.start();
      await waiting;
      assert.deepEqual(daemons(uuid, volume), [third]);
      assert.deepEqual(
        [1, 2, 3, 4, 5].map((sector) => onVolume(served, sector, 5).replaceAll("\0", "")),
        ["one", "two", "three", "four", "five"],
      );

      await host.driver().detachVolume(ctx, uuid, volume.volumeId);
      assert.equal(await guest.diskOf(volume), undefined);
      leavesNothing(uuid, volume);
      await host.driver().attachVolume(ctx, uuid, volume);
      assert.match(await guest.run(`head -c 14 /dev/${await guest.seenAs(volume)}`), /written before/);
      assert.deepEqual(host.events, []);
    });

    it("go on where they stood in a guest that was suspended", async () => {
      const served = await host.served();
      const { volume } = served;
      await host.driver().attachVolume(ctx, uuid, volume);
      const disk = await guest.seenAs(volume);
      await guest.write(disk, 1, "before");
      await host.driver().suspend(ctx, uuid);
      assert.deepEqual(daemons(uuid, volume), []);
      await rejectsWith(host.driver().detachVolume(ctx, uuid, volume.volumeId), "DEVICE_DETACH_FAILED");
      await host.driver().resume(ctx, uuid);
      await guest.write(disk, 2, "after");
      assert.deepEqual([onVolume(served, 1, 6), onVolume(served, 2, 5)], ["before", "after"]);
      await host.driver().detachVolume(ctx, uuid, volume.volumeId);
      leavesNothing(uuid, volume);
    });

    it("grow while the guest uses them, once they have grown where they are served", async () => {
      const served = await host.served();
      const { volume } = served;
      await host.driver().attachVolume(ctx, uuid, volume);
      const disk = await guest.seenAs(volume);
      const twoMib = 2 * 1024 * 1024;
      const extend = (): Promise<void> => host.driver().extendVolume(ctx, uuid, volume.volumeId, twoMib);
      await rejectsWith(extend(), "VOLUME_TOO_SMALL");
      assert.equal(await guest.sectorsOf(disk), "2048");
      await served.stop();
      truncateSync(served.file, twoMib);
      await served.start();
      await extend();
      await until(async () => (await guest.sectorsOf(disk)) === "4096", { timeoutMs });
      const pids = daemons(uuid, volume);
      await extend();
      assert.deepEqual(daemons(uuid, volume), pids);
      await guest.write(disk, 4095, "end");
      assert.equal(onVolume(served, 4095, 3), "end");
    });

    it("are swapped under the guest for larger ones, with all that is on them", async () => {
      const [one, two] = [await host.served(), await host.served(2 * 1024 * 1024)];
      const { volume: small } = await host.served(512 * 1024);
      await host.driver().attachVolume(ctx, uuid, one.volume);
      const disk = await guest.seenAs(one.volume);
      await guest.write(disk, 7, "before");
      const swap = (to: GuestVolume): Promise<void> =>
        host.driver().swapVolume(ctx, uuid, one.volume.volumeId, to);
      await rejectsWith(swap(small), "VOLUME_TOO_SMALL");
      leavesNothing(uuid, small);
      await swap(two.volume);
      leavesNothing(uuid, one.volume);
      assert.equal(onVolume(two, 7, 6), "before");
      await guest.write(disk, 8, "after");
      await until(async () => (await guest.sectorsOf(disk)) === "4096", { timeoutMs, what: "the new size" });
      await guest.write(disk, 4095, "end");
      assert.deepEqual(
        [onVolume(two, 8, 5), onVolume(two, 4095, 3), onVolume(one, 8, 5)],
        ["after", "end", "\0\0\0\0\0"],
      );
      await host.driver().detachVolume(ctx, uuid, two.volume.volumeId);
      leavesNothing(uuid, two.volume);
    });

    it("are written on after an agent died while it swapped them", async () => {
      const [one, two] = [await host.served(), await host.served()];
      await host.driver().attachVolume(ctx, uuid, one.volume);
      const disk = await guest.seenAs(one.volume);
      const operator = await QmpClient.connect(host.paths(uuid).operatorSocket, {
        greetingTimeoutMs: timeoutMs,
      });
      // As it is left in between: a copy that does not come to its end.
      const size = 1024 * 1024;
      await operator.execute("blockdev-add", { driver: "null-co", "node-name": "left", size });
      const copy = { "job-id": "swap", device: volumeName(one.volume.volumeId), target: "left" };
      await operator.execute("blockdev-mirror", { ...copy, sync: "full", speed: 1, "auto-dismiss": false });
      await host.restart();
      await until(async () => ((await operator.execute("query-jobs")) as unknown[]).length === 0, {
        timeoutMs,
      });
      operator.close();
      await guest.write(disk, 1, "one");
      await host.driver().swapVolume(ctx, uuid, one.volume.volumeId, two.volume);
      assert.equal(onVolume(two, 1, 3), "one");
    });

    it("are not written where they may only be read", async () => {
      const served = await host.served();
      const volume = { ...served.volume, connection: { ...served.volume.connection, readOnly: true } };
      await host.driver().attachVolume(ctx, uuid, volume);
      const disk = await guest.seenAs(volume);
      assert.match(await guest.run(`cat /sys/block/${disk}/ro`), /^1/m);
      await host.driver().detachVolume(ctx, uuid, volume.volumeId);
      assert.ok(!readFileSync(served.file).some((byte) => byte !== 0));
    });
  });

  it("stay in a guest that does not let go of them", async () => {
    const uuid = await running();
    await host.booted(uuid);
    const { volume } = await host.served();
    await host.driver().attachVolume(ctx, uuid, volume);
    const before = await disksOf(uuid);
    await rejectsWith(host.driver().detachVolume(ctx, uuid, volume.volumeId), "DEVICE_DETACH_FAILED");
    assert.equal(await disksOf(uuid), before);
    assert.equal(daemons(uuid, volume).length, 1);
    await host.driver().powerOff(ctx, uuid, 0);
    assert.deepEqual(daemons(uuid, volume), []);
    await host.driver().detachVolume(ctx, uuid, volume.volumeId);
    leavesNothing(uuid, volume);
  });

  it("that nobody serves are refused, and nothing is left of them", async () => {
    const uuid = await running();
    const before = await disksOf(uuid);
    const served = await host.served();
    const { volume } = served;
    await served.stop();
    await rejectsWith(host.driver().attachVolume(ctx, uuid, volume), "VOLUME_NOT_REACHABLE");
    leavesNothing(uuid, volume);
    assert.equal(await disksOf(uuid), before);

    const stopped = await defined();
    await host.driver().attachVolume(ctx, stopped, volume);
    await rejectsWith(host.driver().powerOn(ctx, stopped), "VOLUME_NOT_REACHABLE");
    assert.equal((await host.driver().inspect(ctx, stopped))?.powerState, "SHUTDOWN");
    assert.deepEqual(daemons(stopped, volume), []);
    await served.start();
    await host.driver().powerOn(ctx, stopped);
    assert.equal(daemons(stopped, volume).length, 1);
    await host.driver().remove(ctx, stopped);
    leavesNothing(stopped, volume);
  });

  it("come back one without the other, when nobody serves the other", async () => {
    const uuid = await running();
    const [one, two] = [await host.served(), await host.served()];
    for (const { volume } of [one, two]) await host.driver().attachVolume(ctx, uuid, volume);
    await one.stop();
    const [[first = 0] = [], [second = 0] = []] = [one, two].map(({ volume }) => daemons(uuid, volume));
    for (const { volume } of [one, two]) kill(uuid, volume);
    await serving(uuid, two.volume, second);
    await host.driver().attachVolume(ctx, uuid, two.volume);
    await one.start();
    await serving(uuid, one.volume, first);
  });

  it("can be what a guest boots from", async () => {
    const { volume, file } = await host.served();
    writeFileSync(file, buttonGuestDisk());
    const uuid = await defined({ rootImage: undefined, rootGib: 0 });
    await host.driver().attachVolume(ctx, uuid, { ...volume, deviceName: "/dev/vda", bootIndex: 0 });
    await host.driver().powerOn(ctx, uuid);
    await host.booted(uuid);
    await host.driver().reboot(ctx, uuid, "soft", timeoutMs);
    await until(() => host.console(uuid).endsWith("boot\noff\nboot\n"), { timeoutMs, what: "a new boot" });
  });

  it("are not there for a guest that is rescued, and come back", async () => {
    const uuid = await running();
    const { volume } = await host.served();
    await host.driver().attachVolume(ctx, uuid, volume);
    await host.driver().rescue(ctx, uuid, await host.aRescue(), 0);
    await host.driver().powerOn(ctx, uuid);
    assert.deepEqual(daemons(uuid, volume), []);
    const { volume: another } = await host.served();
    await host.driver().attachVolume(ctx, uuid, another);
    assert.deepEqual(daemons(uuid, another), []);
    await host.driver().unrescue(ctx, uuid, 0);
    await host.driver().powerOn(ctx, uuid);
    assert.deepEqual([daemons(uuid, volume).length, daemons(uuid, another).length], [1, 1]);
    const stable = { device: "disk", bus: "virtio" };
    await host.driver().rescue(ctx, uuid, await host.aRescue({ stable }), 0);
    await host.driver().powerOn(ctx, uuid);
    assert.equal(daemons(uuid, volume).length, 1);
  });

  it("of a guest that died, or of nobody, are let go of when the agent comes back", async () => {
    const [uuid, other] = [await running(), await running()];
    const { volume } = await host.served();
    const { volume: forgotten } = await host.served();
    await host.driver().attachVolume(ctx, uuid, volume);
    await host.driver().attachVolume(ctx, other, forgotten);
    const pid = (await host.driver().inspect(ctx, uuid))?.pid ?? 0;
    const { definition } = host.paths(other);
    await host.restart(async () => {
      process.kill(pid, "SIGKILL");
      const stored = JSON.parse(readFileSync(definition, "utf8")) as Record<string, unknown>;
      writeFileSync(definition, JSON.stringify({ ...stored, volumes: [] }));
    });
    assert.deepEqual([daemons(uuid, volume), daemons(other, forgotten)], [[], []]);
  });

  for (const [machineType, bus] of [
    ["pc", undefined],
    ["q35", "scsi"],
    ["q35", "usb"],
  ] as const)
    it(`come on ${bus ?? "the usual bus"} of ${machineType}, at once where it can be, or by the next start`, async () => {
      const uuid = await running({ hardware: { machineType } });
      const before = await disksOf(uuid);
      const { volume: plain } = await host.served();
      const volume = { ...plain, bus };
      if (bus === undefined) await host.driver().attachVolume(ctx, uuid, volume);
      else {
        await rejectsWith(host.driver().attachVolume(ctx, uuid, volume), "UNSUPPORTED_HARDWARE");
        leavesNothing(uuid, volume);
        await host.driver().powerOff(ctx, uuid, 0);
        await host.driver().attachVolume(ctx, uuid, volume);
        await host.driver().powerOn(ctx, uuid);
        const { volume: second } = await host.served();
        await host.driver().attachVolume(ctx, uuid, { ...second, bus });
        assert.equal(await disksOf(uuid), before + 2);
        return;
      }
      assert.equal(await disksOf(uuid), before + 1);
      await host.driver().reboot(ctx, uuid, "hard", 0);
      assert.equal(await disksOf(uuid), before + 1);
    });

  for (const [machineType, bus, deviceType] of [
    ["q35", "sata", "disk"],
    ["q35", undefined, "cdrom"],
    ["q35", "scsi", "cdrom"],
    ["pc", "ide", "disk"],
    ["pc", undefined, "cdrom"],
  ] as const)
    it(`come as ${deviceType} on ${bus ?? "the usual bus"} of ${machineType} by a start only`, async () => {
      const uuid = await running({ hardware: { machineType } });
      const before = await disksOf(uuid);
      const { volume: plain } = await host.served();
      const volume = { ...plain, bus, deviceType };
      await rejectsWith(host.driver().attachVolume(ctx, uuid, volume), "UNSUPPORTED_HARDWARE");
      await host.driver().powerOff(ctx, uuid, 0);
      await host.driver().attachVolume(ctx, uuid, volume);
      await host.driver().powerOn(ctx, uuid);
      assert.equal(await disksOf(uuid), before + 1);
      const detach = (): Promise<void> => host.driver().detachVolume(ctx, uuid, volume.volumeId);
      // SCSI asks nobody; elsewhere it cannot be taken out at all.
      if (bus !== "scsi") {
        await rejectsWith(detach(), "DEVICE_DETACH_FAILED");
        await host.driver().powerOff(ctx, uuid, 0);
      }
      await detach();
      leavesNothing(uuid, volume);
    });

  it("are more than the guest has slots for: the last is refused, and the guest starts with the others", async () => {
    const uuid = await running();
    let taken = 0;
    const attachAll = async (): Promise<void> => {
      for (; taken < 40; taken++) await host.driver().attachVolume(ctx, uuid, (await host.served()).volume);
    };
    await rejectsWith(attachAll(), "DEVICE_SLOTS_EXHAUSTED");
    assert.equal(taken, 11);
    await host.driver().reboot(ctx, uuid, "hard", 0);
    assert.equal(await disksOf(uuid), taken + 2);
  });

  it("are reached over TCP as well", async () => {
    const uuid = await running();
    const served = await host.served();
    const at = {
      type: "nbd",
      host: "localhost",
      port: await served.startTcp(),
      exportName: "exported",
    } as const;
    const volume = { ...served.volume, connection: { ...served.volume.connection, at } };
    const before = await disksOf(uuid);
    await host.driver().attachVolume(ctx, uuid, volume);
    assert.equal(await disksOf(uuid), before + 1);
  });

  it("may be files of the host, below the folders for volumes", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kilonova-files-"));
    try {
      await host.dispose();
      host = await qemuHost({ volumeFolders: [folder] });
      chmodSync(folder, 0o755);
      const uuid = await running();
      const path = join(folder, "volume");
      writeFileSync(path, Buffer.alloc(1024 * 1024));
      chmodSync(path, 0o660);
      const volume = aVolume({
        connection: { readOnly: false, shared: true, at: { type: "file", path } },
      });
      const before = await disksOf(uuid);
      await host.driver().attachVolume(ctx, uuid, volume);
      assert.equal(await disksOf(uuid), before + 1);
      await host.restart();
      assert.equal(daemons(uuid, volume).length, 1);
      const elsewhere = aVolume({
        connection: { ...volume.connection, at: { type: "file", path: "/etc/passwd" } },
      });
      await rejectsWith(host.driver().attachVolume(ctx, uuid, elsewhere), "CONNECTION_NOT_SUPPORTED");
      leavesNothing(uuid, elsewhere);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("of protocols for which the host's QEMU has no module are refused, and what is secret stays so", async () => {
    const uuid = await running();
    const at: readonly VolumeAddress[] = [
      {
        type: "iscsi",
        portal: "127.0.0.1:1",
        target: "iqn.2010-10.org.openstack:volume",
        lun: 1,
        chap: { user: "u", password: "hush-hush" },
      },
      {
        type: "rbd",
        pool: "p",
        image: "i",
        monitors: [{ host: "127.0.0.1", port: "1" }],
        user: "cinder",
        key: "aHVzaC1odXNo",
        cluster: "ceph",
      },
    ];
    for (const address of at) {
      const { volume } = await host.served();
      const connection = { ...volume.connection, at: address };
      const error = await host
        .driver()
        .attachVolume(ctx, uuid, { ...volume, connection })
        .then(
          () => assert.fail("attached"),
          (e: unknown) => e,
        );
      assert.ok(error instanceof KilonovaError);
      // With the module QEMU finds nobody there; it has understood everything else in either case.
      const isKnown = existsSync(`/usr/lib/x86_64-linux-gnu/qemu/block-${address.type}.so`);
      assert.equal(error.reason, isKnown ? "VOLUME_NOT_REACHABLE" : "CONNECTION_NOT_SUPPORTED");
      assert.doesNotMatch(inspect(error, { depth: 10 }), /hush-hush|aHVzaC1odXNo/);
      leavesNothing(uuid, volume);
    }
  });

  it("are reached by a process that is neither the guest nor root, and whose secrets nobody sees", async () => {
    const uuid = await running();
    const { volume } = await host.served();
    await host.driver().attachVolume(ctx, uuid, volume);
    const [pid = 0] = daemons(uuid, volume);
    const standing = standingOf(pid);
    const guest = standingOf((await host.driver().inspect(ctx, uuid))?.pid ?? 0);
    assert.deepEqual(standing.shared, []);
    assert.ok(standing.filtered && standing.noNewPrivs);
    const paths = host.paths(uuid);
    const at = volumePaths(paths, volume.volumeId);
    const modeOf = (path: string): number => statSync(path).mode & 0o777;
    assert.deepEqual(
      [modeOf(at.connection), modeOf(paths.volumesDir), modeOf(at.socket)],
      [0o600, 0o700, isRoot ? 0o600 : 0o755],
    );
    const [line] = listProcesses().filter((process) => process.pid === pid);
    assert.ok(line && ![...line.args].some((arg) => arg.includes("exported")));
    assert.doesNotMatch(readFileSync(paths.definition, "utf8"), /exported/);
    if (!isRoot) return;
    assert.notEqual(standing.uids[0], guest.uids[0]);
    assert.notEqual(standing.uids[0], 0);
    assert.equal(statSync(at.socket).uid, guest.uids[0]);
    assert.ok(!readdirSync(`/proc/${guest.uids.length > 0 ? pid : 0}/root`).includes("root"));
  });
});
