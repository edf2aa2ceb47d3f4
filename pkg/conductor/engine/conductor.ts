import { setMaxListeners } from "node:events";
import type { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { Actor as WireActor } from "../../../gen/kilonova/type/v1/actor.js";
import type { Actor, Ctx, Span, SpanAttributes } from "../../kernel/ctx.js";
import { noSpan, rootCtx, serviceActor, within } from "../../kernel/ctx.js";
import { mapLimit } from "../../kernel/concurrency.js";
import type { Logger } from "../../kernel/logger.js";
import { toDuration } from "../../model/wire-time.js";
import { recoverHandovers } from "./recovery.js";
import type { Registry } from "./registry.js";
import { Run } from "./run.js";
import { drive } from "./runner.js";
import type { RunnerOptions } from "./runner.js";

/** Starts a span below the one that the W3C traceparent names. */
export type StartSpan = (name: string, traceparent: string, attributes: SpanAttributes) => Span;

export interface ConductorOptions extends RunnerOptions {
  readonly registry: Registry;
  readonly log: Logger;
  readonly startSpan?: StartSpan;
  /** All databases with operations, asked for at each round: cells may be added. */
  readonly databases: (ctx: Ctx) => Promise<readonly string[]>;
  /** Operations run at once. */
  readonly concurrency: number;
  /** How often it looks for work that nobody hinted at. */
  readonly pollMs: number;
  /** Age at which a dormant copy is looked after. */
  readonly dormantMs: number;
}

const RPC_MS = 10_000;

/**
 * Takes operations that are ready and drives them. Hints make that quick; looking again each second makes it certain.
 */
export class Conductor {
  readonly #options: ConductorOptions;
  /** What is being driven, by name and fence. */
  readonly #running = new Map<string, { readonly name: string; readonly ended: Promise<void> }>();
  /** Monotonic time at which the last renewal of all that is being driven was sent, ms. */
  #renewedMs = -Infinity;
  readonly #hints = new Map<string, Set<string>>();
  readonly #abort = new AbortController();
  readonly #loops: Promise<void>[] = [];
  #stopping = false;
  #flushing = false;
  #sequence = 0;

  constructor(options: ConductorOptions) {
    this.#options = options;
    // Every operation being driven listens; that is no leak.
    setMaxListeners(0, this.#abort.signal);
  }

  start(): void {
    this.#loops.push(this.#every(this.#options.pollMs, "conductor.poll", (ctx) => this.#pollAll(ctx)));
    this.#loops.push(this.#every(Math.max(50, this.#options.ownershipMs / 3), "conductor.renew", (ctx) => this.#renewAll(ctx)));
    this.#loops.push(this.#every(this.#options.dormantMs, "conductor.recover", async (ctx) =>
      recoverHandovers(ctx, this.#options.store, await this.#options.databases(ctx), this.#options.dormantMs, (database, name) => this.wake(database, name))));
  }

  /** A hint that an operation may be ready. Hints of one moment are taken together. */
  wake(database: string, operation: string): void {
    if (this.#stopping) return;
    const names = this.#hints.get(database) ?? new Set();
    this.#hints.set(database, names.add(operation));
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => { this.#flushing = false; this.#takeHinted(); });
  }

  /**
   * Begins no further step, waits for the running ones, and gives everything back.
   * @param graceMs  then running steps are cut off: what they did is found by whoever takes over
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const ctx = rootCtx({ requestId: "req-conductor-stop", actor: serviceActor("conductor"), log: this.#options.log });
    const running = (): Promise<void>[] => [...this.#running.values()].map(({ ended }) => ended);
    const idle = Promise.all(running()).then(() => undefined);
    await within(ctx, graceMs, "Stopping", () => idle).catch(() => this.#options.log.warn("conductor.stop.cut", { running: this.#running.size }));
    this.#abort.abort();
    await Promise.all(this.#loops);
    await Promise.allSettled(running());
    await within(ctx, RPC_MS, "Release", async (inner) => {
      for (const database of await this.#options.databases(inner)) await this.#options.store.releaseOperations(inner, { database, owner: this.#options.owner });
    }).catch((error: unknown) => this.#options.log.warn("conductor.release.failed", { error }));
  }

  /** How many operations are being driven. */
  get running(): number { return this.#running.size; }

  #ctx(init: Partial<Ctx> = {}): Ctx {
    return rootCtx({ requestId: `req-conductor-${++this.#sequence}`, actor: serviceActor("conductor"), log: this.#options.log, signal: this.#abort.signal, ...init });
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
    const { store, owner, ownershipMs, clock } = this.#options;
    const databases = await this.#options.databases(ctx);
    const sentMs = clock.monotonicMs();
    const names = [...this.#running.values()].map(({ name }) => name);
    await mapLimit(databases, 4, (database) => store.renewOperations(ctx, { database, owner, ownership: toDuration(ownershipMs), names }));
    this.#renewedMs = sentMs;
  }

  #takeHinted(): void {
    for (const [database, names] of this.#hints) {
      this.#hints.delete(database);
      this.#acquire(this.#ctx(), database, [...names]).catch((error: unknown) => this.#options.log.warn("conductor.acquire.failed", { database, error }));
    }
  }

  async #acquire(ctx: Ctx, database: string, names: readonly string[]): Promise<void> {
    const { store, registry, owner, ownershipMs, concurrency } = this.#options;
    const limit = concurrency - this.#running.size;
    const sentMs = this.#options.clock.monotonicMs();
    if (limit <= 0 || this.#stopping) return;
    const { operations, instances } = await within(ctx, RPC_MS, "Acquire", (inner) =>
      store.acquireOperations(inner, { database, owner, kinds: registry.accepted, limit, ownership: toDuration(ownershipMs), names: [...names] }));
    for (const [index, operation] of operations.entries()) {
      const instance = instances[index];
      if (instance !== undefined) this.#drive(database, operation, instance, sentMs);
    }
  }

  #drive(database: string, operation: StoredOperation, instance: InstanceRecord, acquiredMs: number): void {
    const { registry, store, clock, log, ownershipMs } = this.#options;
    const span = (this.#options.startSpan ?? (() => noSpan))(`operation ${operation.kind}`, operation.traceparent, { "operation.name": operation.name, "request.id": operation.requestId });
    const ctx = this.#ctx({ span, requestId: operation.requestId, actor: toActor(operation.actor), log: log.child({ operation: operation.name, kind: operation.kind, request_id: operation.requestId }) });
    const work = async (): Promise<void> => {
      const run = new Run({ ctx, kind: registry.get(operation.kind), store, clock, database, operation, instance, ownedUntilMs: () => Math.max(acquiredMs, this.#renewedMs) + ownershipMs });
      await drive(run, this.#options, () => this.#stopping);
      // A signal that was there before the operation parked would otherwise wait for the next poll.
      if (run.again || run.operation.signals.length > 0) this.wake(run.database, run.name);
    };
    const key = `${operation.name}#${operation.fence}`;
    const running = work()
      .catch((error: unknown) => { if (!this.#abort.signal.aborted) ctx.log.error("operation.drive.failed", { error }); })
      .finally(() => { span.end(); this.#running.delete(key); });
    this.#running.set(key, { name: operation.name, ended: running });
  }
}

/** The user behind an operation, for audit and for names of what is made; rights are the conductor's own. */
const toActor = (actor: WireActor | undefined): Actor => actor === undefined ? serviceActor("conductor") : {
  kind: actor.kind === "user" ? "user" : "service", userId: actor.userId, projectId: actor.projectId, domainId: actor.domainId, roles: actor.roles,
  systemScope: actor.systemScope, service: actor.service, host: actor.host,
};
