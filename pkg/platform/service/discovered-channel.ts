import type { Clock, Ctx } from "../../kernel/index.js";
import { isRetryable, remainingMs, whenAborted } from "../../kernel/index.js";
import type { Channel } from "../rpc/index.js";
import { RetryBudget } from "../rpc/retry-budget.js";
import { ServiceErrors } from "./errors.js";
import type { Forwarder } from "./forward.js";
import { forwardingClient } from "./forward.js";

export interface DiscoveredChannelOptions {
  /** For errors. */
  readonly service: string;
  /** Where it runs now. */
  readonly addresses: () => readonly string[];
  /** Calls back after each change of the addresses. */
  readonly onChange: (listener: () => void) => () => void;
  /** Opens a channel to one address, without retries of its own. */
  readonly open: (address: string) => Channel;
  readonly clock: Clock;
  /** 0..1 */
  readonly random: () => number;
  /** What a call fails with when it has waited for the first instance once; by default it waits again. */
  readonly nobody?: () => Error;
}

/** Tries of one call; every method here is repeatable. */
const ATTEMPTS = 4;
/** How long a call waits for the first instance to appear. */
const WAIT_MS = 5_000;
/** How long an instance that refused is passed over while others are there. */
const SHUN_MS = 1_000;

/**
 * A channel to a service by its name: each call goes to one of the living instances in turn, and to another
 * one when that is unavailable. An instance that leaves the list gets no new calls; those under way end by
 * themselves.
 */
export function discoveredChannel(options: DiscoveredChannelOptions): Channel {
  const instances = new Instances(options);
  const budget = new RetryBudget();
  const forwarder: Forwarder = {
    unary: (ctx, call) =>
      budget.run(
        ctx,
        ATTEMPTS,
        (error) => instances.mayHelp(error),
        () => instances.try(ctx, (channel) => call(channel, ctx)),
      ),
    stream: (ctx, call) => streamed(instances, ctx, (channel) => call(channel, ctx)),
  };
  return {
    client: (definition) => forwardingClient(definition, forwarder),
    close: () => instances.close(),
  };
}

/** Streams are not repeated: who reads knows from where to go on. */
async function* streamed(
  instances: Instances,
  ctx: Ctx,
  call: (channel: Channel) => AsyncIterable<unknown>,
): AsyncGenerator<unknown> {
  const address = await instances.pick(ctx);
  try {
    yield* call(instances.channel(address));
  } catch (error) {
    instances.shun(address, error);
    throw error;
  }
}

class Instances {
  readonly #options: DiscoveredChannelOptions;
  readonly #channels = new Map<string, Channel>();
  readonly #shunnedUntilMs = new Map<string, number>();
  /** What callers were told who wait once only. */
  readonly #final = new WeakSet<Error>();
  #turn: number;

  constructor(options: DiscoveredChannelOptions) {
    this.#options = options;
    // Clients that start together must not all begin with the same instance.
    this.#turn = Math.floor(options.random() * 1000);
  }

  async try<T>(ctx: Ctx, call: (channel: Channel) => Promise<T>): Promise<T> {
    const address = await this.pick(ctx);
    try {
      return await call(this.channel(address));
    } catch (error) {
      this.shun(address, error);
      throw error;
    }
  }

  /** @throws NO_INSTANCE when none appears in time */
  async pick(ctx: Ctx): Promise<string> {
    if (this.#options.addresses().length === 0) await this.#appearance(ctx);
    const all = this.#options.addresses();
    this.#forgetAllBut(all);
    const now = this.#options.clock.monotonicMs();
    const willing = all.filter((address) => (this.#shunnedUntilMs.get(address) ?? 0) <= now);
    const from = willing.length > 0 ? willing : all;
    const address = from[this.#turn++ % Math.max(1, from.length)];
    if (address === undefined) throw this.#nobody();
    return address;
  }

  /** Whether another attempt may go better. */
  mayHelp(error: unknown): boolean {
    return isRetryable(error) && !(error instanceof Error && this.#final.has(error));
  }

  #nobody(): Error {
    const error = this.#options.nobody?.();
    if (error === undefined) return ServiceErrors.NO_INSTANCE({ service: this.#options.service });
    this.#final.add(error);
    return error;
  }

  channel(address: string): Channel {
    const known = this.#channels.get(address) ?? this.#options.open(address);
    this.#channels.set(address, known);
    return known;
  }

  shun(address: string, error: unknown): void {
    if (isRetryable(error)) this.#shunnedUntilMs.set(address, this.#options.clock.monotonicMs() + SHUN_MS);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#channels.values()].map((channel) => channel.close()));
    this.#channels.clear();
  }

  async #appearance(ctx: Ctx): Promise<void> {
    const waiting = new AbortController();
    const stop = (): void => waiting.abort();
    const forget = this.#options.onChange(() => {
      if (this.#options.addresses().length > 0) stop();
    });
    const leave = whenAborted(ctx.signal, stop);
    try {
      if (!ctx.signal.aborted)
        await this.#options.clock.sleep(Math.min(WAIT_MS, remainingMs(ctx)), waiting.signal).catch(() => {});
    } finally {
      forget();
      leave();
    }
  }

  #forgetAllBut(addresses: readonly string[]): void {
    for (const [address, channel] of this.#channels) {
      if (addresses.includes(address)) continue;
      this.#channels.delete(address);
      this.#shunnedUntilMs.delete(address);
      void channel.close();
    }
  }
}
