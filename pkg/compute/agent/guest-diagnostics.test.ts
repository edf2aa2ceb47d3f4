import assert from "node:assert/strict";
import { GetGuestDiagnosticsResponse } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import { rootCtx } from "../../kernel/index.js";
import { FakeDriver } from "../drivers/fake/index.js";
import { aGuestSpec } from "../drivers/testing/a-spec.js";
import { guestDiagnostics } from "./guest-diagnostics.js";
import { noPlumbing } from "./ports.js";

const ctx = rootCtx({ requestId: "req-1" });
const traffic = { rxBytes: 1, txBytes: 2, rxPackets: 3, txPackets: 4, rxDrops: 5, txDrops: 6 };

describe("diagnostics of a guest", () => {
  const driver = new FakeDriver({ hostname: "h" });
  const spec = aGuestSpec({ vcpus: 2 });
  const { instanceUuid } = spec;
  before(() => driver.define(ctx, spec));
  afterEach(() => driver.rules.clear());

  it("are only there while it runs; else there is its power state", async () => {
    const state = async (uuid = instanceUuid) => {
      const { powerState, diagnostics } = await guestDiagnostics(ctx, driver, noPlumbing, uuid);
      return [powerState, diagnostics !== undefined];
    };
    assert.deepEqual(await state("unknown"), [PowerState.POWER_STATE_NOSTATE, false]);
    assert.deepEqual(await state(), [PowerState.POWER_STATE_SHUTDOWN, false]);
    await driver.powerOn(ctx, instanceUuid);
    assert.deepEqual(await state(), [PowerState.POWER_STATE_RUNNING, true]);
    await driver.pause(ctx, instanceUuid);
    assert.deepEqual(await state(), [PowerState.POWER_STATE_PAUSED, false]);
    await driver.unpause(ctx, instanceUuid);
    driver.rules.add({ method: "diagnostics", fail: { reason: "GUEST_NOT_RUNNING", message: "gone" } });
    assert.deepEqual(await state(), [PowerState.POWER_STATE_SHUTDOWN, false]);
  });

  it("count at the switch what passed a port, and leave unset what nobody knows", async () => {
    const known = Object.assign(Object.create(driver) as FakeDriver, {
      inspect: async () => ({ instanceUuid, powerState: "RUNNING", pid: 1 }),
      diagnostics: async () => ({
        driver: "libvirt",
        hypervisor: "qemu",
        hypervisorOs: "linux",
        configDrive: false,
        cpus: [{ id: 0, timeNs: 10_000_000 }],
        nics: [
          { portId: "one", macAddress: "aa" },
          { portId: "two", macAddress: "bb" },
        ],
        disks: [],
      }),
    });
    const stats = async () => [{ portId: "two", ...traffic }];
    const { diagnostics } = await guestDiagnostics(ctx, known, { stats }, instanceUuid);
    assert.ok(diagnostics);
    assert.deepEqual(diagnostics.cpus, [{ id: 0, timeNs: 10_000_000n, utilisationPercent: undefined }]);
    const [one, two] = diagnostics.nics;
    assert.deepEqual([one?.macAddress, one?.rxBytes, two?.macAddress], ["aa", undefined, "bb"]);
    assert.deepEqual(
      [two?.rxBytes, two?.txBytes, two?.rxPackets, two?.txPackets, two?.rxDropped, two?.txDropped],
      [1n, 2n, 3n, 4n, 5n, 6n],
    );
    assert.deepEqual([diagnostics.uptimeSeconds, two?.rxErrors], [undefined, undefined]);
  });

  it("are not known where a guest's process says what is no count", async () => {
    const nonsense = [Number.NaN, -1, Infinity, 1e30];
    const known = Object.assign(Object.create(driver) as FakeDriver, {
      inspect: async () => ({ instanceUuid, powerState: "RUNNING", pid: 1 }),
      diagnostics: async () => ({
        driver: "libvirt",
        hypervisor: "qemu",
        hypervisorOs: "linux",
        configDrive: false,
        cpus: nonsense.map((id) => ({ id, timeNs: id })),
        nics: [],
        disks: nonsense.map((n) => ({
          readBytes: n,
          readRequests: n,
          writeBytes: n,
          writeRequests: n,
          errors: n,
        })),
        memoryUsedMib: -1,
      }),
    });
    const answer = await guestDiagnostics(ctx, known, { stats: async () => [] }, instanceUuid);
    const bytes = GetGuestDiagnosticsResponse.encode(answer).finish();
    const { diagnostics } = GetGuestDiagnosticsResponse.decode(bytes);
    assert.deepEqual(
      [diagnostics?.cpus.length, diagnostics?.disks.length, diagnostics?.memoryUsedMib],
      [4, 4, undefined],
    );
    assert.ok(diagnostics?.cpus.every(({ id, timeNs }) => id === undefined && timeNs === undefined));
  });

  it("are refused by a driver that has none", async () => {
    const without = Object.assign(Object.create(driver) as FakeDriver, { diagnostics: undefined });
    await assert.rejects(guestDiagnostics(ctx, without, noPlumbing, instanceUuid), {
      reason: "CAPABILITY_MISSING",
    });
  });
});
