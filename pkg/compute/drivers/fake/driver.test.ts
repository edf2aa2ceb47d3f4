import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KilonovaError, rootCtx } from "../../../kernel/index.js";
import type { Arrival, GuestEvent, GuestVolume, WorkProgress } from "../../driver.js";
import { aGuestSpec, aRescueSpec, aVolume } from "../testing/a-spec.js";
import { driverConformance } from "../testing/conformance.js";
import type { DriverHarness } from "../testing/conformance.js";
import { FAKE_METHODS, FakeDriver } from "./driver.js";
import type { FakeVolume } from "./guest-file.js";

const ctx = rootCtx({ requestId: "req-fake" });

async function harness(): Promise<DriverHarness> {
  const dir = mkdtempSync(join(tmpdir(), "kilonova-fake-"));
  const events: GuestEvent[] = [];
  const open = async (): Promise<FakeDriver> => {
    const driver = new FakeDriver({ hostname: "host1", persistDir: dir });
    driver.onEvent((e) => events.push(e));
    await driver.start(ctx);
    return driver;
  };
  let driver = await open();
  return {
    events,
    driver: () => driver,
    aSpec: async (over) => aGuestSpec(over),
    aDeafSpec: async () => aGuestSpec(),
    aRescue: async (over) => aRescueSpec(over),
    aVolume: async () => aVolume(),
    booted: async () => {},
    restart: async (meanwhile) => {
      await driver.close();
      await meanwhile?.();
      driver = await open();
    },
    guestPowersOff: async (uuid) => driver.guestPowersOff(uuid),
    guestReboots: async (uuid) => driver.guestReboots(uuid),
    guestCrashes: async (uuid) => driver.crashGuest(uuid),
    dispose: async () => {
      await driver.close();
      rmSync(dir, { recursive: true });
    },
  };
}

driverConformance("fake", harness, 1_000);

describe("fake driver", () => {
  const refused =
    (reason: string) =>
    (e: unknown): boolean =>
      e instanceof KilonovaError && e.reason === reason;

  it("fails as scripted, so many times, for the guests meant", async () => {
    const driver = new FakeDriver({ hostname: "h" });
    const [one, two] = [
      aGuestSpec({ instanceName: "instance-00000001" }),
      aGuestSpec({ instanceName: "instance-00000002" }),
    ];
    driver.rules.add({
      method: "define",
      nameMatches: "1$",
      times: 1,
      fail: { reason: "NO_DISK", message: "no disk", kind: "unavailable" },
    });
    await driver.define(ctx, two);
    await assert.rejects(driver.define(ctx, one), refused("NO_DISK"));
    assert.equal(await driver.inspect(ctx, one.instanceUuid), undefined);
    await driver.define(ctx, one);
    assert.equal((await driver.list(ctx)).length, 2);
  });

  it("can be told to fail in all that a driver does, whatever it does next", async () => {
    assert.ok(FAKE_METHODS.includes("pause") && FAKE_METHODS.includes("telemetry"));
    for (const method of FAKE_METHODS) {
      const driver = new FakeDriver({ hostname: "h" });
      driver.rules.add({ method, fail: { reason: "AS_ASKED", message: "as asked" } });
      const { [method]: call } = driver as unknown as Readonly<
        Record<string, (...of: unknown[]) => Promise<unknown>>
      >;
      await assert.rejects(async () => call?.call(driver, ctx, aGuestSpec()), refused("AS_ASKED"), method);
    }
  });

  it("tells of disks that a rule delays, in bytes", async () => {
    const driver = new FakeDriver({ hostname: "h" });
    driver.rules.add({ method: "define", delayMs: 250 });
    const told: number[] = [];
    const spec = aGuestSpec({ rootGib: 2 });
    await driver.define(ctx, spec, ({ phase, done, total }) => {
      assert.deepEqual([phase, total], ["disks", 2 * 1024 ** 3]);
      told.push(done / total);
    });
    assert.deepEqual(told, [0, 0.4, 0.8, 1]);
  });

  it("tells of disks on their way that a rule delays, and may lose the answer when they are there", async () => {
    const driver = new FakeDriver({ hostname: "h" });
    const spec = aGuestSpec();
    const arrival: Arrival = { transferId: "t", disks: [], open: () => assert.fail("nothing is offered") };
    const fail = { reason: "LOST", message: "lost" };
    driver.rules.add({ method: "importDisks", times: 1, when: "after", delayMs: 250, fail });
    const told: number[] = [];
    const tell = ({ phase, done, total }: WorkProgress): void => {
      assert.deepEqual([phase, total], ["disk_move", 1024 ** 3]);
      told.push(done / total);
    };
    await assert.rejects(driver.importDisks(ctx, spec, arrival, tell), refused("LOST"));
    assert.deepEqual(told, [0, 0.4, 0.8, 1]);
    await driver.importDisks(ctx, spec, arrival);
    assert.equal(driver.guest(spec.instanceUuid)?.defines, 1);
  });

  it("can lose the answer after the effect", async () => {
    const driver = new FakeDriver({ hostname: "h" });
    const spec = aGuestSpec();
    await driver.define(ctx, spec);
    const takeBack = driver.rules.add({
      method: "powerOn",
      when: "after",
      fail: { reason: "LOST", message: "lost" },
    });
    await assert.rejects(driver.powerOn(ctx, spec.instanceUuid), refused("LOST"));
    assert.equal(driver.guest(spec.instanceUuid)?.starts, 1);
    takeBack();
    await driver.powerOn(ctx, spec.instanceUuid);
    assert.equal(driver.guest(spec.instanceUuid)?.starts, 1);
  });

  it("hangs until the caller gives up, without the effect", async () => {
    const driver = new FakeDriver({ hostname: "h" });
    const spec = aGuestSpec();
    await driver.define(ctx, spec);
    driver.rules.add({ method: "powerOn", hang: true });
    const caller = new AbortController();
    const call = driver.powerOn({ ...ctx, signal: caller.signal }, spec.instanceUuid);
    caller.abort(new Error("gave up"));
    await assert.rejects(call, /gave up/);
    assert.equal(driver.guest(spec.instanceUuid)?.starts, 0);
  });

  it("has a console with more than three lines after a boot, more after each reboot, cut where asked", async () => {
    const driver = new FakeDriver({ hostname: "h" });
    const spec = aGuestSpec({ interfaces: [] });
    await driver.define(ctx, spec);
    const console = async (maxBytes: number): Promise<string> =>
      Buffer.from(await driver.consoleLog(ctx, spec.instanceUuid, maxBytes)).toString();
    const lines = async (): Promise<number> => (await console(102_400)).split("\n").length - 1;
    assert.equal(await lines(), 0);
    await driver.powerOn(ctx, spec.instanceUuid);
    const once = await lines();
    assert.ok(once >= 4, `${once} lines`);
    await driver.reboot(ctx, spec.instanceUuid, "soft", 0);
    await driver.reboot(ctx, spec.instanceUuid, "hard", 0);
    assert.equal(await lines(), 3 * once);
    assert.equal(await console(7), (await console(102_400)).slice(-7));
    assert.equal(await console(0), "");
  });

  it("keeps volumes over restarts, with what counts of the last connection", async () => {
    const persistDir = mkdtempSync(join(tmpdir(), "kilonova-fake-"));
    try {
      const driver = new FakeDriver({ hostname: "h", persistDir });
      const { instanceUuid } = aGuestSpec();
      const [one, two] = [aVolume(), aVolume({ deviceName: "/dev/vdc" })];
      await assert.rejects(driver.attachVolume(ctx, instanceUuid, one), refused("GUEST_NOT_DEFINED"));
      await driver.define(ctx, aGuestSpec({ instanceUuid }));
      for (const volume of [one, two, one]) await driver.attachVolume(ctx, instanceUuid, volume);
      await driver.attachVolume(ctx, instanceUuid, {
        ...one,
        connection: { ...one.connection, readOnly: true },
      });
      const again = new FakeDriver({ hostname: "h", persistDir });
      await again.start(ctx);
      const kept = ({ volumeId, deviceName, deviceType }: GuestVolume, readOnly: boolean): FakeVolume => ({
        volumeId,
        deviceName,
        deviceType,
        protocol: "nbd",
        readOnly,
      });
      assert.deepEqual(again.guest(instanceUuid)?.volumes, [kept(one, true), kept(two, false)]);
      await again.extendVolume(ctx, instanceUuid, two.volumeId, 2048);
      await again.extendVolume(ctx, instanceUuid, two.volumeId, 1024);
      assert.equal(again.guest(instanceUuid)?.volumes[1]?.sizeBytes, 2048);
      await again.detachVolume(ctx, instanceUuid, one.volumeId);
      await again.detachVolume(ctx, instanceUuid, one.volumeId);
      assert.deepEqual(again.guest(instanceUuid)?.volumes, [{ ...kept(two, false), sizeBytes: 2048 }]);
    } finally {
      rmSync(persistDir, { recursive: true });
    }
  });

  it("connects by its own name", async () => {
    assert.deepEqual(await new FakeDriver({ hostname: "h" }).volumeConnector(ctx), {
      host: "h",
      ip: "127.0.0.1",
      initiator: "iqn.2010-10.org.openstack:h",
    });
  });

  it("keeps its guests in files for nobody else to read", async () => {
    const persistDir = join(mkdtempSync(join(tmpdir(), "kilonova-fake-")), "guests");
    const before = process.umask(0);
    try {
      const driver = new FakeDriver({ hostname: "h", persistDir });
      const spec = aGuestSpec();
      await driver.define(ctx, spec);
      assert.equal(statSync(persistDir).mode & 0o777, 0o700);
      assert.equal(statSync(join(persistDir, `${spec.instanceUuid}.json`)).mode & 0o777, 0o600);
    } finally {
      process.umask(before);
      rmSync(join(persistDir, ".."), { recursive: true });
    }
  });

  it("offers 64 VCPU, 256 GiB and 4 TiB unless told otherwise", async () => {
    const driver = new FakeDriver({ hostname: "h", inventory: { vcpus: 8 } });
    const { vcpus, memoryMib, diskGib } = await driver.inventory(ctx);
    assert.deepEqual({ vcpus, memoryMib, diskGib }, { vcpus: 8, memoryMib: 262_144, diskGib: 4096 });
    driver.setInventory({ vcpus: 9 });
    assert.equal((await driver.inventory(ctx)).vcpus, 9);
  });
});
