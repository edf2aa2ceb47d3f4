import assert from "node:assert/strict";
import { join } from "node:path";
import type { RunCommandRequest } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { CommandHeader, CommandPhase } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { CacheImagesInput, CacheImagesOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import { rootCtx } from "../../kernel/index.js";
import type { CommandHost } from "../commands/command.js";
import { FakeDriver } from "../drivers/fake/index.js";
import { Commands } from "./commands.js";
import { Journal } from "./journal.js";
import { noPlumbing } from "./ports.js";
import { agentHandlers } from "./service.js";
import { processFolder } from "../../testkit/scratch.js";

const HOST_ID = "40000000-0000-4000-8000-000000000001";
const SERVER = "5e000000-0000-4000-8000-000000000001";
const operationOf = (subject: string, last: string): string =>
  `operations/${subject}/09000000-0000-4000-8000-00000000000${last}`;
const ctx = rootCtx({ requestId: "req-1" });

describe("commands on the host itself", () => {
  const path = join(processFolder("host-commands"), "journal");
  let journal: Journal;
  let asked: string[] = [];

  const open = async (attached = true): Promise<ReturnType<typeof agentHandlers>> => {
    const opened = await Journal.open(path, Date.now());
    journal = opened.journal;
    asked = [];
    const own = {
      driver: new FakeDriver({ hostname: "h" }),
      cacheImage: async (_ctx: unknown, { id }: { readonly id: string }) => {
        asked.push(id);
        return true;
      },
    } as unknown as CommandHost;
    const commands = new Commands(opened.journal, opened.entries, async () => {});
    return agentHandlers({
      host: "h",
      cell: "cell1",
      own,
      plumbing: noPlumbing,
      commands,
      epoch: () => 1n,
      attached: () => attached,
    });
  };
  const request = (header: Partial<CommandHeader>, command = "cache-images"): RunCommandRequest => ({
    header: CommandHeader.fromPartial({
      commandId: "c1",
      operation: operationOf(`hosts/${HOST_ID}`, "1"),
      fence: 5n,
      host: "h",
      waitMs: 5_000,
      lane: "images",
      ...header,
    }),
    command,
    input: Buffer.from(CacheImagesInput.encode({ imageIds: ["a"], images: [] }).finish()),
    undoOf: "",
  });
  const run = async (
    agent: ReturnType<typeof agentHandlers>,
    ...init: Parameters<typeof request>
  ): Promise<CacheImagesOutput> => {
    const answer = await agent.runCommand(ctx, request(...init));
    assert.ok("result" in answer);
    const { result } = answer;
    assert.equal(result?.phase, CommandPhase.COMMAND_PHASE_DONE);
    return CacheImagesOutput.decode(result.output);
  };

  it("are journaled under the host's id: answers are repeated and lower fences refused by the next agent too", async () => {
    let agent = await open();
    assert.deepEqual((await run(agent, {})).fetchedIds, ["a"]);
    assert.deepEqual(asked, ["a"]);
    await journal.close();
    agent = await open();
    assert.deepEqual((await run(agent, {})).fetchedIds, ["a"]);
    assert.deepEqual(asked, [], "it was done once more");
    const older = { commandId: "c0", operation: operationOf(`hosts/${HOST_ID}`, "2"), fence: 4n };
    await assert.rejects(run(agent, older), { reason: "FENCE_LOST" });
    await run(agent, { ...older, commandId: "c2", lane: "ports" });
    await journal.close();
  });

  it("are refused until the driver knows its guests, as all else that is asked of the agent", async () => {
    const agent = await open(false);
    await assert.rejects(run(agent, {}), { reason: "UNAVAILABLE" });
    await assert.rejects(agent.getHost(ctx, { host: "" }), { reason: "UNAVAILABLE" });
    await assert.rejects(agent.inspectGuest(ctx, { host: "h", serverId: SERVER }), { reason: "UNAVAILABLE" });
    assert.deepEqual(asked, []);
    await journal.close();
  });

  it("are refused when they are about something else, or nobody can say about what", async () => {
    const agent = await open();
    await assert.rejects(run(agent, { serverId: SERVER }), { reason: "INVALID_ARGUMENT" });
    await assert.rejects(run(agent, {}, "pause-guest"), { reason: "INVALID_ARGUMENT" });
    for (const operation of [operationOf(SERVER, "1"), operationOf("cloud", "1"), "x"])
      await assert.rejects(run(agent, { operation }), { reason: "INVALID_ARGUMENT" });
    assert.deepEqual(asked, []);
    await journal.close();
  });
});
