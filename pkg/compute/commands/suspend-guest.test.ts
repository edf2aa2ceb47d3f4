import assert from "node:assert/strict";
import { PowerState, ServerHostInfo } from "../../../gen/kilonova/type/v1/server.js";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { rootCtx } from "../../kernel/index.js";
import { commandHost } from "../agent/command-host.js";
import { noDisks, noImages, noPlumbing, noUploads } from "../agent/ports.js";
import { FakeDriver } from "../drivers/fake/index.js";
import { aGuestSpec } from "../drivers/testing/a-spec.js";
import letGuestGoOn from "./let-guest-go-on.js";
import resumeGuest from "./resume-guest.js";
import suspendGuest from "./suspend-guest.js";
import { measured } from "./command.js";

const ctx = rootCtx({ requestId: "req-1" });

describe("suspending a guest", () => {
  const driver = new FakeDriver({ hostname: "h" });
  const plugged: string[] = [];
  const host = commandHost({
    driver,
    images: noImages,
    uploads: noUploads,
    disks: noDisks,
    plumbing: {
      ...noPlumbing,
      plug: async (_ctx, { server }) => void plugged.push(server?.id ?? ""),
    },
    domain: "",
    randomSeedOf: () => new Uint8Array(),
    vendorData: { hasFixed: false, fixed: async () => undefined, dynamic: async () => new Map() },
  });
  let serverId = "";
  let instance: InstanceRecord;
  const call = () => ({ ctx, serverId, host: host as never, tell: () => {} });
  const power = async () => (await driver.inspect(ctx, serverId))?.powerState;

  beforeEach(async () => {
    const spec = aGuestSpec();
    serverId = spec.instanceUuid;
    instance = InstanceRecord.fromPartial({
      server: Server.fromPartial({ id: serverId, hostInfo: ServerHostInfo.fromPartial({ host: "h" }) }),
    });
    await driver.define(ctx, spec);
    await driver.powerOn(ctx, serverId);
    plugged.length = 0;
  });

  it("answers with its power state, and resuming plugs its ports before the guest goes on", async () => {
    const { powerState } = await suspendGuest.run(call(), { instance });
    assert.equal(powerState, PowerState.POWER_STATE_SUSPENDED);
    assert.deepEqual(plugged, []);
    driver.rules.add({ method: "resume", times: 1, fail: { reason: "NO", message: "no" } });
    await assert.rejects(resumeGuest.run(call(), { instance }), { reason: "NO" });
    assert.deepEqual([plugged, await power()], [[serverId], "SUSPENDED"]);
    const answer = await resumeGuest.run(call(), { instance });
    assert.deepEqual(answer, { powerState: PowerState.POWER_STATE_RUNNING });
  });

  it("is taken back by letting the guest go on, however far it came, and never by starting one", async () => {
    await suspendGuest.run(call(), { instance });
    for (const _ of [1, 2]) {
      await letGuestGoOn.run(call(), { instance });
      assert.deepEqual([await power(), driver.guest(serverId)?.starts], ["RUNNING", 1]);
    }
    assert.deepEqual(plugged, [serverId]);
    await driver.pause(ctx, serverId);
    await letGuestGoOn.run(call(), { instance });
    assert.equal(await power(), "RUNNING");
    await driver.powerOff(ctx, serverId, 0);
    await letGuestGoOn.run(call(), { instance });
    assert.deepEqual([await power(), driver.guest(serverId)?.starts], ["SHUTDOWN", 1]);
    await driver.remove(ctx, serverId);
    assert.deepEqual(await letGuestGoOn.run(call(), { instance }), {
      powerState: PowerState.POWER_STATE_NOSTATE,
    });
  });

  it("tells how much of the memory is written, in bytes", async () => {
    driver.rules.add({ method: "suspend", times: 1, delayMs: 250 });
    const told: (number | undefined)[] = [];
    await suspendGuest.run(
      { ...call(), tell: (work) => void told.push(measured(suspendGuest, work)?.percent) },
      { instance },
    );
    assert.deepEqual(told, [0, 39, 79, 100]);
  });
});
