import type { Ctx } from "../../kernel/index.js";
import type { Channel, Client, ServiceDefinition } from "../rpc/index.js";

/** One call on its way to a channel that is chosen late. */
export interface Forwarder {
  unary(ctx: Ctx, call: (channel: Channel, ctx: Ctx) => Promise<unknown>): Promise<unknown>;
  stream(ctx: Ctx, call: (channel: Channel, ctx: Ctx) => AsyncIterable<unknown>): AsyncIterable<unknown>;
}

type UntypedClient = Readonly<Record<string, (ctx: Ctx, request: unknown) => unknown>>;

/** A client that asks `forwarder` at each call which channel to take. */
export function forwardingClient<D extends ServiceDefinition>(
  definition: D,
  forwarder: Forwarder,
): Client<D> {
  const clients = new WeakMap<Channel, UntypedClient>();
  const on = (channel: Channel): UntypedClient => {
    const known = clients.get(channel) ?? (channel.client(definition) as UntypedClient);
    clients.set(channel, known);
    return known;
  };
  const out: Record<string, unknown> = {};
  for (const [key, { responseStream }] of Object.entries(definition.methods)) {
    const call = (channel: Channel, ctx: Ctx, request: unknown): unknown => on(channel)[key]?.(ctx, request);
    out[key] = responseStream
      ? (ctx: Ctx, request: unknown) =>
          forwarder.stream(ctx, (channel, inner) => call(channel, inner, request) as AsyncIterable<unknown>)
      : (ctx: Ctx, request: unknown) =>
          forwarder.unary(ctx, (channel, inner) => call(channel, inner, request) as Promise<unknown>);
  }
  return out as Client<D>;
}
