import type { Ctx } from "../../pkg/kernel/index.js";
import type { Channel } from "../../pkg/platform/rpc/index.js";

/** Stands around each call: decides when it is made, when it is answered, and with what. */
export interface Tap {
  around(ctx: Ctx, method: string, call: () => Promise<unknown>): Promise<unknown>;
}

type Method = (ctx: Ctx, ...rest: unknown[]) => unknown;

/** The same port, tapped. Streams pass as they are. */
export const tapped = <T extends object>(port: T, tap: Tap): T =>
  new Proxy(port, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function" || typeof name !== "string") return method;
      return (ctx: Ctx, ...rest: unknown[]) => {
        const call = (): unknown => (method as Method).call(target, ctx, ...rest);
        return name.startsWith("watch") ? call() : tap.around(ctx, name, async () => call());
      };
    },
  });

export const tappedChannel = (channel: Channel, tap: Tap): Channel => ({
  client: (definition) => tapped(channel.client(definition), tap),
  close: () => channel.close(),
});
