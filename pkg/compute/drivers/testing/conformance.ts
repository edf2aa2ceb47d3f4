import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { KilonovaError, rootCtx } from "../../../kernel/index.js";
import type {
  Arrival,
  ConsoleKind,
  DiskTransfer,
  Driver,
  DriverWith,
  GuestEvent,
  GuestInterface,
  GuestSpec,
  GuestVolume,
  LeavingDisk,
  LeavingDiskData,
  OptionalMethod,
  RescueSpec,
} from "../../driver.js";
import { until } from "../../../testkit/until.js";

/**
 * What a driver's test gives to the suite: a host of its own, and hands to play the guest and the world
 * outside.
 */
export interface DriverHarness {
  /** The running driver; changes with `restart`. */
  driver(): Driver;
  /** Events since the harness was made, over restarts. */
  readonly events: readonly GuestEvent[];
  /** A small guest that obeys its power button, with one interface and a config drive. */
  aSpec(over?: Partial<GuestSpec>): Promise<GuestSpec>;
  /** The same guest, but deaf to its power button. */
  aDeafSpec(): Promise<GuestSpec>;
  /** A small rescue system: it writes `rescue boot` where a guest writes `boot`. */
  aRescue(over?: Partial<RescueSpec>): Promise<RescueSpec>;
  /** A volume that can be attached, another one each time. */
  aVolume(): Promise<GuestVolume>;
  /** Resolves when the guest's own code runs (so that it hears the power button). */
  booted(instanceUuid: string): Promise<void>;
  /**
   * Lets go of the driver as a dying agent would, runs `meanwhile`, then starts another over the same guests.
   */
  restart(meanwhile?: () => Promise<void>): Promise<void>;
  /** `poweroff` inside the guest. */
  guestPowersOff(instanceUuid: string): Promise<void>;
  /** `reboot` inside the guest. */
  guestReboots(instanceUuid: string): Promise<void>;
  /** The hypervisor process dies of something. */
  guestCrashes(instanceUuid: string): Promise<void>;
  /** Ends every guest and frees everything. */
  dispose(): Promise<void>;
}

const ctx = rootCtx({ requestId: "req-conformance" });

/** Every driver keeps the promises of `driver.ts`, or fails here. @param timeoutMs patience for one event */
export function driverConformance(name: string, make: () => Promise<DriverHarness>, timeoutMs: number): void {
  describe(`driver conformance: ${name}`, function () {
    this.timeout(timeoutMs * 2);
    let h: DriverHarness;
    beforeEach(async () => {
      h = await make();
    });
    afterEach(async () => {
      await h.dispose();
    });

    const stateOf = async (uuid: string): Promise<string | undefined> =>
      (await h.driver().inspect(ctx, uuid))?.powerState;
    const settles = (uuid: string, state: string): Promise<true> =>
      until(async () => (await stateOf(uuid)) === state, { timeoutMs, what: `${uuid} to be ${state}` });
    const event = (uuid: string, type: GuestEvent["type"]): Promise<GuestEvent> =>
      until(() => h.events.find((e) => e.instanceUuid === uuid && e.type === type), {
        timeoutMs,
        what: `event ${type}`,
      });
    const running = async (over?: Partial<GuestSpec>): Promise<GuestSpec> => {
      const spec = await h.aSpec(over);
      await h.driver().define(ctx, spec);
      await h.driver().powerOn(ctx, spec.instanceUuid);
      return spec;
    };
    const rejectsWith = (promise: Promise<unknown>, reason: string): Promise<void> =>
      assert.rejects(promise, (e: unknown) => e instanceof KilonovaError && e.reason === reason);

    /** The three methods of a rebuild, of the driver as it is now. */
    const rebuilding = () => {
      const driver = h.driver();
      const { prepareRebuild, rebuild, discardRebuild } = driver;
      assert.ok(prepareRebuild && rebuild && discardRebuild);
      return {
        prepare: (spec: GuestSpec, key: string, keepsEphemeral = false): Promise<void> =>
          prepareRebuild.call(driver, ctx, spec, { key, keepsEphemeral }),
        rebuild: (uuid: string, key: string): Promise<void> => rebuild.call(driver, ctx, uuid, key, 0),
        discard: (uuid: string): Promise<void> => discardRebuild.call(driver, ctx, uuid),
      };
    };

    it("offers a host", async () => {
      const inventory = await h.driver().inventory(ctx);
      assert.ok(inventory.vcpus >= 1 && inventory.memoryMib > 0 && inventory.diskGib > 0);
      assert.ok(inventory.hypervisorVersion >= 1_000_000);
      const cpu = JSON.parse(inventory.cpuInfo) as Record<string, unknown>;
      assert.deepEqual(Object.keys(cpu).sort(), ["arch", "features", "model", "topology", "vendor"]);
      assert.ok(inventory.traits.includes("COMPUTE_IMAGE_TYPE_QCOW2"));
      assert.equal(new Set(inventory.traits).size, inventory.traits.length);
    });

    it("measures itself, and its inventory has no part in that", async () => {
      const inventory = await h.driver().inventory(ctx);
      const { uptime, diskFreeGib } = await h.driver().telemetry(ctx);
      assert.match(uptime, /^ \d\d:\d\d:\d\d up .+, {2}\d+ users, {2}load average: \d/);
      assert.ok(diskFreeGib >= 0 && diskFreeGib <= inventory.diskGib);
      await h.driver().telemetry(ctx);
      assert.deepEqual(await h.driver().inventory(ctx), inventory);
    });

    it("knows nothing of a guest that was never defined", async () => {
      const uuid = (await h.aSpec()).instanceUuid;
      assert.equal(await stateOf(uuid), undefined);
      await rejectsWith(h.driver().powerOn(ctx, uuid), "GUEST_NOT_DEFINED");
      await rejectsWith(h.driver().powerOff(ctx, uuid, 0), "GUEST_NOT_DEFINED");
      await rejectsWith(h.driver().reboot(ctx, uuid, "hard", 0), "GUEST_NOT_DEFINED");
      await h.driver().remove(ctx, uuid);
    });

    it("defines a guest without starting it, twice as well as once", async () => {
      const spec = await h.aSpec();
      await h.driver().define(ctx, spec);
      await h.driver().define(ctx, spec);
      assert.deepEqual(await h.driver().list(ctx), [
        { instanceUuid: spec.instanceUuid, powerState: "SHUTDOWN", pid: 0 },
      ]);
    });

    it("powers on, once", async () => {
      const spec = await running();
      const first = await h.driver().inspect(ctx, spec.instanceUuid);
      assert.equal(first?.powerState, "RUNNING");
      assert.ok((first?.pid ?? 0) > 0);
      await h.driver().define(ctx, spec);
      await h.driver().powerOn(ctx, spec.instanceUuid);
      assert.deepEqual(await h.driver().inspect(ctx, spec.instanceUuid), first);
    });

    it("powers off a guest that listens, and again", async () => {
      const { instanceUuid } = await running();
      await h.booted(instanceUuid);
      await h.driver().powerOff(ctx, instanceUuid, timeoutMs);
      assert.deepEqual(await h.driver().inspect(ctx, instanceUuid), {
        instanceUuid,
        powerState: "SHUTDOWN",
        pid: 0,
      });
      await h.driver().powerOff(ctx, instanceUuid, timeoutMs);
      await h.driver().powerOff(ctx, instanceUuid, 0);
    });

    it("pulls the plug of a guest that does not listen", async () => {
      const spec = await h.aDeafSpec();
      await h.driver().define(ctx, spec);
      await h.driver().powerOn(ctx, spec.instanceUuid);
      await h.driver().powerOff(ctx, spec.instanceUuid, 200);
      assert.equal(await stateOf(spec.instanceUuid), "SHUTDOWN");
    });

    it("powers on again after power off", async () => {
      const { instanceUuid } = await running();
      await h.driver().powerOff(ctx, instanceUuid, 0);
      await h.driver().powerOn(ctx, instanceUuid);
      assert.equal(await stateOf(instanceUuid), "RUNNING");
    });

    it("reboots hard into another process", async () => {
      const { instanceUuid } = await running();
      const before = await h.driver().inspect(ctx, instanceUuid);
      await h.driver().reboot(ctx, instanceUuid, "hard", 0);
      const after = await h.driver().inspect(ctx, instanceUuid);
      assert.equal(after?.powerState, "RUNNING");
      assert.notEqual(after?.pid, before?.pid);
    });

    it("reboots softly a guest that listens", async () => {
      const { instanceUuid } = await running();
      await h.booted(instanceUuid);
      await h.driver().reboot(ctx, instanceUuid, "soft", timeoutMs);
      await settles(instanceUuid, "RUNNING");
      await h.booted(instanceUuid);
    });

    it("reboots hard a guest that was asked softly and does not listen, and one that is off", async () => {
      const spec = await h.aDeafSpec();
      await h.driver().define(ctx, spec);
      await h.driver().powerOn(ctx, spec.instanceUuid);
      await h.driver().reboot(ctx, spec.instanceUuid, "soft", 200);
      assert.equal(await stateOf(spec.instanceUuid), "RUNNING");
      await h.driver().powerOff(ctx, spec.instanceUuid, 0);
      await h.driver().reboot(ctx, spec.instanceUuid, "hard", 0);
      assert.equal(await stateOf(spec.instanceUuid), "RUNNING");
    });

    it("removes a running guest and every trace of it, and again", async () => {
      const spec = await running();
      await h.driver().remove(ctx, spec.instanceUuid);
      assert.equal(await stateOf(spec.instanceUuid), undefined);
      assert.deepEqual(await h.driver().list(ctx), []);
      await h.driver().remove(ctx, spec.instanceUuid);
      await h.driver().define(ctx, spec);
      assert.equal(await stateOf(spec.instanceUuid), "SHUTDOWN");
    });

    it("tells of a guest that powers itself off", async () => {
      const { instanceUuid } = await running();
      await h.booted(instanceUuid);
      await h.guestPowersOff(instanceUuid);
      assert.deepEqual(await event(instanceUuid, "STOPPED"), {
        instanceUuid,
        type: "STOPPED",
        byGuest: true,
      });
      assert.equal(await stateOf(instanceUuid), "SHUTDOWN");
      await h.driver().powerOn(ctx, instanceUuid);
      assert.equal(await stateOf(instanceUuid), "RUNNING");
    });

    it("tells of a guest that reboots itself", async () => {
      const { instanceUuid } = await running();
      await h.booted(instanceUuid);
      await h.guestReboots(instanceUuid);
      assert.deepEqual(await event(instanceUuid, "REBOOTED"), {
        instanceUuid,
        type: "REBOOTED",
        byGuest: true,
      });
      await settles(instanceUuid, "RUNNING");
    });

    it("tells of a hypervisor process that died, and starts the guest again", async () => {
      const { instanceUuid } = await running();
      await h.guestCrashes(instanceUuid);
      assert.deepEqual(await event(instanceUuid, "CRASHED"), {
        instanceUuid,
        type: "CRASHED",
        byGuest: false,
      });
      assert.equal(await stateOf(instanceUuid), "CRASHED");
      await h.driver().powerOn(ctx, instanceUuid);
      assert.equal(await stateOf(instanceUuid), "RUNNING");
    });

    it("says nothing about what it was asked to do", async () => {
      const { instanceUuid } = await running();
      await h.driver().reboot(ctx, instanceUuid, "hard", 0);
      await h.driver().powerOff(ctx, instanceUuid, 0);
      await h.driver().remove(ctx, instanceUuid);
      assert.deepEqual(h.events, []);
    });

    it("finds its guests again after a restart of the agent", async () => {
      const up = await running();
      const off = await h.aSpec();
      await h.driver().define(ctx, off);
      const before = await h.driver().inspect(ctx, up.instanceUuid);
      await h.restart();
      assert.deepEqual(await h.driver().inspect(ctx, up.instanceUuid), before);
      assert.equal(await stateOf(off.instanceUuid), "SHUTDOWN");
      await h.driver().powerOff(ctx, up.instanceUuid, 0);
      assert.equal(await stateOf(up.instanceUuid), "SHUTDOWN");
    });

    it("pauses and unpauses, each also twice", async () => {
      const { instanceUuid } = await running();
      const { pause, unpause } = h.driver();
      assert.ok(pause && unpause);
      await pause.call(h.driver(), ctx, instanceUuid);
      await pause.call(h.driver(), ctx, instanceUuid);
      assert.equal(await stateOf(instanceUuid), "PAUSED");
      await unpause.call(h.driver(), ctx, instanceUuid);
      await unpause.call(h.driver(), ctx, instanceUuid);
      assert.equal(await stateOf(instanceUuid), "RUNNING");
      await h.driver().powerOff(ctx, instanceUuid, 0);
      await rejectsWith(pause.call(h.driver(), ctx, instanceUuid), "GUEST_NOT_RUNNING");
    });

    const able = <M extends OptionalMethod>(method: M): DriverWith<M>[M] => {
      const driver = h.driver();
      const call = driver[method] as ((...of: unknown[]) => unknown) | undefined;
      assert.ok(call, `${driver.name} cannot ${method}`);
      return call.bind(driver) as unknown as DriverWith<M>[M];
    };
    const boots = async (uuid: string): Promise<number> => {
      const bytes = await able("consoleLog")(ctx, uuid, 102_400);
      return Buffer.from(bytes).toString("latin1").split("boot").length - 1;
    };

    it("suspends a guest to a file, over restarts of the agent, and lets it go on where it stood", async () => {
      const { instanceUuid, memoryMib } = await running();
      await h.booted(instanceUuid);
      const booted = await boots(instanceUuid);
      const told: number[] = [];
      await able("suspend")(ctx, instanceUuid, ({ phase, done, total }) => {
        assert.deepEqual([phase, total], ["memory", memoryMib * 1024 ** 2]);
        told.push(done);
      });
      assert.deepEqual(
        told,
        told.toSorted((a, b) => a - b),
      );
      const suspended = { instanceUuid, powerState: "SUSPENDED", pid: 0 };
      assert.deepEqual(await h.driver().inspect(ctx, instanceUuid), suspended);
      await able("suspend")(ctx, instanceUuid);
      await h.restart();
      assert.deepEqual(await h.driver().list(ctx), [suspended]);
      await able("resume")(ctx, instanceUuid);
      await able("resume")(ctx, instanceUuid);
      assert.equal(await stateOf(instanceUuid), "RUNNING");
      assert.equal(await boots(instanceUuid), booted);
      await able("suspend")(ctx, instanceUuid);
      await able("resume")(ctx, instanceUuid);
      await h.driver().powerOff(ctx, instanceUuid, timeoutMs);
      assert.equal(await boots(instanceUuid), booted);
      assert.deepEqual(h.events, []);
    });

    it("throws the memory away of a suspended guest that is started anew, rebooted, switched off or removed", async () => {
      const { instanceUuid } = await running();
      const suspend = (): Promise<void> => able("suspend")(ctx, instanceUuid);
      await suspend();
      await h.driver().powerOn(ctx, instanceUuid);
      assert.equal(await stateOf(instanceUuid), "RUNNING");
      await suspend();
      await h.driver().reboot(ctx, instanceUuid, "hard", 0);
      assert.equal(await stateOf(instanceUuid), "RUNNING");
      await suspend();
      await h.driver().powerOff(ctx, instanceUuid, 0);
      assert.equal(await stateOf(instanceUuid), "SHUTDOWN");
      await h.restart();
      await rejectsWith(able("resume")(ctx, instanceUuid), "SAVED_MEMORY_LOST");
      await rejectsWith(able("suspend")(ctx, instanceUuid), "GUEST_NOT_RUNNING");
      await h.driver().powerOn(ctx, instanceUuid);
      await suspend();
      await h.driver().remove(ctx, instanceUuid);
      assert.equal(await stateOf(instanceUuid), undefined);
      assert.deepEqual(h.events, []);
    });

    it("interrupts a guest that runs, and no other", async () => {
      const { instanceUuid } = await running();
      await able("injectNmi")(ctx, instanceUuid);
      await h.driver().powerOff(ctx, instanceUuid, 0);
      await rejectsWith(able("injectNmi")(ctx, instanceUuid), "GUEST_NOT_RUNNING");
    });

    it("prepares a rebuild that the guest does not notice, and forgets it when told", async () => {
      const spec = await running();
      const before = await h.driver().inspect(ctx, spec.instanceUuid);
      const rebuilds = rebuilding();
      await rebuilds.prepare(spec, "k1");
      await rebuilds.prepare(spec, "k1");
      assert.deepEqual(await h.driver().inspect(ctx, spec.instanceUuid), before);
      await rebuilds.discard(spec.instanceUuid);
      await rebuilds.discard(spec.instanceUuid);
      await rejectsWith(rebuilds.rebuild(spec.instanceUuid, "k1"), "REBUILD_NOT_PREPARED");
      assert.deepEqual(await h.driver().inspect(ctx, spec.instanceUuid), before);
      assert.deepEqual(h.events, []);
    });

    it("rebuilds what was prepared, once, also after a restart of the agent", async () => {
      const spec = await running();
      const { instanceUuid } = spec;
      const rebuilds = rebuilding();
      await rebuilds.prepare({ ...spec, memoryMib: spec.memoryMib + 32 }, "k2");
      await h.restart();
      await rejectsWith(rebuilding().rebuild(instanceUuid, "another"), "REBUILD_NOT_PREPARED");
      assert.equal(await stateOf(instanceUuid), "RUNNING");
      await rebuilding().rebuild(instanceUuid, "k2");
      assert.equal(await stateOf(instanceUuid), "SHUTDOWN");
      await h.driver().powerOn(ctx, instanceUuid);
      const after = await h.driver().inspect(ctx, instanceUuid);
      await rebuilding().rebuild(instanceUuid, "k2");
      assert.deepEqual(await h.driver().inspect(ctx, instanceUuid), after);
      assert.equal(after?.powerState, "RUNNING");
      assert.deepEqual(h.events, []);
      await h.restart();
      assert.deepEqual(await h.driver().inspect(ctx, instanceUuid), after);
    });

    it("rebuilds a guest that it does not know any more", async () => {
      const spec = await h.aSpec();
      const { instanceUuid } = spec;
      await rebuilding().prepare(spec, "k3");
      assert.equal(await stateOf(instanceUuid), undefined);
      await rebuilding().rebuild(instanceUuid, "k3");
      await h.driver().powerOn(ctx, instanceUuid);
      assert.equal(await stateOf(instanceUuid), "RUNNING");
      await h.driver().remove(ctx, instanceUuid);
      await rebuilding().prepare(spec, "k4");
      await h.driver().remove(ctx, instanceUuid);
      await rejectsWith(rebuilding().rebuild(instanceUuid, "k4"), "REBUILD_NOT_PREPARED");
    });

    it("copies the disk of a guest that runs, pauses, is suspended or off, and leaves it as it was", async () => {
      const d = h.driver();
      const { takeSnapshot, openSnapshot, dropSnapshot } = d;
      assert.ok(takeSnapshot && openSnapshot && dropSnapshot);
      const { instanceUuid } = await running();
      const copied = async (): Promise<void> => {
        const before = await d.inspect(ctx, instanceUuid);
        const snapshotId = randomUUID();
        const request = { snapshotId, quiesce: "if-possible" } as const;
        // A repeated call replaces what the first one has left.
        await takeSnapshot.call(d, ctx, instanceUuid, request);
        const copy = await takeSnapshot.call(d, ctx, instanceUuid, request);
        assert.ok(copy.sizeBytes > 0 && copy.virtualSizeBytes > 0);
        const { sizeBytes, data } = await openSnapshot.call(d, ctx, instanceUuid, snapshotId);
        let read = 0;
        for await (const chunk of data) read += chunk.length;
        assert.deepEqual([read, sizeBytes], [copy.sizeBytes, copy.sizeBytes]);
        assert.deepEqual(await d.inspect(ctx, instanceUuid), before);
        await dropSnapshot.call(d, ctx, instanceUuid, snapshotId);
        await dropSnapshot.call(d, ctx, instanceUuid, snapshotId);
        await rejectsWith(openSnapshot.call(d, ctx, instanceUuid, snapshotId), "SNAPSHOT_LOST");
      };
      await copied();
      await d.pause?.call(d, ctx, instanceUuid);
      await copied();
      await able("suspend")(ctx, instanceUuid);
      await copied();
      await d.powerOff(ctx, instanceUuid, 0);
      await copied();
      assert.deepEqual(h.events, []);
      await d.remove(ctx, instanceUuid);
      await rejectsWith(
        takeSnapshot.call(d, ctx, instanceUuid, { snapshotId: randomUUID(), quiesce: "no" }),
        "GUEST_NOT_DEFINED",
      );
      await dropSnapshot.call(d, ctx, instanceUuid, randomUUID());
    });

    /** From what a guest has booted so far, oldest first. */
    const bootsOf = async (uuid: string): Promise<string[]> => {
      const bytes = await h.driver().consoleLog?.call(h.driver(), ctx, uuid, 102_400);
      return [
        ...Buffer.from(bytes ?? [])
          .toString("latin1")
          .matchAll(/(rescue )?boot/g),
      ].map(([said]) => said);
    };
    /** Waits for so many boots. */
    const booted = async (uuid: string, count: number): Promise<string | undefined> => {
      await until(async () => (await bootsOf(uuid)).length >= count, { timeoutMs, what: `boot ${count}` });
      await h.booted(uuid);
      return (await bootsOf(uuid)).at(-1);
    };
    const rescue = async (uuid: string, spec: RescueSpec): Promise<void> => {
      await h.driver().rescue?.call(h.driver(), ctx, uuid, spec, timeoutMs);
    };
    const unrescue = async (uuid: string): Promise<void> => {
      await h.driver().unrescue?.call(h.driver(), ctx, uuid, timeoutMs);
    };

    it("boots a rescued guest from its rescue disk, over reboots and restarts of the agent", async () => {
      const { instanceUuid: uuid } = await running();
      assert.equal(await booted(uuid, 1), "boot");
      const spec = await h.aRescue();
      await rescue(uuid, spec);
      assert.equal(await stateOf(uuid), "SHUTDOWN");
      await h.driver().powerOn(ctx, uuid);
      assert.equal(await booted(uuid, 2), "rescue boot");
      const before = await h.driver().inspect(ctx, uuid);
      await rescue(uuid, spec);
      assert.deepEqual(await h.driver().inspect(ctx, uuid), before);
      await h.restart();
      await rescue(uuid, spec);
      assert.deepEqual(await h.driver().inspect(ctx, uuid), before);
      await h.driver().reboot(ctx, uuid, "hard", 0);
      assert.equal(await booted(uuid, 3), "rescue boot");
      await h.driver().powerOff(ctx, uuid, 0);
      await h.restart();
      await h.driver().powerOn(ctx, uuid);
      assert.equal(await booted(uuid, 4), "rescue boot");
      assert.deepEqual(h.events, []);
    });

    it("boots an unrescued guest from its own disk again, and leaves one alone that is not rescued", async () => {
      const { instanceUuid: uuid } = await running();
      await booted(uuid, 1);
      const before = await h.driver().inspect(ctx, uuid);
      await unrescue(uuid);
      assert.deepEqual(await h.driver().inspect(ctx, uuid), before);
      await rescue(uuid, await h.aRescue());
      await h.driver().powerOn(ctx, uuid);
      await booted(uuid, 2);
      await unrescue(uuid);
      assert.equal(await stateOf(uuid), "SHUTDOWN");
      await h.restart();
      await h.driver().powerOn(ctx, uuid);
      assert.equal(await booted(uuid, 3), "boot");
    });

    it("replaces one rescue by another, and ends one when the guest is defined or removed", async () => {
      const spec = await running();
      const uuid = spec.instanceUuid;
      await booted(uuid, 1);
      await rescue(uuid, await h.aRescue());
      await h.driver().powerOn(ctx, uuid);
      await booted(uuid, 2);
      await rescue(uuid, await h.aRescue({ configDrive: undefined }));
      assert.equal(await stateOf(uuid), "SHUTDOWN");
      await h.driver().powerOn(ctx, uuid);
      assert.equal(await booted(uuid, 3), "rescue boot");
      await h.driver().powerOff(ctx, uuid, 0);
      await h.driver().define(ctx, spec);
      await h.driver().powerOn(ctx, uuid);
      assert.equal(await booted(uuid, 4), "boot");
      await rescue(uuid, await h.aRescue());
      await h.driver().remove(ctx, uuid);
      await rejectsWith(rescue(uuid, await h.aRescue()), "GUEST_NOT_DEFINED");
      await h.driver().define(ctx, spec);
      await h.driver().powerOn(ctx, uuid);
      assert.equal(await booted(uuid, 1), "boot");
    });

    it("lets a guest run on that cannot be rescued as asked", async () => {
      const { instanceUuid: uuid } = await running();
      const before = await h.driver().inspect(ctx, uuid);
      const stable = { device: "floppy", bus: undefined };
      await rejectsWith(rescue(uuid, await h.aRescue({ stable })), "UNSUPPORTED_HARDWARE");
      assert.deepEqual(await h.driver().inspect(ctx, uuid), before);
      await rescue(uuid, await h.aRescue({ stable: { device: "disk", bus: "virtio" } }));
      await h.driver().powerOn(ctx, uuid);
      assert.equal(await stateOf(uuid), "RUNNING");
    });

    it("keeps the console over restarts of the guest and shows its end", async () => {
      const { instanceUuid } = await running();
      const read = async (n: number): Promise<string> => {
        const bytes = await h.driver().consoleLog?.call(h.driver(), ctx, instanceUuid, n);
        assert.ok(bytes);
        return Buffer.from(bytes).toString("latin1");
      };
      await h.booted(instanceUuid);
      const first = await read(102_400);
      assert.match(first, /boot/);
      await h.driver().reboot(ctx, instanceUuid, "hard", 0);
      await until(async () => (await read(102_400)).split("boot").length >= 3, {
        timeoutMs,
        what: "the console to grow",
      });
      assert.ok((await read(102_400)).startsWith(first.slice(0, 5)));
      assert.equal((await read(5)).length, 5);
    });

    it("opens consoles of one run of the guest, which end with it", async () => {
      const { instanceUuid } = await running();
      const ask = (kind: ConsoleKind) => h.driver().guestConsole?.call(h.driver(), ctx, instanceUuid, kind);
      const runs: unknown[] = [];
      for (const kind of ["vnc", "serial"] as const) {
        const found = await ask(kind);
        assert.ok(found?.connect);
        const line = await found.connect();
        let ended = false;
        line.on("error", () => {}).once("close", () => (ended = true));
        line.resume();
        runs.push(found.run, (await ask(kind))?.run);
        await h.driver().reboot(ctx, instanceUuid, "hard", 0);
        await until(() => ended, { timeoutMs, what: `the ${kind} console to end` });
        runs.push((await ask(kind))?.run);
      }
      const [first, again, second, third, fourth, fifth] = runs;
      assert.ok([first, second, fifth].every((run) => typeof run === "string" && run !== ""));
      assert.deepEqual([again, third, fourth], [first, second, second]);
      assert.equal(new Set([first, second, fifth]).size, 3);
      await h.driver().powerOff(ctx, instanceUuid, 0);
      assert.equal((await ask("vnc"))?.run, undefined);
    });

    it("tells what a guest that runs did so far", async () => {
      const spec = await running();
      const d = await h.driver().diagnostics?.call(h.driver(), ctx, spec.instanceUuid);
      assert.ok(d);
      const [nic] = spec.interfaces;
      assert.equal(d.cpus.length, spec.vcpus);
      assert.equal(d.configDrive, true);
      assert.deepEqual(
        d.nics.map(({ macAddress }) => macAddress),
        [nic?.macAddress],
      );
      assert.ok(d.disks.length > 0 && d.disks.every(({ errors }) => errors === 0));
      assert.equal(d.memoryMaximumMib, spec.memoryMib);
      await h.driver().powerOff(ctx, spec.instanceUuid, 0);
      await rejectsWith(
        (async () => h.driver().diagnostics?.call(h.driver(), ctx, spec.instanceUuid))(),
        "GUEST_NOT_RUNNING",
      );
    });

    const another: GuestInterface = {
      portId: "9e1bc2d2-4b9e-4d0a-8a53-3a2f1f4f1c99",
      macAddress: "fa:16:3e:99:99:99",
      mtu: 1450,
      model: "virtio",
      socketPath: "",
    };
    const nicsOf = async (uuid: string): Promise<readonly string[]> =>
      (await able("diagnostics")(ctx, uuid)).nics.map(({ macAddress }) => macAddress);

    it("puts an interface into a running guest, once, and remembers it", async () => {
      const { instanceUuid, interfaces } = await running();
      await h.driver().attachInterface?.(ctx, instanceUuid, another);
      await h.driver().attachInterface?.(ctx, instanceUuid, another);
      const wanted = [interfaces[0]?.macAddress, another.macAddress];
      assert.deepEqual(await nicsOf(instanceUuid), wanted);
      await h.restart();
      await h.driver().attachInterface?.(ctx, instanceUuid, another);
      assert.deepEqual(await nicsOf(instanceUuid), wanted);
      await h.driver().reboot(ctx, instanceUuid, "hard", 0);
      assert.deepEqual(await nicsOf(instanceUuid), wanted);
    });

    it("puts interfaces into a stopped guest and takes them out, by what it is started with", async () => {
      const spec = await h.aSpec();
      const uuid = spec.instanceUuid;
      await h.driver().define(ctx, spec);
      await h.driver().attachInterface?.(ctx, uuid, another);
      await h.driver().detachInterface?.(ctx, uuid, spec.interfaces[0]?.portId ?? "");
      await h.driver().detachInterface?.(ctx, uuid, spec.interfaces[0]?.portId ?? "");
      await h.driver().powerOn(ctx, uuid);
      assert.deepEqual(await nicsOf(uuid), [another.macAddress]);
      const unknown = "8e1bc2d2-4b9e-4d0a-8a53-3a2f1f4f1c99";
      await rejectsWith(
        h.driver().attachInterface?.(ctx, unknown, another) ?? Promise.resolve(),
        "GUEST_NOT_DEFINED",
      );
    });

    it("keeps interfaces that come and go while a rebuild is prepared", async () => {
      const spec = await running();
      const { instanceUuid } = spec;
      await able("attachInterface")(ctx, instanceUuid, another);
      await rebuilding().prepare(spec, "k5");
      await rebuilding().rebuild(instanceUuid, "k5");
      await h.driver().powerOn(ctx, instanceUuid);
      assert.deepEqual(await nicsOf(instanceUuid), [spec.interfaces[0]?.macAddress, another.macAddress]);
      await h.driver().powerOff(ctx, instanceUuid, 0);
      await rebuilding().prepare({ ...spec, interfaces: [...spec.interfaces, another] }, "k6");
      await able("detachInterface")(ctx, instanceUuid, another.portId);
      await rebuilding().rebuild(instanceUuid, "k6");
      await h.driver().powerOn(ctx, instanceUuid);
      assert.deepEqual(await nicsOf(instanceUuid), [spec.interfaces[0]?.macAddress]);
    });

    const disksOf = async (uuid: string): Promise<number> =>
      (await able("diagnostics")(ctx, uuid)).disks.length;
    const attach = async (uuid: string, volume: GuestVolume): Promise<void> =>
      able("attachVolume")(ctx, uuid, volume);
    const detach = async (uuid: string, { volumeId }: GuestVolume): Promise<void> =>
      able("detachVolume")(ctx, uuid, volumeId);

    it("puts a volume into a running guest, once, and remembers it over restarts and reboots", async () => {
      const { instanceUuid } = await running();
      const before = await disksOf(instanceUuid);
      const [one, two] = [await h.aVolume(), await h.aVolume()];
      await attach(instanceUuid, one);
      await attach(instanceUuid, one);
      assert.equal(await disksOf(instanceUuid), before + 1);
      await h.restart();
      await attach(instanceUuid, one);
      await attach(instanceUuid, two);
      assert.equal(await disksOf(instanceUuid), before + 2);
      await h.driver().reboot(ctx, instanceUuid, "hard", 0);
      assert.equal(await disksOf(instanceUuid), before + 2);
      await h.driver().powerOff(ctx, instanceUuid, 0);
      await detach(instanceUuid, one);
      await h.driver().powerOn(ctx, instanceUuid);
      assert.equal(await disksOf(instanceUuid), before + 1);
      assert.deepEqual(h.events, []);
    });

    it("puts volumes into a stopped guest and takes them out, by what it is started with", async () => {
      const spec = await h.aSpec();
      const uuid = spec.instanceUuid;
      const [one, two] = [await h.aVolume(), await h.aVolume()];
      await rejectsWith(attach(uuid, one), "GUEST_NOT_DEFINED");
      await h.driver().define(ctx, spec);
      await attach(uuid, one);
      await attach(uuid, two);
      await detach(uuid, one);
      await detach(uuid, one);
      await h.driver().define(ctx, { ...spec, memoryMib: spec.memoryMib + 16 });
      await h.driver().powerOn(ctx, uuid);
      const withTwo = await disksOf(uuid);
      await h.driver().powerOff(ctx, uuid, 0);
      await detach(uuid, two);
      await h.driver().powerOn(ctx, uuid);
      assert.equal(await disksOf(uuid), withTwo - 1);
    });

    it("has guests see volumes that have grown, and says nothing to those that do not have them", async () => {
      const volume = await h.aVolume();
      const spec = await h.aSpec();
      await h.driver().define(ctx, spec);
      const extend = (): Promise<void> =>
        able("extendVolume")(ctx, spec.instanceUuid, volume.volumeId, 1024 * 1024);
      await extend();
      await attach(spec.instanceUuid, volume);
      await extend();
      await h.driver().powerOn(ctx, spec.instanceUuid);
      await extend();
      await extend();
      await rejectsWith(able("extendVolume")(ctx, randomUUID(), volume.volumeId, 512), "GUEST_NOT_DEFINED");
    });

    it("swaps a volume for another one, in the same place, once", async () => {
      const { instanceUuid } = await running();
      const before = await disksOf(instanceUuid);
      const [one, two] = [{ ...(await h.aVolume()), tag: "db" }, await h.aVolume()];
      const swap = (): Promise<void> => able("swapVolume")(ctx, instanceUuid, one.volumeId, two);
      await rejectsWith(swap(), "VOLUME_NOT_ATTACHED");
      await attach(instanceUuid, one);
      await swap();
      await swap();
      assert.deepEqual(
        (await able("taggedVolumes")(ctx, instanceUuid)).map(({ volumeId, tag }) => [volumeId, tag]),
        [[two.volumeId, "db"]],
      );
      assert.equal(await disksOf(instanceUuid), before + 1);
      await attach(instanceUuid, one);
      assert.equal(await disksOf(instanceUuid), before + 2);
      await able("suspend")(ctx, instanceUuid);
      await able("resume")(ctx, instanceUuid);
      await h.driver().reboot(ctx, instanceUuid, "hard", 0);
      assert.equal(await disksOf(instanceUuid), before + 2);
      await h.driver().powerOff(ctx, instanceUuid, 0);
      await rejectsWith(
        able("swapVolume")(ctx, instanceUuid, two.volumeId, await h.aVolume()),
        "GUEST_NOT_RUNNING",
      );
    });

    it("knows a volume under another id once it is told, and finds it under that", async () => {
      const { instanceUuid } = await running();
      const before = await disksOf(instanceUuid);
      const [one, two, three] = [{ ...(await h.aVolume()), tag: "db" }, await h.aVolume(), await h.aVolume()];
      const swap = (to: typeof two): Promise<void> => able("swapVolume")(ctx, instanceUuid, one.volumeId, to);
      const rename = (from: typeof two): Promise<void> =>
        able("renameVolume")(ctx, instanceUuid, from.volumeId, one.volumeId);
      const known = async (): Promise<readonly string[]> =>
        (await able("taggedVolumes")(ctx, instanceUuid)).map(({ volumeId }) => volumeId);
      await rejectsWith(rename(two), "VOLUME_NOT_ATTACHED");
      await attach(instanceUuid, one);
      await swap(two);
      for (let times = 0; times < 2; times++) await rename(two);
      assert.deepEqual(await known(), [one.volumeId]);
      await h.driver().reboot(ctx, instanceUuid, "hard", 0);
      await swap(three);
      assert.deepEqual(await known(), [three.volumeId]);
      await rename(three);
      await attach(instanceUuid, { ...three, volumeId: one.volumeId });
      assert.equal(await disksOf(instanceUuid), before + 1);
      // Nobody in it would let go of a device.
      await h.driver().powerOff(ctx, instanceUuid, 0);
      await able("detachVolume")(ctx, instanceUuid, one.volumeId);
      assert.deepEqual(await known(), []);
      await h.driver().powerOn(ctx, instanceUuid);
      assert.equal(await disksOf(instanceUuid), before);
    });

    it("finds the tags of a guest's volumes, as long as it has them", async () => {
      const { instanceUuid } = await running();
      const tagged = { ...(await h.aVolume()), tag: "db" };
      const tags = async (): Promise<readonly string[]> =>
        (await able("taggedVolumes")(ctx, instanceUuid)).map(({ volumeId, tag }) => `${volumeId} ${tag}`);
      assert.deepEqual(await able("taggedVolumes")(ctx, randomUUID()), []);
      await attach(instanceUuid, await h.aVolume());
      assert.deepEqual(await tags(), []);
      await attach(instanceUuid, tagged);
      await h.restart();
      assert.deepEqual(await tags(), [`${tagged.volumeId} db`]);
      await h.driver().powerOff(ctx, instanceUuid, 0);
      await detach(instanceUuid, tagged);
      assert.deepEqual(await tags(), []);
    });

    it("gives a suspended guest its volumes back, also one that it was given meanwhile", async () => {
      const { instanceUuid } = await running();
      const before = await disksOf(instanceUuid);
      const [one, two] = [await h.aVolume(), await h.aVolume()];
      await attach(instanceUuid, one);
      await able("suspend")(ctx, instanceUuid);
      await h.restart();
      await attach(instanceUuid, two);
      await able("resume")(ctx, instanceUuid);
      await until(async () => (await disksOf(instanceUuid)) === before + 2, { timeoutMs });
      assert.equal(await stateOf(instanceUuid), "RUNNING");
    });

    it("keeps volumes that come and go while a rebuild is prepared", async () => {
      const spec = await running();
      const { instanceUuid } = spec;
      const before = await disksOf(instanceUuid);
      const [one, two] = [await h.aVolume(), await h.aVolume()];
      await attach(instanceUuid, one);
      await rebuilding().prepare(spec, "k7");
      await attach(instanceUuid, two);
      await rebuilding().rebuild(instanceUuid, "k7");
      await detach(instanceUuid, one);
      await h.driver().powerOn(ctx, instanceUuid);
      assert.equal(await disksOf(instanceUuid), before + 1);
    });

    /** The methods by which guests move, of a driver as it is now. */
    const moving = (driver: Driver = h.driver()) => {
      const { exportDisks, openLeavingDisk, keepDisks, importDisks } = driver;
      assert.ok(exportDisks && openLeavingDisk && keepDisks && importDisks);
      return {
        offer: (uuid: string, to: DiskTransfer): Promise<readonly LeavingDisk[]> =>
          exportDisks.call(driver, ctx, uuid, to, 0),
        read: (uuid: string, to: DiskTransfer, disk: string, fromByte = 0): Promise<LeavingDiskData> =>
          openLeavingDisk.call(driver, ctx, uuid, to, disk, fromByte),
        keep: (uuid: string): Promise<void> => keepDisks.call(driver, ctx, uuid),
        fetch: (spec: GuestSpec, arrival: Arrival): Promise<void> =>
          importDisks.call(driver, ctx, spec, arrival),
      };
    };
    const aTransfer = (): DiskTransfer => ({ transferId: randomUUID(), toHost: "host2" });
    /** A guest that leaves this host, and how it comes to another one. */
    const leaving = async (to = aTransfer()) => {
      const spec = await running({ ephemerals: [{ gib: 1 }] });
      const { instanceUuid } = spec;
      const disks = await moving().offer(instanceUuid, to);
      // What is the same wherever the guest is.
      const raw = disks.filter(
        ({ name, format }) => name !== "base" && name !== "layout" && format === "raw",
      );
      const largest = raw.toSorted((a, b) => b.sizeBytes - a.sizeBytes)[0] ?? assert.fail("no raw disk");
      const arrival: Arrival = {
        transferId: to.transferId,
        disks,
        async *open(_ctx, { name }, fromByte) {
          yield* (await moving().read(instanceUuid, to, name, fromByte)).pieces;
        },
      };
      return { spec, instanceUuid, disks, raw, largest, to, arrival };
    };
    const withAnother = async (work: (there: DriverHarness) => Promise<void>): Promise<void> => {
      const there = await make();
      try {
        await work(there);
      } finally {
        await there.dispose();
      }
    };
    /** The guest as it is there, with some more memory. */
    const specAt = (there: DriverHarness, spec: GuestSpec): Promise<GuestSpec> => {
      const { instanceUuid, instanceName, hostname, ephemerals, configDrive } = spec;
      const memoryMib = spec.memoryMib + 16;
      return there.aSpec({ instanceUuid, instanceName, hostname, ephemerals, configDrive, memoryMib });
    };
    /** What is on disks that are offered, one line each. */
    const contentOf = async (
      driver: Driver,
      uuid: string,
      to: DiskTransfer,
      disks: readonly LeavingDisk[],
    ): Promise<string[]> => {
      const lines: string[] = [];
      for (const { name } of disks) {
        const { sizeBytes, pieces } = await moving(driver).read(uuid, to, name);
        const hash = createHash("sha256");
        for await (const { offset, data } of pieces) hash.update(`${offset} ${data.length} `).update(data);
        lines.push(`${name} ${sizeBytes} ${hash.digest("hex")}`);
      }
      return lines;
    };

    it("keeps a guest off that is to leave, over restarts; one that stays is as it was", async () => {
      const { spec, instanceUuid, disks, largest, to } = await leaving();
      const shapes = (all: readonly LeavingDisk[]): unknown[] =>
        all.map(({ name, format, sizeBytes }) => [name, format, sizeBytes]);
      assert.deepEqual(shapes(await moving().offer(instanceUuid, to)), shapes(disks));
      const rescueSpec = await h.aRescue();
      for (let times = 0; times < 2; times++) {
        const attempts = [
          h.driver().powerOn(ctx, instanceUuid),
          h.driver().reboot(ctx, instanceUuid, "hard", 0),
          h.driver().define(ctx, { ...spec, memoryMib: spec.memoryMib + 16 }),
          able("rescue")(ctx, instanceUuid, rescueSpec, 0),
          able("resume")(ctx, instanceUuid),
          rebuilding().rebuild(instanceUuid, "k"),
        ];
        await Promise.all(attempts.map((attempt) => rejectsWith(attempt, "GUEST_LEAVING")));
        await h.driver().powerOff(ctx, instanceUuid, 0);
        assert.equal(await stateOf(instanceUuid), "SHUTDOWN");
        await h.restart();
      }
      for (let times = 0; times < 2; times++) await moving().keep(instanceUuid);
      await rejectsWith(moving().read(instanceUuid, to, largest.name), "TRANSFER_UNKNOWN");
      await h.driver().powerOn(ctx, instanceUuid);
      await h.booted(instanceUuid);
      assert.equal(await stateOf(instanceUuid), "RUNNING");
      assert.deepEqual(h.events, []);
      const unknown = randomUUID();
      await moving().keep(unknown);
      await rejectsWith(moving().offer(unknown, to), "GUEST_NOT_DEFINED");
    });

    it("gives disks to the host that they were offered to, and only as long as they are", async () => {
      const { instanceUuid, largest, to } = await leaving();
      const { name } = largest;
      for (const other of [aTransfer(), { ...to, toHost: "host3" }, { transferId: "", toHost: "" }])
        await rejectsWith(moving().read(instanceUuid, other, name), "TRANSFER_UNKNOWN");
      await rejectsWith(moving().read(randomUUID(), to, name), "TRANSFER_UNKNOWN");
      await rejectsWith(moving().read(instanceUuid, to, "../instance.json"), "INVALID_ARGUMENT");
      const { sizeBytes, pieces } = await moving().read(instanceUuid, to, name);
      assert.equal(sizeBytes, largest.sizeBytes);
      const reading = pieces[Symbol.asyncIterator]();
      assert.equal((await reading.next()).done, false);
      await moving().keep(instanceUuid);
      const rest = async (): Promise<void> => {
        for (;;) if ((await reading.next()).done === true) return;
      };
      await rejectsWith(rest(), "TRANSFER_UNKNOWN");
    });

    it("reads a disk from any byte on", async () => {
      const { instanceUuid, largest, to } = await leaving();
      const bytesFrom = async (fromByte: number): Promise<Map<number, number>> => {
        const bytes = new Map<number, number>();
        const { pieces } = await moving().read(instanceUuid, to, largest.name, fromByte);
        for await (const { offset, data } of pieces)
          for (const [i, byte] of data.entries()) if (byte !== 0) bytes.set(offset + i, byte);
        return bytes;
      };
      const all = await bytesFrom(0);
      const places = [...all.keys()];
      const middle = places[Math.floor(places.length / 2)] ?? assert.fail("an empty disk");
      const behind = [...all].filter(([at]) => at >= middle);
      assert.deepEqual(
        [...(await bytesFrom(middle))].sort(([a], [b]) => a - b),
        behind.sort(([a], [b]) => a - b),
      );
      assert.equal((await bytesFrom(largest.sizeBytes)).size, 0);
    });

    it("comes to another host with what is on its disks, once, and starts there", async () => {
      const { spec, instanceUuid, raw, to, arrival } = await leaving();
      const before = await contentOf(h.driver(), instanceUuid, to, raw);
      await withAnother(async (there) => {
        const moved = await specAt(there, spec);
        for (let times = 0; times < 2; times++) await moving(there.driver()).fetch(moved, arrival);
        assert.equal((await there.driver().inspect(ctx, instanceUuid))?.powerState, "SHUTDOWN");
        const onward = aTransfer();
        await moving(there.driver()).offer(instanceUuid, onward);
        assert.deepEqual(await contentOf(there.driver(), instanceUuid, onward, raw), before);
        await moving(there.driver()).keep(instanceUuid);
        await there.restart();
        await there.driver().define(ctx, moved);
        await moving(there.driver()).fetch(moved, arrival);
        await there.driver().powerOn(ctx, instanceUuid);
        await there.booted(instanceUuid);
      });
      assert.deepEqual(await contentOf(h.driver(), instanceUuid, to, raw), before);
    });

    it("goes on where a transfer broke off, and begins another one at its beginning", async () => {
      const { spec, instanceUuid, largest, arrival } = await leaving();
      const asked: number[] = [];
      let cuts = 2;
      let end = 0;
      const cut: Arrival = {
        ...arrival,
        async *open(c, disk, fromByte) {
          const isLargest = disk.name === largest.name;
          if (isLargest) asked.push(fromByte);
          for await (const piece of arrival.open(c, disk, fromByte)) {
            yield piece;
            if (!isLargest || cuts-- <= 0) continue;
            end = piece.offset + piece.data.length;
            throw new Error("it broke");
          }
        },
      };
      await withAnother(async (there) => {
        const moved = await specAt(there, spec);
        const again: Arrival = { ...cut, transferId: randomUUID() };
        await assert.rejects(moving(there.driver()).fetch(moved, cut), /it broke/);
        assert.equal(await there.driver().inspect(ctx, instanceUuid), undefined);
        await assert.rejects(moving(there.driver()).fetch(moved, again), /it broke/);
        await there.restart();
        assert.equal(await there.driver().inspect(ctx, instanceUuid), undefined);
        assert.deepEqual(await there.driver().listUnfinished?.(ctx), [instanceUuid]);
        await moving(there.driver()).fetch(moved, again);
        assert.deepEqual(await there.driver().listUnfinished?.(ctx), []);
        assert.deepEqual(asked, [0, 0, end]);
        await there.driver().powerOn(ctx, instanceUuid);
        await there.booted(instanceUuid);
      });
    });

    it("takes no disk that was changed on the way, and forgets what came of one", async () => {
      const { spec, instanceUuid, arrival } = await leaving();
      const changed: Arrival = {
        ...arrival,
        async *open(c, disk, fromByte) {
          for await (const piece of arrival.open(c, disk, fromByte))
            yield { ...piece, data: piece.data.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) };
        },
      };
      await withAnother(async (there) => {
        const moved = await specAt(there, spec);
        await rejectsWith(moving(there.driver()).fetch(moved, changed), "TRANSFER_BROKEN");
        assert.equal(await there.driver().inspect(ctx, instanceUuid), undefined);
        await there.driver().remove(ctx, instanceUuid);
        await there.driver().define(ctx, moved);
        await rejectsWith(moving(there.driver()).fetch(moved, arrival), "GUEST_HERE_ALREADY");
      });
    });

    it("survives being asked for many things at once", async () => {
      const { instanceUuid } = await running();
      const d = h.driver();
      await Promise.all([
        d.powerOn(ctx, instanceUuid),
        d.reboot(ctx, instanceUuid, "hard", 0),
        d.powerOff(ctx, instanceUuid, 0),
        d.powerOn(ctx, instanceUuid),
        d.inspect(ctx, instanceUuid),
        d.list(ctx),
      ]);
      assert.equal(await stateOf(instanceUuid), "RUNNING");
      await Promise.all(
        [d.powerOff(ctx, instanceUuid, 60_000), d.remove(ctx, instanceUuid)].map((p) =>
          p.catch(() => undefined),
        ),
      );
      assert.equal(await stateOf(instanceUuid), undefined);
    });
  });
}
