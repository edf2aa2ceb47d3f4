import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandHeader } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { CommandPhase } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import { OperationProgress } from "../../../gen/kilonova/type/v1/operation.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import { KilonovaError, rootCtx } from "../../kernel/index.js";
import type { Ctx } from "../../kernel/index.js";
import { until } from "../../testkit/until.js";
import { processFolder } from "../../testkit/scratch.js";
import { Commands } from "./commands.js";
import type { JournalEntry } from "./journal-entry.js";
import { Journal } from "./journal.js";
import type { ProgressOf } from "./progress-teller.js";

const RUNNING: Uint8Array = GuestOutput.encode({ powerState: PowerState.POWER_STATE_RUNNING }).finish();
const ctx = rootCtx({ requestId: "req-1" });
const header = (patch: Partial<CommandHeader> = {}): CommandHeader => ({
  commandId: "c1",
  operation: "operations/s1/o1",
  fence: 5n,
  serverId: "s1",
  host: "h",
  waitMs: 1000,
  lane: "life",
  closesLanes: false,
  ...patch,
});
const reasonOf = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  assert.ok(error instanceof KilonovaError);
  return error.reason;
};

interface Bench {
  readonly commands: Commands;
  readonly told: JournalEntry[];
  readonly progress: [of: ProgressOf, percent: number][];
  readonly path: string;
  close(): Promise<void>;
}

const opened = new Set<Journal>();

async function open(path = join(processFolder("journal"), "journal")): Promise<Bench> {
  const { journal, entries } = await Journal.open(path, Date.now());
  const told: JournalEntry[] = [];
  const progress: Bench["progress"] = [];
  opened.add(journal);
  const close = async (): Promise<void> => {
    if (opened.delete(journal)) await journal.close();
  };
  return {
    commands: new Commands(
      journal,
      entries,
      async (_ctx, entry) => {
        told.push(entry);
      },
      async (_ctx, of, { percent }) => {
        progress.push([of, percent]);
        if (percent === 13) throw new Error("the cell is away");
        return true;
      },
    ),
    told,
    progress,
    path,
    close,
  };
}

/** Work that ends when told to. */
function gate(): {
  work: (ctx: Ctx) => Promise<Uint8Array>;
  open(): void;
  starts: () => number;
  stopped: () => boolean;
} {
  let release = (): void => {};
  let starts = 0;
  let stopped = false;
  const opened = new Promise<void>((resolve) => {
    release = resolve;
  });
  return {
    work: async (c) => {
      starts += 1;
      await Promise.race([
        opened,
        new Promise((_, reject) =>
          c.signal.addEventListener("abort", () => {
            stopped = true;
            reject(c.signal.reason);
          }),
        ),
      ]);
      return RUNNING;
    },
    open: release,
    starts: () => starts,
    stopped: () => stopped,
  };
}

describe("agent commands", () => {
  afterEach(async () => {
    await Promise.all([...opened].map((journal) => journal.close()));
    opened.clear();
  });

  it("answers a finished command with its result, and again without running it", async () => {
    const { commands } = await open();
    let runs = 0;
    const work = async (): Promise<Uint8Array> => {
      runs += 1;
      return RUNNING;
    };
    for (let i = 0; i < 2; i++)
      assert.deepEqual((await commands.run(ctx, header(), work)).phase, CommandPhase.COMMAND_PHASE_DONE);
    assert.equal(runs, 1);
  });

  it("answers STARTED after the wait and reports the end once", async () => {
    const { commands, told } = await open();
    const slow = gate();
    assert.equal(
      (await commands.run(ctx, header({ waitMs: 0 }), slow.work)).phase,
      CommandPhase.COMMAND_PHASE_STARTED,
    );
    slow.open();
    await until(() => told.length === 1);
    assert.deepEqual([told[0]?.phase, told[0]?.commandId], ["done", "c1"]);
  });

  it("remembers over a restart that the cell has taken a report", async () => {
    const first = await open();
    const slow = gate();
    await first.commands.run(ctx, header({ waitMs: 0 }), slow.work);
    slow.open();
    await until(() => first.told.length === 1);
    const [entry] = first.commands.unfinished();
    if (entry) await first.commands.tell(ctx, entry);
    assert.deepEqual(first.commands.unfinished(), []);
    await first.close();
    assert.deepEqual((await open(first.path)).commands.unfinished(), []);
  });

  it("joins a repeated call to the running command", async () => {
    const { commands } = await open();
    const slow = gate();
    const calls = [commands.run(ctx, header(), slow.work), commands.run(ctx, header(), slow.work)];
    await until(() => slow.starts() === 1);
    slow.open();
    for (const result of await Promise.all(calls))
      assert.equal(result.phase, CommandPhase.COMMAND_PHASE_DONE);
    assert.equal(slow.starts(), 1);
  });

  it("refuses a lower fence than one seen, also after a restart", async () => {
    const first = await open();
    await first.commands.run(ctx, header({ fence: 9n }), async () => RUNNING);
    assert.equal(
      await reasonOf(first.commands.run(ctx, header({ commandId: "c2", fence: 8n }), async () => RUNNING)),
      "FENCE_LOST",
    );
    await first.close();
    const second = await open(first.path);
    assert.equal(
      await reasonOf(second.commands.run(ctx, header({ commandId: "c2", fence: 8n }), async () => RUNNING)),
      "FENCE_LOST",
    );
  });

  it("stops what runs when a newer operation takes over, and runs the new command after it", async () => {
    const { commands } = await open();
    const slow = gate();
    const build = commands.run(ctx, header(), slow.work);
    await until(() => slow.starts() === 1);
    const destroy = await commands.run(ctx, header({ commandId: "c2", fence: 6n }), async () => RUNNING);
    assert.equal(destroy.phase, CommandPhase.COMMAND_PHASE_DONE);
    assert.deepEqual([slow.stopped(), (await build).errorReason], [true, "COMMAND_SUPERSEDED"]);
  });

  it("runs commands of two lanes side by side, each lane by its own fences, also after a restart", async () => {
    const first = await open();
    const life = gate();
    const volumes = gate();
    const slow = first.commands.run(ctx, header({ fence: 9n }), life.work);
    const attach = header({ commandId: "v1", fence: 6n, lane: "volumes" });
    const beside = first.commands.run(ctx, attach, volumes.work);
    await until(() => life.starts() === 1 && volumes.starts() === 1);
    life.open();
    volumes.open();
    for (const { phase } of [await slow, await beside]) assert.equal(phase, CommandPhase.COMMAND_PHASE_DONE);
    await first.close();
    const { commands } = await open(first.path);
    const late = (lane: string, fence: bigint) =>
      commands.run(ctx, header({ commandId: `late ${lane} ${fence}`, lane, fence }), async () => RUNNING);
    assert.equal(await reasonOf(late("life", 8n)), "FENCE_LOST");
    assert.equal(await reasonOf(late("volumes", 5n)), "FENCE_LOST");
    assert.equal((await late("volumes", 7n)).phase, CommandPhase.COMMAND_PHASE_DONE);
  });

  it("stops all lanes for a command that closes them, runs it alone, and refuses lower fences after it", async () => {
    const first = await open();
    const life = gate();
    const volumes = gate();
    const running = [
      first.commands.run(ctx, header(), life.work),
      first.commands.run(ctx, header({ commandId: "v1", fence: 6n, lane: "volumes" }), volumes.work),
    ];
    await until(() => life.starts() === 1 && volumes.starts() === 1);
    const close = gate();
    const closing = first.commands.run(
      ctx,
      header({ commandId: "c9", fence: 9n, closesLanes: true }),
      close.work,
    );
    for (const { errorReason } of await Promise.all(running)) assert.equal(errorReason, "COMMAND_SUPERSEDED");
    await until(() => close.starts() === 1);
    const after = gate();
    const next = first.commands.run(
      ctx,
      header({ commandId: "v2", fence: 10n, lane: "volumes" }),
      after.work,
    );
    after.open();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(after.starts(), 0);
    close.open();
    for (const { phase } of [await closing, await next]) assert.equal(phase, CommandPhase.COMMAND_PHASE_DONE);
    await first.close();
    const { commands } = await open(first.path);
    for (const lane of ["life", "volumes", "ports"])
      assert.equal(
        await reasonOf(commands.run(ctx, header({ commandId: lane, lane, fence: 8n }), async () => RUNNING)),
        "FENCE_LOST",
      );
  });

  it("keeps the output of a command over a restart, and answers it again without running it", async () => {
    const first = await open();
    assert.deepEqual(
      Buffer.from(RUNNING),
      (await first.commands.run(ctx, header(), async () => RUNNING)).output,
    );
    await first.close();
    const again = await (
      await open(first.path)
    ).commands.run(ctx, header(), async () => {
      throw new Error("it ran twice");
    });
    assert.deepEqual(GuestOutput.decode(again.output), { powerState: PowerState.POWER_STATE_RUNNING });
  });

  it("lets a command finish that must not be cut off, and runs the newer one after it", async () => {
    const { commands } = await open();
    const slow = gate();
    const first = commands.run(ctx, header(), slow.work, { finishes: true });
    await until(() => slow.starts() === 1);
    const second = commands.run(ctx, header({ commandId: "c2", fence: 6n }), async () => RUNNING);
    slow.open();
    assert.deepEqual(
      [(await first).phase, (await second).phase, slow.stopped()],
      [CommandPhase.COMMAND_PHASE_DONE, CommandPhase.COMMAND_PHASE_DONE, false],
    );
  });

  it("refuses a command that was undone before it arrived", async () => {
    const { commands } = await open();
    await commands.run(ctx, header({ commandId: "undo" }), async () => RUNNING, { undoOf: "c1" });
    assert.equal(await reasonOf(commands.run(ctx, header(), async () => RUNNING)), "COMMAND_UNDONE");
  });

  it("keeps a failure with its reason and gives the causes to administrators only", async () => {
    const { commands } = await open();
    const result = await commands.run(ctx, header(), async () => {
      throw new Error("/secret/path");
    });
    assert.equal(result.phase, CommandPhase.COMMAND_PHASE_FAILED);
    assert.ok(!result.errorMessage.includes("/secret/path"));
    assert.ok(result.errorDetails.includes("/secret/path"));
  });

  it("knows after a restart what was begun, runs it again when asked, and forgives a torn last line", async () => {
    const first = await open();
    const slow = gate();
    await first.commands.run(ctx, header({ waitMs: 0 }), slow.work);
    await first.close();
    appendFileSync(first.path, '{"serverId":"s1","comm');
    const second = await open(first.path);
    assert.deepEqual(
      second.commands.unfinished().map((e) => [e.commandId, e.phase]),
      [["c1", "started"]],
    );
    assert.equal(
      (await second.commands.run(ctx, header(), async () => RUNNING)).phase,
      CommandPhase.COMMAND_PHASE_DONE,
    );
  });

  it("ends what a dead agent had begun once another operation has its lane, or the agent itself", async () => {
    for (const by of ["its lane", "all lanes", "the agent", "another lane", "its own operation"]) {
      const first = await open();
      const begun = gate();
      await first.commands.run(ctx, header({ waitMs: 0 }), begun.work);
      await until(() => begun.starts() === 1);
      await first.close();
      const { commands, path, close } = await open(first.path);
      const next = header({ commandId: "c2", operation: "operations/s1/o2", fence: 6n });
      if (by === "the agent")
        assert.ok(await commands.finish(ctx, { serverId: "s1", fence: 6n }, async () => {}));
      else {
        const lane = by === "its lane" ? {} : by === "all lanes" ? { closesLanes: true } : { lane: "volume" };
        const own = by === "its own operation" ? { operation: "operations/s1/o1", lane: "life" } : {};
        await commands.run(ctx, { ...next, ...lane, ...own }, async () => RUNNING);
      }
      const isOpen = by === "another lane" || by === "its own operation";
      const begunOnes = (all: readonly JournalEntry[]): string[] =>
        all.filter(({ phase }) => phase === "started").map(({ commandId }) => commandId);
      assert.deepEqual(begunOnes(commands.unfinished()), isOpen ? ["c1"] : [], by);
      await close();
      const again = await Journal.open(path, Date.now());
      assert.deepEqual(begunOnes(again.entries), isOpen ? ["c1"] : [], by);
      await again.journal.close();
    }
  });

  it("undoes as often as it is asked, runs an undo again that failed, and never what it undid", async () => {
    const first = await open();
    await first.commands.run(ctx, header(), async () => RUNNING);
    const ties = { undoOf: "c1", untilDone: true };
    const undo = (commands: Commands, work: () => Promise<Uint8Array>) =>
      commands.run(ctx, header({ commandId: "undo" }), work, ties);
    let undone = 0;
    const failing = async (): Promise<Uint8Array> => {
      throw new Error("not now");
    };
    const working = async (): Promise<Uint8Array> => {
      undone += 1;
      return RUNNING;
    };
    assert.equal((await undo(first.commands, failing)).phase, CommandPhase.COMMAND_PHASE_FAILED);
    await first.close();
    const { commands } = await open(first.path);
    assert.equal(
      await reasonOf(commands.run(ctx, header(), async () => RUNNING)),
      "COMMAND_UNDONE",
      "its tombstone is older than the failure",
    );
    for (let i = 0; i < 2; i++)
      assert.equal((await undo(commands, working)).phase, CommandPhase.COMMAND_PHASE_DONE);
    assert.equal(undone, 1);
    assert.equal(await reasonOf(commands.run(ctx, header(), async () => RUNNING)), "COMMAND_UNDONE");
  });

  it("tells of a failure that came late once, before it runs again what must succeed in the end", async () => {
    const { commands, told } = await open();
    const late = gate();
    let starts = 0;
    const failing = async (): Promise<Uint8Array> => {
      starts += 1;
      await late.work(ctx);
      throw new Error("not now");
    };
    const ask = async (): Promise<CommandPhase> =>
      (await commands.run(ctx, header({ waitMs: 0 }), failing, { untilDone: true })).phase;
    assert.equal(await ask(), CommandPhase.COMMAND_PHASE_STARTED);
    late.open();
    await until(() => told.length === 1);
    assert.deepEqual([await ask(), starts], [CommandPhase.COMMAND_PHASE_FAILED, 1]);
    assert.equal(await ask(), CommandPhase.COMMAND_PHASE_STARTED);
    await until(() => starts === 2);
  });

  it("is not disturbed in its undo by what it undoes, when that arrives late", async () => {
    const { commands } = await open();
    const undo = gate();
    const undoing = commands.run(ctx, header({ commandId: "undo" }), undo.work, { undoOf: "c1" });
    await until(() => undo.starts() === 1);
    assert.equal(await reasonOf(commands.run(ctx, header(), async () => RUNNING)), "COMMAND_UNDONE");
    undo.open();
    assert.deepEqual([(await undoing).phase, undo.stopped()], [CommandPhase.COMMAND_PHASE_DONE, false]);
  });

  it("stops what runs when it is cancelled, and remembers that over a restart", async () => {
    const first = await open();
    const slow = gate();
    const running = first.commands.run(ctx, header(), slow.work);
    await until(() => slow.starts() === 1);
    const cancelled = await first.commands.cancel(ctx, header({ fence: 6n }));
    assert.deepEqual(
      [cancelled.phase, cancelled.errorReason, slow.stopped(), (await running).errorReason],
      [CommandPhase.COMMAND_PHASE_FAILED, "COMMAND_CANCELLED", true, "COMMAND_CANCELLED"],
    );
    await first.close();
    const { commands } = await open(first.path);
    assert.equal(
      (await commands.cancel(ctx, header({ fence: 6n }))).errorReason,
      "COMMAND_CANCELLED",
      "asked again",
    );
    assert.equal(await reasonOf(commands.run(ctx, header(), async () => RUNNING)), "FENCE_LOST");
  });

  it("never runs what was cancelled before it arrived, nor what a dead agent had begun", async () => {
    const first = await open();
    assert.equal((await first.commands.cancel(ctx, header())).phase, CommandPhase.COMMAND_PHASE_UNDONE);
    const begun = gate();
    await first.commands.run(ctx, header({ commandId: "c2", waitMs: 0 }), begun.work);
    await until(() => begun.starts() === 1);
    await first.close();
    const { commands } = await open(first.path);
    assert.equal(
      (await commands.cancel(ctx, header({ commandId: "c2" }))).phase,
      CommandPhase.COMMAND_PHASE_UNDONE,
    );
    for (const commandId of ["c1", "c2"])
      assert.equal(
        await reasonOf(commands.run(ctx, header({ commandId }), async () => RUNNING)),
        "COMMAND_UNDONE",
      );
    assert.deepEqual(commands.unfinished(), []);
  });

  it("waits for what must not be cut off, and leaves alone what has ended or is fenced off", async () => {
    const { commands } = await open();
    const slow = gate();
    const running = commands.run(ctx, header(), slow.work, { finishes: true });
    await until(() => slow.starts() === 1);
    const early = await commands.cancel(ctx, header({ waitMs: 0 }));
    assert.deepEqual([early.phase, slow.stopped()], [CommandPhase.COMMAND_PHASE_STARTED, false]);
    slow.open();
    assert.equal((await running).phase, CommandPhase.COMMAND_PHASE_DONE);
    assert.equal((await commands.cancel(ctx, header())).phase, CommandPhase.COMMAND_PHASE_DONE);
    assert.equal(await reasonOf(commands.cancel(ctx, header({ fence: 4n }))), "FENCE_LOST");
  });

  it("tells how far a command is, under the fence that it was asked for last, and whatever comes of that", async () => {
    const { commands, progress } = await open();
    const slow = gate();
    const work = async (c: Ctx, tell: (progress: OperationProgress) => void): Promise<Uint8Array> => {
      tell(OperationProgress.fromPartial({ percent: 13 }));
      return slow.work(c);
    };
    await commands.run(ctx, header({ waitMs: 0 }), work);
    await commands.run(ctx, header({ waitMs: 0, fence: 6n }), work);
    await until(() => progress.length === 2, { timeoutMs: 10_000 });
    slow.open();
    const { phase } = await commands.run(ctx, header({ fence: 6n }), work);
    assert.equal(phase, CommandPhase.COMMAND_PHASE_DONE);
    assert.deepEqual(progress[0], [{ commandId: "c1", operation: "operations/s1/o1", fence: 6n }, 13]);
  });

  it("leaves it to the next agent to tell what this one could not tell before its end", async () => {
    const first = await open();
    await first.commands.run(ctx, header(), async () => RUNNING);
    const [entry] = first.commands.unfinished();
    assert.ok(entry);
    await first.close();
    const { journal, entries } = await Journal.open(first.path, Date.now());
    opened.add(journal);
    const ending = new AbortController();
    const commands = new Commands(journal, entries, async () => {
      ending.abort();
      throw new Error("the cell is away");
    });
    await commands.tell(rootCtx({ requestId: "req-2", signal: ending.signal }), entry);
    await journal.close();
    opened.delete(journal);
    const next = await open(first.path);
    assert.deepEqual(
      next.commands.unfinished().map(({ commandId }) => commandId),
      ["c1"],
    );
  });

  it("lets the agent work beside commands only by records that know of all of them", async () => {
    const { commands } = await open();
    const did: string[] = [];
    const beside = (since: number, what: string): Promise<boolean> =>
      commands.beside("s1", since, async () => void did.push(what));
    const start = commands.moment;
    assert.equal(await beside(start, "before"), true);
    assert.equal(await beside(start, "again"), true, "its own work makes no record old");
    const slow = gate();
    const running = commands.run(ctx, header(), slow.work);
    await until(() => slow.starts() === 1);
    assert.equal(await beside(commands.moment, "meanwhile"), false);
    const during = commands.moment;
    slow.open();
    await running;
    await until(() => !commands.isBusy("s1"));
    assert.equal(await beside(during, "with a record of before its end"), false);
    assert.equal(await commands.beside("s2", during, async () => void did.push("another server")), true);
    const work = gate();
    const after = commands.beside("s1", commands.moment, async () => void (await work.work(ctx)));
    await until(() => work.starts() === 1);
    const waiting = gate();
    const next = commands.run(ctx, header({ commandId: "c2", fence: 6n }), waiting.work);
    assert.equal(waiting.starts(), 0, "the command waits for its turn");
    waiting.open();
    work.open();
    assert.deepEqual([await after, (await next).phase], [true, CommandPhase.COMMAND_PHASE_DONE]);
    assert.deepEqual(did, ["before", "again", "another server"]);
  });
});
