import assert from "node:assert/strict";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { rootCtx } from "../../kernel/index.js";
import { FakeDriver } from "../drivers/fake/index.js";
import { aGuestSpec, aRescueSpec } from "../drivers/testing/a-spec.js";
import { commandHost } from "./command-host.js";
import { noDisks, noImages, noPlumbing, noUploads } from "./ports.js";
import type { GuestReport } from "./guest-watch.js";
import { resumeGuests } from "./resume-guests.js";

const ctx = rootCtx({ requestId: "req-resume" });

interface Bench {
  readonly driver: FakeDriver;
  readonly id: string;
  /** @param isQuiet  whether no command has been at the server since its record was read */
  resume(over?: Partial<Server>, isQuiet?: boolean): Promise<readonly unknown[]>;
}

/** A host with one guest that runs, and a record that says so unless told otherwise. */
async function bench(): Promise<Bench> {
  const driver = new FakeDriver({ hostname: "host1" });
  const vendorData = {
    hasFixed: false,
    fixed: async () => undefined,
    dynamic: async () => new Map<string, never>(),
  };
  const own = commandHost({
    driver,
    vendorData,
    images: noImages,
    uploads: noUploads,
    disks: noDisks,
    plumbing: noPlumbing,
    domain: "",
    randomSeedOf: () => new Uint8Array(),
  });
  const spec = aGuestSpec();
  const id = spec.instanceUuid;
  await driver.start(ctx);
  await driver.define(ctx, spec);
  await driver.powerOn(ctx, id);
  const resume = async (over: Partial<Server> = {}, isQuiet = true): Promise<readonly unknown[]> => {
    const told: unknown[] = [];
    const server = {
      id,
      vmState: VmState.VM_STATE_ACTIVE,
      powerState: PowerState.POWER_STATE_RUNNING,
      ...over,
    };
    const commands = {
      beside: async (_serverId: string, _since: number, work: () => Promise<void>) => {
        if (isQuiet) await work();
        return isQuiet;
      },
    };
    const deps = { own, commands, note: (...report: unknown[]) => void told.push(report) };
    await resumeGuests(ctx, deps, [InstanceRecord.fromPartial({ server })], 0);
    return told;
  };
  return { driver, id, resume };
}

describe("resumeGuests", () => {
  for (const end of ["guestPowersOff", "crashGuest"] as const) {
    it(`powers on what ran by its record (${end})`, async () => {
      const { driver, id, resume } = await bench();
      driver[end](id);
      assert.deepEqual(await resume(), [[id, { state: PowerState.POWER_STATE_RUNNING, byGuest: false }]]);
      assert.deepEqual([driver.guest(id)?.powerState, driver.guest(id)?.starts], ["RUNNING", 2]);
    });
  }

  it("powers a rescued guest on from its rescue disk", async () => {
    const { driver, id, resume } = await bench();
    await driver.rescue(ctx, id, aRescueSpec(), 0);
    const told = await resume({ vmState: VmState.VM_STATE_RESCUED });
    assert.deepEqual(told, [[id, { state: PowerState.POWER_STATE_RUNNING, byGuest: false }]]);
    assert.match(driver.guest(id)?.console ?? "", /rescue boot 2\n/);
  });

  it("powers a resized server's guest on, which is here by its record", async () => {
    const { driver, id, resume } = await bench();
    driver.guestPowersOff(id);
    const told = await resume({ vmState: VmState.VM_STATE_RESIZED });
    assert.deepEqual(told, [[id, { state: PowerState.POWER_STATE_RUNNING, byGuest: false }]]);
  });

  it("does not touch a guest that runs", async () => {
    const { driver, id, resume } = await bench();
    const pid = driver.guest(id)?.pid;
    assert.deepEqual(await resume(), []);
    assert.deepEqual([driver.guest(id)?.pid, driver.guest(id)?.starts], [pid, 1]);
  });

  const others: readonly (readonly [string, Partial<Server>])[] = [
    ["is stopped", { vmState: VmState.VM_STATE_STOPPED, powerState: PowerState.POWER_STATE_SHUTDOWN }],
    ["is in error", { vmState: VmState.VM_STATE_ERROR }],
    ["an operation owns", { currentOperation: "operations/a/b" }],
    ["has a task", { taskState: "powering-off" }],
  ];
  for (const [what, over] of others) {
    it(`leaves a guest off whose server ${what}`, async () => {
      const { driver, id, resume } = await bench();
      driver.guestPowersOff(id);
      assert.deepEqual(await resume(over), []);
      assert.equal(driver.guest(id)?.powerState, "SHUTDOWN");
    });
  }

  it("leaves a guest off at which a command has been since its record was read", async () => {
    const { driver, id, resume } = await bench();
    driver.guestPowersOff(id);
    assert.deepEqual(await resume({}, false), []);
    assert.equal(driver.guest(id)?.powerState, "SHUTDOWN");
  });

  it("leaves a suspended guest to whoever resumes it, whatever the record says", async () => {
    const { driver, id, resume } = await bench();
    await driver.suspend(ctx, id);
    assert.deepEqual(await resume(), []);
    const { VM_STATE_SUSPENDED: vmState } = VmState;
    assert.deepEqual(await resume({ vmState, powerState: PowerState.POWER_STATE_SUSPENDED }), []);
    assert.deepEqual([driver.guest(id)?.powerState, driver.guest(id)?.starts], ["SUSPENDED", 1]);
  });

  it("makes no guest that the host does not know", async () => {
    const { driver, id, resume } = await bench();
    await driver.remove(ctx, id);
    assert.deepEqual(await resume(), []);
    assert.equal(driver.guest(id), undefined);
  });

  it("tells why a guest cannot be powered on", async () => {
    const { driver, id, resume } = await bench();
    driver.guestPowersOff(id);
    driver.rules.add({ method: "powerOn", fail: { reason: "NO_DISK", message: "The disk is missing." } });
    const [[told, report] = []] = (await resume()) as readonly (readonly [string, GuestReport])[];
    assert.deepEqual(
      [told, report?.state, report?.fault?.code, report?.fault?.reason, report?.fault?.message],
      [id, PowerState.POWER_STATE_SHUTDOWN, 500, "NO_DISK", "The disk is missing."],
    );
    assert.match(report?.fault?.details ?? "", /The disk is missing/);
    assert.equal(driver.guest(id)?.powerState, "SHUTDOWN");
  });
});
