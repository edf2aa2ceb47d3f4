import assert from "node:assert/strict";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { AgentErrors } from "../errors.js";
import { CommonErrors, rootCtx } from "../../kernel/index.js";
import { FakeDriver } from "../drivers/fake/index.js";
import { aGuestSpec } from "../drivers/testing/a-spec.js";
import { plugGuests } from "./plug-guests.js";

const ctx = rootCtx({ requestId: "req-plug" });
const quiet = {
  beside: async (_serverId: string, _since: number, work: () => Promise<void>) => {
    await work();
    return true;
  },
};

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
      {
        driver,
        commands: quiet,
        plumbing: { plug: async (_ctx, { server }) => void plugged.push(server?.id) },
      },
      instances,
      0,
    );
    assert.deepEqual(plugged, [running, paused]);
  });

  const threeThatRun = async (): Promise<{ driver: FakeDriver; ids: readonly string[] }> => {
    const driver = new FakeDriver({ hostname: "h" });
    const specs = Array.from({ length: 3 }, () => aGuestSpec());
    for (const spec of specs) {
      await driver.define(ctx, spec);
      await driver.powerOn(ctx, spec.instanceUuid);
    }
    return { driver, ids: specs.map(({ instanceUuid }) => instanceUuid) };
  };
  const recordsOf = (ids: readonly string[]): InstanceRecord[] =>
    ids.map((id) => InstanceRecord.fromPartial({ server: { id } }));

  it("leaves those to the next audit at which a command has been since their records were read", async () => {
    const { driver, ids } = await threeThatRun();
    const asked: unknown[] = [];
    const commands = {
      beside: async (serverId: string, since: number, work: () => Promise<void>) => {
        asked.push([serverId, since]);
        if (serverId !== ids[1]) await work();
        return serverId !== ids[1];
      },
    };
    const plugged: (string | undefined)[] = [];
    const plumbing = {
      plug: async (_ctx: unknown, { server }: InstanceRecord) => void plugged.push(server?.id),
    };
    await plugGuests(ctx, { driver, commands, plumbing }, recordsOf(ids), 7);
    assert.deepEqual(plugged, [ids[0], ids[2]]);
    assert.deepEqual(
      asked,
      ids.map((id) => [id, 7]),
    );
  });

  it("connects the others when one cannot be, and then says so", async () => {
    const { driver, ids } = await threeThatRun();
    const plugged: (string | undefined)[] = [];
    const failingWith = (error: Error) => ({
      plug: async (_ctx: unknown, { server }: InstanceRecord) => {
        plugged.push(server?.id);
        if (server?.id === ids[0]) throw error;
      },
    });
    const broken = AgentErrors.NO_CONSOLE({});
    const plug = (error: Error): Promise<void> =>
      plugGuests(ctx, { driver, commands: quiet, plumbing: failingWith(error) }, recordsOf(ids), 0);
    await assert.rejects(plug(broken), broken);
    assert.deepEqual(plugged, ids);
    plugged.length = 0;
    await assert.rejects(plug(CommonErrors.UNAVAILABLE({ what: "The Network service" })));
    assert.deepEqual(plugged, [ids[0]], "nobody else is asked for in vain");
  });
});
