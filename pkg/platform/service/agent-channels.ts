import type { Clock } from "../../kernel/index.js";
import type { Channel } from "../rpc/index.js";
import { forwardingClient } from "./forward.js";

export interface AgentChannelsOptions {
  /** Opens a connection to a host's agent. @param asHost  see `Cluster.agent` */
  readonly open: (host: string, address: string, asHost: string) => Channel;
  /** Connections kept at most; those in use may exceed it. */
  readonly max: number;
  readonly idleMs: number;
  readonly clock: Clock;
}

interface Connection {
  readonly channel: Channel;
  calls: number;
  usedMs: number;
}

/** To whom, where, and as whom. */
interface Way {
  readonly host: string;
  readonly address: string;
  readonly asHost: string;
}

/**
 * Connections to compute agents: opened by the first call, shared by all, closed when idle or when there are
 * too many.
 */
export class AgentChannels {
  readonly #options: AgentChannelsOptions;
  /** In the order of their last use. */
  readonly #connections = new Map<string, Connection>();

  constructor(options: AgentChannelsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#connections.size;
  }

  /** A way to the agent of a host; costs nothing until it is used, and need not be closed. */
  to(host: string, address: string, asHost = ""): Channel {
    const way = { host, address, asHost };
    return {
      client: (definition) =>
        forwardingClient(definition, {
          unary: async (ctx, call) => {
            const connection = this.#use(way);
            try {
              return await call(connection.channel, ctx);
            } finally {
              this.#leave(connection);
            }
          },
          stream: (ctx, call) => this.#streamed(way, (channel) => call(channel, ctx)),
        }),
      close: async () => {},
    };
  }

  /** Closes what nobody used for a while; run it now and then. */
  closeIdle(): void {
    const oldest = this.#options.clock.monotonicMs() - this.#options.idleMs;
    for (const [key, { calls, usedMs }] of this.#connections) {
      if (calls === 0 && usedMs <= oldest) this.#close(key);
    }
  }

  async close(): Promise<void> {
    for (const key of this.#connections.keys()) this.#close(key);
  }

  async *#streamed(way: Way, call: (channel: Channel) => AsyncIterable<unknown>): AsyncGenerator<unknown> {
    const connection = this.#use(way);
    try {
      yield* call(connection.channel);
    } finally {
      this.#leave(connection);
    }
  }

  #use({ host, address, asHost }: Way): Connection {
    const key = `${asHost}\0${host}\0${address}`;
    const connection = this.#connections.get(key) ?? {
      channel: this.#options.open(host, address, asHost),
      calls: 0,
      usedMs: 0,
    };
    connection.calls++;
    this.#connections.delete(key);
    this.#connections.set(key, connection);
    this.#shrink();
    return connection;
  }

  #leave(connection: Connection): void {
    connection.calls--;
    connection.usedMs = this.#options.clock.monotonicMs();
  }

  #shrink(): void {
    for (const [key, { calls }] of this.#connections) {
      if (this.#connections.size <= this.#options.max) return;
      if (calls === 0) this.#close(key);
    }
  }

  #close(key: string): void {
    const connection = this.#connections.get(key);
    this.#connections.delete(key);
    void connection?.channel.close();
  }
}
