import type { CommandHeader, CommandResult } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { CommandPhase } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { OperationProgress } from "../../../gen/kilonova/type/v1/operation.js";
import type { Ctx } from "../../kernel/index.js";
import { asKilonovaError, causesOf, rootCtx, traced, whenAborted, within } from "../../kernel/index.js";
import { systemClock } from "../../platform/process/index.js";
import { AgentErrors } from "../errors.js";
import type { Journal } from "./journal.js";
import type { JournalEntry } from "./journal-entry.js";
import { keptEntries } from "./journal-retention.js";
import { ProgressTeller, noRoad } from "./progress-teller.js";
import type { ProgressRoad } from "./progress-teller.js";

/**
 * What a command does to the host. Must be repeatable; `ctx.signal` aborts when the operation is given up or
 * a newer command takes over.
 * @param tell  takes note of how far it is
 * @returns its encoded output
 */
export type CommandWork = (ctx: Ctx, tell: (progress: OperationProgress) => void) => Promise<Uint8Array>;

/** How a command stands to others. */
export interface CommandTies {
  /** The command that this one undoes: its later arrival is then refused. */
  readonly undoOf?: string;
  /** Whether it is let finish when it is given up or overtaken; otherwise it is told to stop. */
  readonly finishes?: boolean;
  /** Whether a failure of it, once it was given as an answer, is forgotten when it is asked for again. */
  readonly untilDone?: boolean;
}

/** Told when a command ended whose caller no longer waits. */
export type Reporter = (ctx: Ctx, entry: JournalEntry) => Promise<void>;

interface Running {
  readonly lane: string;
  /** Highest under which it was asked for. */
  fence: bigint;
  /** Absent for one that is let finish. */
  readonly stop: AbortController | undefined;
  readonly finished: Promise<JournalEntry>;
}
interface ServerLog {
  /** Highest fence seen in each lane. */
  readonly fences: Map<string, bigint>;
  /** Highest fence that closed all lanes below it. */
  floor: bigint;
  readonly commands: Map<string, JournalEntry>;
  readonly running: Map<string, Running>;
  /** Commands that failed and were reported: who asks next learns of it. */
  readonly unheard: Set<string>;
  /** The moment at which something done to the server ended last. */
  turned: number;
}

const newLog = (): ServerLog => ({
  fences: new Map(),
  floor: 0n,
  commands: new Map(),
  running: new Map(),
  unheard: new Set(),
  turned: 0,
});

/** Agents and conductors of older versions know one lane. */
const laneOf = (lane: string | undefined): string => (lane === undefined || lane === "" ? "life" : lane);

const higher = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** The lowest fence that a lane still takes. */
const lowest = ({ fences, floor }: ServerLog, lane: string): bigint => higher(fences.get(lane) ?? 0n, floor);

function note(log: ServerLog, lane: string, fence: bigint, closes: boolean): void {
  log.fences.set(lane, higher(log.fences.get(lane) ?? 0n, fence));
  if (closes) log.floor = higher(log.floor, fence);
}

const UNTOLD_RETRY_MS = 1000;
const PROGRESS_TIMEOUT_MS = 5000;

/**
 * Runs commands one at a time in each lane of a server, in the order of their fences: a lower fence than one
 * seen in the lane is refused, a higher one stops what runs there. Lanes run side by side; a command that
 * closes the lanes does to all of them what others do to their own, and runs alone. A repeated command gets
 * the stored answer. Everything is journaled before it is answered. The host itself counts as one more
 * server: `serverId` is the id of the operation's subject.
 */
export class Commands {
  readonly #journal: Journal;
  readonly #report: Reporter;
  readonly #road: ProgressRoad;
  readonly #now: () => number;
  readonly #servers = new Map<string, ServerLog>();
  /** The last command in line, by server and lane; "" for one that closes the lanes. */
  readonly #tails = new Map<string, Map<string, Promise<unknown>>>();
  /** Counts what has been done to servers. */
  #moment = 0;

  constructor(
    journal: Journal,
    entries: readonly JournalEntry[],
    report: Reporter,
    road: ProgressRoad = noRoad,
    now: () => number = Date.now,
  ) {
    this.#journal = journal;
    this.#report = report;
    this.#road = road;
    this.#now = now;
    for (const entry of entries) this.#remember(entry);
  }

  /**
   * Commands that had begun when the agent died, or whose end nobody was told; the caller decides what to say
   * of them.
   */
  unfinished(): readonly JournalEntry[] {
    return [...this.#servers.values()]
      .flatMap((s) => [...s.commands.values()])
      .filter((e) => e.phase === "started" || e.told === false);
  }

  /**
   * @returns how the command stands after at most `header.waitMs`; with STARTED the end will be reported
   * @throws FENCE_LOST, COMMAND_UNDONE
   */
  async run(
    ctx: Ctx,
    header: CommandHeader,
    work: CommandWork,
    ties: CommandTies = {},
  ): Promise<CommandResult> {
    const server = this.#admit(header);
    const known = server.commands.get(header.commandId);
    if (known?.phase === "undone") throw AgentErrors.COMMAND_UNDONE({ commandId: header.commandId });
    overtake(server, header);
    const isNews = server.unheard.delete(header.commandId);
    const again = ties.untilDone === true && known?.phase === "failed" && !isNews;
    if (known && known.phase !== "started" && !again) return answer(known);
    let running = server.running.get(header.commandId);
    if (!running) {
      running = this.#start(ctx, header, work, server, ties);
      server.running.set(header.commandId, running);
    }
    running.fence = higher(running.fence, header.fence);
    const entry = await waitAtMost(running.finished, header.waitMs, ctx.signal);
    if (entry) return answer(entry);
    this.#reportLater(ctx, header.commandId, running.finished);
    return atIt;
  }

  /**
   * Ends a command whose operation was given up. What has not begun never will; what runs is told to stop,
   * unless it is let finish, and waited for; what has ended stays as it is.
   * @param header  the command's own
   * @returns how it stands after at most `header.waitMs`
   * @throws FENCE_LOST
   */
  async cancel(ctx: Ctx, header: CommandHeader): Promise<CommandResult> {
    const { serverId, commandId } = header;
    const server = this.#admit(header);
    const running = server.running.get(commandId);
    if (running) {
      running.stop?.abort(AgentErrors.COMMAND_CANCELLED({ serverId }));
      const entry = await waitAtMost(running.finished, header.waitMs, ctx.signal);
      return entry ? answer(entry) : atIt;
    }
    const known = server.commands.get(commandId);
    if (known && known.phase !== "started") return answer(known);
    const entry: JournalEntry = { ...entryBase(header), phase: "undone", at: this.#now() };
    await this.#write(entry);
    return answer(entry);
  }

  /**
   * The agent's own work on a server that nobody commands any more. Refuses to follow a command with a
   * higher fence than `fence` in any lane; once done, commands with a lower one are refused in all. Commands
   * that arrive meanwhile wait for their turn.
   * @param last  fence of the last operation on the server by its record; with a lane, all of this is about
   *   that lane alone
   * @returns whether it was done: not while a command runs or waits, or after one that is newer than the
   *   record
   */
  async finish(
    ctx: Ctx,
    last: { readonly serverId: string; readonly fence: bigint; readonly lane?: string },
    work: (ctx: Ctx) => Promise<void>,
  ): Promise<boolean> {
    const { serverId, fence, lane } = last;
    const server = this.#servers.get(serverId) ?? newLog();
    const seen = lane === undefined ? [...server.fences.values()] : [lowest(server, lane)];
    const waiting = this.#tails.get(serverId);
    const taken = lane === undefined ? waiting : (waiting?.get(lane) ?? waiting?.get(""));
    if (taken !== undefined || seen.some((one) => one > fence)) return false;
    await this.#inTurn(serverId, lane ?? "", async () => {
      await work(ctx);
      await this.#endCutOff({ serverId, fence, operation: "", lane, closesLanes: lane === undefined });
      await this.#write({
        serverId,
        commandId: lane === undefined ? `finish/${serverId}` : `finish/${serverId}/${lane}`,
        operation: "",
        fence: String(fence),
        ...(lane === undefined ? { closesLanes: true } : { lane }),
        phase: "done",
        told: true,
        at: this.#now(),
      });
    });
    return true;
  }

  /** Take it before records are read that `beside` goes by. */
  get moment(): number {
    return this.#moment;
  }

  /**
   * The agent's own work on a server by a record of it. Commands that arrive meanwhile wait for their turn.
   * @param since  a moment before the record was read
   * @returns whether it was done: not when a command runs or waits, nor when one ended since, for the record
   *   may not know of it
   */
  async beside(serverId: string, since: number, work: () => Promise<void>): Promise<boolean> {
    const turned = this.#servers.get(serverId)?.turned ?? 0;
    if (this.#tails.has(serverId) || turned > since) return false;
    await this.#inTurn(serverId, "", work, false);
    return true;
  }

  #admit(header: CommandHeader): ServerLog {
    const server = this.#servers.get(header.serverId) ?? newLog();
    this.#servers.set(header.serverId, server);
    const lane = laneOf(header.lane);
    const seen = lowest(server, lane);
    if (header.fence < seen) {
      throw AgentErrors.FENCE_LOST({
        serverId: header.serverId,
        fence: String(header.fence),
        seen: String(seen),
      });
    }
    note(server, lane, header.fence, header.closesLanes);
    return server;
  }

  #start(
    ctx: Ctx,
    header: CommandHeader,
    work: CommandWork,
    server: ServerLog,
    { undoOf = "", finishes = false }: CommandTies,
  ): Running {
    const stop = new AbortController();
    const own = rootCtx({
      requestId: ctx.requestId,
      globalRequestId: ctx.globalRequestId,
      actor: ctx.actor,
      log: ctx.log,
      span: ctx.span,
      signal: stop.signal,
    });
    const lane = laneOf(header.lane);
    const teller = this.#teller(own, header, server);
    const finished = this.#inTurn(header.serverId, header.closesLanes ? "" : lane, () =>
      this.#execute(own, header, (c) => work(c, (progress) => teller.tell(progress)), undoOf),
    ).finally(() => {
      teller.close();
      server.running.delete(header.commandId);
    });
    finished.catch(() => {});
    return { lane, fence: header.fence, stop: finishes ? undefined : stop, finished };
  }

  #teller(ctx: Ctx, { commandId, operation, fence }: CommandHeader, server: ServerLog): ProgressTeller {
    return new ProgressTeller({
      clock: systemClock,
      send: (progress) => {
        const newest = server.running.get(commandId)?.fence ?? fence;
        return within(ctx, PROGRESS_TIMEOUT_MS, "Progress", (c) =>
          this.#road(c, { commandId, operation, fence: newest }, progress),
        );
      },
    });
  }

  async #execute(
    ctx: Ctx,
    header: CommandHeader,
    work: (ctx: Ctx) => Promise<Uint8Array>,
    undoOf: string,
  ): Promise<JournalEntry> {
    if (this.#servers.get(header.serverId)?.commands.get(header.commandId)?.phase === "undone")
      throw AgentErrors.COMMAND_UNDONE({ commandId: header.commandId });
    const base = entryBase(header);
    if (undoOf) await this.#write({ ...base, commandId: undoOf, phase: "undone", at: this.#now() });
    await this.#endCutOff(header);
    await this.#write({ ...base, phase: "started", at: this.#now() });
    let end: JournalEntry;
    try {
      ctx.signal.throwIfAborted();
      const output = await traced(ctx, "agent.command", { "command.id": header.commandId }, work);
      end = {
        ...base,
        phase: "done",
        output: Buffer.from(output).toString("base64"),
        told: false,
        at: this.#now(),
      };
    } catch (error) {
      const e = asKilonovaError(ctx.signal.aborted ? ctx.signal.reason : error);
      if (e.kind === "internal")
        ctx.log.error("agent.command.failed", {
          commandId: header.commandId,
          instanceUuid: header.serverId,
          error,
        });
      end = {
        ...base,
        phase: "failed",
        errorReason: e.reason,
        errorMessage: e.message,
        errorDetails: causesOf(error),
        told: false,
        at: this.#now(),
      };
    }
    await this.#write(end);
    return end;
  }

  /**
   * Ends what had begun when an agent died, and was never asked for again: another operation has its lane by
   * now.
   */
  async #endCutOff(taker: {
    readonly serverId: string;
    readonly fence: bigint;
    readonly operation: string;
    readonly lane: string | undefined;
    readonly closesLanes: boolean;
  }): Promise<void> {
    const { serverId, fence, operation, closesLanes } = taker;
    const server = this.#servers.get(serverId);
    for (const entry of [...(server?.commands.values() ?? [])]) {
      const isCutOff = entry.phase === "started" && server?.running.has(entry.commandId) !== true;
      const meant = closesLanes || laneOf(entry.lane) === laneOf(taker.lane);
      if (!isCutOff || !meant || entry.operation === operation || BigInt(entry.fence) >= fence) continue;
      const { reason, message } = AgentErrors.COMMAND_SUPERSEDED({ serverId });
      await this.#write({
        ...entry,
        ...{ phase: "failed", errorReason: reason, errorMessage: message },
        ...{ told: true, at: this.#now() },
      });
    }
  }

  #reportLater(ctx: Ctx, commandId: string, finished: Promise<JournalEntry>): void {
    void finished
      .then((entry) =>
        this.tell(
          rootCtx({ requestId: ctx.requestId, actor: ctx.actor, log: ctx.log, span: ctx.span }),
          entry,
        ),
      )
      .catch((error: unknown) => ctx.log.error("agent.report.lost", { commandId, error }));
  }

  /** Forgets servers that nothing was asked of for `keepMs`, and of others the answers that are older. */
  prune(keepMs: number): void {
    for (const [serverId, server] of this.#servers) {
      if (this.isBusy(serverId)) continue;
      const kept = keptEntries([...server.commands.values()], this.#now(), () => false, keepMs);
      if (kept.length === 0) this.#servers.delete(serverId);
      else if (kept.length < server.commands.size) {
        server.commands.clear();
        for (const entry of kept) server.commands.set(entry.commandId, entry);
        for (const id of server.unheard) if (!server.commands.has(id)) server.unheard.delete(id);
      }
    }
  }

  /** Whether a command on the server runs or waits for its turn. */
  isBusy(serverId: string): boolean {
    return this.#tails.has(serverId) || (this.#servers.get(serverId)?.running.size ?? 0) > 0;
  }

  /** Reports an end until the cell has taken it. */
  async tell(ctx: Ctx, entry: JournalEntry): Promise<void> {
    if (entry.phase === "failed") this.#servers.get(entry.serverId)?.unheard.add(entry.commandId);
    for (;;) {
      try {
        await this.#report(ctx, entry);
        break;
      } catch (error) {
        if (asKilonovaError(error).kind === "missing") break;
        // The next agent tells it.
        if (ctx.signal.aborted) return;
        ctx.log.warn("agent.report.failed", { commandId: entry.commandId, error });
        await new Promise((resolve) => setTimeout(resolve, UNTOLD_RETRY_MS).unref());
      }
    }
    await this.#write({ ...entry, told: true, at: this.#now() });
  }

  async #write(entry: JournalEntry): Promise<void> {
    await this.#journal.append(entry);
    this.#remember(entry);
  }

  #remember(entry: JournalEntry): void {
    const server = this.#servers.get(entry.serverId) ?? newLog();
    note(server, laneOf(entry.lane), BigInt(entry.fence), entry.closesLanes === true);
    server.commands.set(entry.commandId, entry);
    this.#servers.set(entry.serverId, server);
  }

  /**
   * One command at a time per lane of a server; the next begins when the one before has ended, however.
   * @param lane    "" waits for all lanes, and all lanes wait for it
   * @param counts  whether records that were read before know less of the server
   */
  #inTurn<T>(serverId: string, lane: string, fn: () => Promise<T>, counts = true): Promise<T> {
    const tails = this.#tails.get(serverId) ?? new Map<string, Promise<unknown>>();
    this.#tails.set(serverId, tails);
    const before =
      lane === "" ? [...tails.values()] : [lane, ""].map((one) => tails.get(one) ?? Promise.resolve());
    const turn = Promise.all(before).then(fn);
    const tail = turn
      .catch(() => {})
      .then(() => {
        const server = this.#servers.get(serverId);
        if (counts && server !== undefined) server.turned = ++this.#moment;
        if (tails.get(lane) === tail) tails.delete(lane);
        if (tails.size === 0 && this.#tails.get(serverId) === tails) this.#tails.delete(serverId);
      });
    tails.set(lane, tail);
    return turn;
  }
}

/** Stops what a command takes over from. */
function overtake(server: ServerLog, { commandId, lane, fence, closesLanes, serverId }: CommandHeader): void {
  for (const [id, other] of server.running) {
    const meant = other.lane === laneOf(lane) || closesLanes;
    if (id !== commandId && meant && other.fence <= fence)
      other.stop?.abort(AgentErrors.COMMAND_SUPERSEDED({ serverId }));
  }
}

const entryBase = (header: CommandHeader) => ({
  serverId: header.serverId,
  commandId: header.commandId,
  operation: header.operation,
  fence: String(header.fence),
  lane: laneOf(header.lane),
  ...(header.closesLanes ? { closesLanes: true } : {}),
});

/** Of a command that has not ended yet. */
const atIt: CommandResult = {
  phase: CommandPhase.COMMAND_PHASE_STARTED,
  errorReason: "",
  errorMessage: "",
  errorDetails: "",
  output: Buffer.alloc(0),
};

function answer(entry: JournalEntry): CommandResult {
  return {
    phase:
      entry.phase === "done"
        ? CommandPhase.COMMAND_PHASE_DONE
        : entry.phase === "failed"
          ? CommandPhase.COMMAND_PHASE_FAILED
          : CommandPhase.COMMAND_PHASE_UNDONE,
    errorReason: entry.errorReason ?? "",
    errorMessage: entry.errorMessage ?? "",
    errorDetails: entry.errorDetails ?? "",
    output: Buffer.from(entry.output ?? "", "base64"),
  };
}

async function waitAtMost(
  finished: Promise<JournalEntry>,
  ms: number,
  signal: AbortSignal,
): Promise<JournalEntry | undefined> {
  let timer: NodeJS.Timeout | undefined;
  let leave = (): void => {};
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
    leave = whenAborted(signal, () => resolve(undefined));
  });
  try {
    return await Promise.race([finished, over]);
  } finally {
    clearTimeout(timer);
    leave();
  }
}
