import { LRUCache } from "lru-cache";
import type { Channel } from "../platform/rpc/index.js";

/** Channels to agents, opened when first needed; the least used ones are closed beyond a number. */
export interface AgentChannels {
  to(address: string): Channel;
  close(): Promise<void>;
}

/** @param atMost  channels kept open */
export function agentChannels(connect: (address: string) => Channel, atMost = 256): AgentChannels {
  const open = new LRUCache<string, Channel>({ max: atMost, dispose: (channel) => { void channel.close(); } });
  return {
    to: (address) => {
      const channel = open.get(address) ?? connect(address);
      open.set(address, channel, { noDisposeOnSet: true });
      return channel;
    },
    close: async () => { open.clear(); },
  };
}
