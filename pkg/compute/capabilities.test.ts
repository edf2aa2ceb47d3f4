import assert from "node:assert/strict";
import { CommandHeader } from "../../gen/kilonova/compute/v1/agent_service.js";
import { rootCtx } from "../kernel/index.js";
import type { Commands } from "./agent/commands.js";
import { noPlumbing } from "./agent/ports.js";
import { agentHandlers } from "./agent/service.js";
import { can, capabilitiesOf } from "./capabilities.js";
import type { CommandHost } from "./commands/command.js";
import type { Driver, OptionalMethod } from "./driver.js";
import { FakeDriver } from "./drivers/fake/index.js";

/** A driver without some of its methods. */
const without = (...methods: OptionalMethod[]): Driver =>
  Object.assign(Object.create(new FakeDriver({ hostname: "h" })) as Driver, {
    ...Object.fromEntries(methods.map((method) => [method, undefined])),
  });

describe("what a host can do", () => {
  const has = (driver: Driver, ...names: string[]): boolean[] =>
    names.map((name) => capabilitiesOf(driver).includes(name));

  it("is registered under the names that processes of the version before know, too", () => {
    assert.deepEqual(has(without(), "pause", "set-admin-password"), [true, true]);
  });

  it("needs of the driver what all the commands call that share a capability", () => {
    assert.deepEqual(has(without("pause"), "pause", "set-admin-password"), [false, true]);
    assert.deepEqual(has(without("unpause"), "pause", "set-admin-password"), [false, true]);
    assert.deepEqual(has(without("setAdminPassword"), "pause", "set-admin-password"), [true, false]);
    assert.deepEqual(has(without("consoleLog"), "pause", "set-admin-password"), [true, true]);
  });

  it("is to move guests when it can do all of it, on whichever end", () => {
    assert.deepEqual(has(without(), "move"), [true]);
    for (const method of ["exportDisks", "openLeavingDisk", "keepDisks", "importDisks"] as const)
      assert.deepEqual(has(without(method), "move"), [false]);
  });

  it("is asked again before a command runs, and is nothing that no command needs", async () => {
    assert.deepEqual([can(without(), "pause"), can(without("unpause"), "pause")], [true, false]);
    assert.equal(can(without(), "console-log"), false);
    const begun: string[] = [];
    const { runCommand } = agentHandlers({
      host: "h",
      cell: "cell1",
      own: { driver: without("unpause") } as unknown as CommandHost,
      commands: {
        run: async (_ctx: unknown, { commandId }: CommandHeader) => void begun.push(commandId),
      } as unknown as Commands,
      plumbing: noPlumbing,
      epoch: () => 1n,
      attached: () => true,
    });
    const run = async (command: string): Promise<void> => {
      const header = CommandHeader.fromPartial({ commandId: command, serverId: "s", host: "h" });
      await runCommand(rootCtx({ requestId: "r" }), { header, command, input: Buffer.alloc(0), undoOf: "" });
    };
    await assert.rejects(run("pause-guest"), { reason: "CAPABILITY_MISSING" });
    await run("set-guest-password");
    assert.deepEqual(begun, ["set-guest-password"]);
  });
});
