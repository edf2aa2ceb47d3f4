import type { Actor as WireActor } from "../../../gen/kilonova/type/v1/actor.js";
import type { Actor, Ctx, Span, SpanAttributes } from "../../kernel/ctx.js";
import { noSpan, rootCtx, serviceActor, within } from "../../kernel/ctx.js";
import { firstOf } from "../../kernel/signals.js";
import { mapLimit } from "../../kernel/concurrency.js";
import type { Logger } from "../../kernel/logger.js";
import { ConductorErrors } from "../errors.js";
import { Ownership } from "./ownership.js";
import type { Hold, Taken } from "./ownership.js";
import { handOverRecovery } from "./recovery.js";
import type { Registry } from "./registry.js";
import { toDuration } from "../../model/wire-time.js";
import { Run } from "./run.js";
import { drive } from "./runner.js";
import type { RunnerOptions } from "./runner.js";

/** Starts a span below the one that the W3C traceparent names. */
export type StartSpan = (name: string, traceparent: string, attributes: SpanAttributes) => Span;

export interface ConductorOptions extends Omit<RunnerOptions, "ownership"> {
  readonly registry: Registry;
  readonly log: Logger;
  /** Unique per start of the process. */
  readonly owner: string;
  /** How long an operation stays with a conductor that does not renew it. */
  readonly ownershipMs: number;
  readonly startSpan?: StartSpan;
  /** All databases with operations, asked for at each round: cells may be added. */
  readonly databases: (ctx: Ctx) => Promise<readonly string[]>;
  /** Operations run at once. */
  readonly concurrency: number;
  /** How often it looks for work that nobody hinted at. */
  readonly pollMs: number;
  /** How long an operation is ready without anybody taking it before an operator is asked. */
  readonly unclaimedMs: number;
  /** Age at which a dormant copy is looked after. */
  readonly dormantMs: number;
}

const RPC_MS = 10_000;

/** An operation that is being driven, as it was taken. */
interface Driven {
  readonly hold: Hold;
  readonly database: string;
  readonly fence: bigint;
  /** Ends it where it stands. */
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/**
 * Takes operations that are ready and drives them. Hints make that quick; looking again each second makes it
 * certain.
 */
export class Conductor {
  readonly #options: ConductorOptions;
  /** What is being driven, by name and fence. */
  readonly #running = new Map<string, Driven>();
  readonly #ownership: Ownership;
  readonly #runner: RunnerOptions;
  readonly #hints = new Map<string, Set<string>>();
  readonly #abort = new AbortController();
  readonly #loops: Promise<void>[] = [];
  #stopping = false;
  #flushing = false;
  #sequence = 0;

  constructor(options: ConductorOptions) {
    this.#options = options;
    this.#ownership = new Ownership(options);
    this.#runner = { ...options, ownership: this.#ownership };
  }

  start(): void {
    this.#loops.push(
      this.#every(Math.max(50, this.#options.unclaimedMs / 5), "conductor.strand", (ctx) =>
        this.#strandAll(ctx),
      ),
    );
    this.#loops.push(this.#every(this.#options.pollMs, "conductor.poll", (ctx) => this.#pollAll(ctx)));
    this.#loops.push(
      this.#every(Math.max(50, this.#options.ownershipMs / 3), "conductor.renew", (ctx) =>
        this.#renewAll(ctx),
      ),
    );
    const { store, dormantMs } = this.#options;
    const recover = handOverRecovery(store, dormantMs, (database, name) => this.wake(database, name));
    this.#loops.push(
      this.#every(dormantMs, "conductor.recover", async (ctx) =>
        recover(ctx, await this.#options.databases(ctx)),
      ),
    );
  }

  /** What nobody can run is an operator's, with a reason: it must not wait for ever in silence. */
  async #strandAll(ctx: Ctx): Promise<void> {
    const { registry, store, unclaimedMs, log } = this.#options;
    for (const database of await this.#options.databases(ctx)) {
      const olderThan = toDuration(unclaimedMs);
      const { names } = await store.strandOperations(ctx, { database, kinds: registry.accepted, olderThan });
      for (const operation of names) log.error("operation.stranded", { operation, database });
    }
  }

  /** A hint that an operation may be ready. Hints of one moment are taken together. */
  wake(database: string, operation: string): void {
    if (this.#stopping) return;
    const names = this.#hints.get(database) ?? new Set();
    this.#hints.set(database, names.add(operation));
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#takeHinted();
    });
  }

  /**
   * Begins no further step, waits for the running ones, and gives everything back.
   * @param graceMs  then running steps are cut off: what they did is found by whoever takes over
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const ctx = rootCtx({
      requestId: "req-conductor-stop",
      actor: serviceActor("conductor"),
      log: this.#options.log,
    });
    const running = (): Promise<void>[] => [...this.#running.values()].map(({ ended }) => ended);
    const idle = Promise.all(running()).then(() => undefined);
    await within(ctx, graceMs, "Stopping", () => idle).catch(() =>
      this.#options.log.warn("conductor.stop.cut", { running: this.#running.size }),
    );
    this.#abort.abort();
    await Promise.all(this.#loops);
    await Promise.allSettled(running());
    await within(ctx, RPC_MS, "Release", async (inner) =>
      this.#ownership.release(inner, await this.#options.databases(inner)),
    ).catch((error: unknown) => this.#options.log.warn("conductor.release.failed", { error }));
  }

  /** How many operations are being driven. */
  get running(): number {
    return this.#running.size;
  }

  #ctx(init: Partial<Ctx> = {}): Ctx {
    return rootCtx({
      requestId: `req-conductor-${++this.#sequence}`,
      actor: serviceActor("conductor"),
      log: this.#options.log,
      signal: this.#abort.signal,
      ...init,
    });
  }

  async #every(ms: number, what: string, work: (ctx: Ctx) => Promise<void>): Promise<void> {
    while (!this.#stopping) {
      try {
        await within(this.#ctx(), RPC_MS, what, work);
      } catch (error) {
        if (!this.#stopping) this.#options.log.warn(`${what}.failed`, { error });
      }
      await this.#options.clock.sleep(ms, this.#abort.signal).catch(() => undefined);
    }
  }

  async #pollAll(ctx: Ctx): Promise<void> {
    await mapLimit(await this.#options.databases(ctx), 4, (database) => this.#acquire(ctx, database, []));
  }

  async #renewAll(ctx: Ctx): Promise<void> {
    if (this.#running.size === 0) return;
    const databases = await this.#options.databases(ctx);
    await this.#ownership.renew(
      ctx,
      databases,
      [...this.#running.values()].map(({ hold }) => hold),
    );
  }

  #takeHinted(): void {
    for (const [database, names] of this.#hints) {
      this.#hints.delete(database);
      this.#acquire(this.#ctx(), database, [...names]).catch((error: unknown) =>
        this.#options.log.warn("conductor.acquire.failed", { database, error }),
      );
    }
  }

  async #acquire(ctx: Ctx, database: string, names: readonly string[]): Promise<void> {
    const { registry, concurrency } = this.#options;
    const limit = concurrency - this.#running.size;
    if (limit <= 0 || this.#stopping) return;
    const taken = await within(ctx, RPC_MS, "Acquire", (inner) =>
      this.#ownership.take(inner, { database, kinds: registry.accepted, limit, names }),
    );
    for (const one of taken) this.#drive(database, one);
  }

  /**
   * Ends what this process still drives of an operation that it has just taken once more: it had renewed too
   * late, and two at once would each do what no fence holds back.
   */
  #endOlder(database: string, { name, fence }: Taken["operation"]): void {
    for (const older of this.#running.values())
      if (older.hold.name === name && older.database === database && older.fence < fence)
        older.stop.abort(ConductorErrors.FENCE_LOST({ operation: name }));
  }

  #drive(database: string, taken: Taken): void {
    const { registry, store, clock, log } = this.#options;
    const { operation, hold } = taken;
    this.#endOlder(database, operation);
    const stop = new AbortController();
    const { signal, leave } = firstOf([this.#abort.signal, stop.signal]);
    const span = (this.#options.startSpan ?? (() => noSpan))(
      `operation ${operation.kind}`,
      operation.traceparent,
      { "operation.name": operation.name, "request.id": operation.requestId },
    );
    const ctx = this.#ctx({
      span,
      signal,
      requestId: operation.requestId,
      actor: toActor(operation.actor),
      log: log.child({ operation: operation.name, kind: operation.kind, request_id: operation.requestId }),
    });
    const work = async (): Promise<void> => {
      const run = new Run({
        ctx,
        kind: registry.get(operation.kind, operation.kindVersion),
        store,
        clock,
        ownership: this.#ownership,
        database,
        ...taken,
      });
      await drive(run, this.#runner, () => this.#stopping);
      // A signal that was there before the operation parked would otherwise wait for the next poll.
      if (run.again || run.operation.signals.length > 0) this.wake(run.database, run.name);
    };
    const key = `${operation.name}#${operation.fence}`;
    const running = work()
      .catch((error: unknown) => {
        if (!signal.aborted) ctx.log.error("operation.drive.failed", { error });
      })
      .finally(() => {
        leave();
        span.end();
        this.#running.delete(key);
      });
    this.#running.set(key, { hold, database, fence: operation.fence, stop, ended: running });
  }
}

/** The user behind an operation, for audit and for names of what is made; rights are the conductor's own. */
const toActor = (actor: WireActor | undefined): Actor =>
  actor === undefined
    ? serviceActor("conductor")
    : {
        kind: actor.kind === "user" ? "user" : "service",
        userId: actor.userId,
        projectId: actor.projectId,
        domainId: actor.domainId,
        roles: actor.roles,
        systemScope: actor.systemScope,
        service: actor.service,
        host: actor.host,
      };
