import assert from "node:assert/strict";
import { KilonovaError, rootCtx } from "../../../kernel/index.js";
import type { Driver, GuestEvent, GuestSpec, RescueSpec } from "../../driver.js";
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

    /** From what a guest has booted so far, oldest first. */
    const boots = async (uuid: string): Promise<string[]> => {
      const bytes = await h.driver().consoleLog?.call(h.driver(), ctx, uuid, 102_400);
      return [
        ...Buffer.from(bytes ?? [])
          .toString("latin1")
          .matchAll(/(rescue )?boot/g),
      ].map(([said]) => said);
    };
    /** Waits for so many boots. */
    const booted = async (uuid: string, count: number): Promise<string | undefined> => {
      await until(async () => (await boots(uuid)).length >= count, { timeoutMs, what: `boot ${count}` });
      await h.booted(uuid);
      return (await boots(uuid)).at(-1);
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

    it("gives diagnostics in the shape of REST 2.48", async () => {
      const spec = await running();
      const d = await h.driver().diagnostics?.call(h.driver(), ctx, spec.instanceUuid);
      assert.ok(d);
      assert.deepEqual(Object.keys(d).sort(), [
        "config_drive",
        "cpu_details",
        "disk_details",
        "driver",
        "hypervisor",
        "hypervisor_os",
        "memory_details",
        "nic_details",
        "num_cpus",
        "num_disks",
        "num_nics",
        "state",
        "uptime",
      ]);
      assert.equal(d["num_cpus"], spec.vcpus);
      assert.equal(d["config_drive"], true);
      assert.equal(
        (d["nic_details"] as { mac_address: string }[])[0]?.mac_address,
        spec.interfaces[0]?.macAddress,
      );
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
