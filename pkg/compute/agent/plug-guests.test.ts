import assert from "node:assert/strict";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { rootCtx } from "../../kernel/index.js";
import { FakeDriver } from "../drivers/fake/index.js";
import { aGuestSpec } from "../drivers/testing/a-spec.js";
import { plugGuests } from "./plug-guests.js";

const ctx = rootCtx({ requestId: "req-plug" });

describe("plugGuests", () => {
  it("connects the ports of guests that have a process, and of no others", async () => {
    const driver = new FakeDriver({ hostname: "h" });
    const specs = Array.from({ length: 5 }, () => aGuestSpec());
    const [running, paused, suspended, off, unrecorded] = specs.map(({ instanceUuid }) => instanceUuid);
    assert.ok(running && paused && suspended && off && unrecorded);
    for (const spec of specs) {
      await driver.define(ctx, spec);
      await driver.powerOn(ctx, spec.instanceUuid);
    }
    await driver.pause(ctx, paused);
    await driver.suspend(ctx, suspended);
    await driver.powerOff(ctx, off, 0);
    const plugged: (string | undefined)[] = [];
    const instances = [running, paused, suspended, off, "unknown"].map((id) =>
      InstanceRecord.fromPartial({ server: { id } }),
    );
    await plugGuests(
      ctx,
      { driver, plumbing: { plug: async (_ctx, { server }) => void plugged.push(server?.id) } },
      instances,
    );
    assert.deepEqual(plugged, [running, paused]);
  });
});
