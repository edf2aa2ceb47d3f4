import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  EventsServiceDefinition,
  WatchEventsResponse,
} from "../../../gen/kilonova/api/v1/operations_service.js";
import { rootCtx, silentLogger } from "../../kernel/index.js";
import { Metrics, noTracer } from "../telemetry/index.js";
import type { Channel } from "./index.js";
import { LocalNetwork, bindService, connectRpc, startRpcServer } from "./index.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const MESSAGES = 200_000;
/** From here on nothing may grow. */
const WARM = 50_000;

const options = { log: silentLogger, tracer: noTracer, metrics: new Metrics() };
const message = WatchEventsResponse.fromPartial({ resumeToken: "x".repeat(20) });
const bindings = [
  bindService(EventsServiceDefinition, {
    watchEvents: async function* () {
      for (;;) yield message;
    },
  }),
];

const transports: Record<string, () => Promise<{ channel: Channel; close(): Promise<void> }>> = {
  "the local channel": async () => {
    const network = new LocalNetwork(options);
    network.listen("api", bindings);
    return { channel: network.connect("api", { service: "gateway", host: "" }), close: async () => {} };
  },
  "HTTP/2": async () => {
    const server = await startRpcServer({
      ...options,
      address: "127.0.0.1:0",
      bindings,
      authenticate: async () => ({
        actor: rootCtx({ requestId: "r" }).actor,
        ended: new AbortController().signal,
      }),
    });
    const channel = connectRpc(`127.0.0.1:${server.port}`, { token: async () => "t" });
    return {
      channel,
      close: async () => {
        await channel.close();
        await server.close();
      },
    };
  },
};

/** Bytes that live in the heap. */
function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

describe("a stream that never ends", function () {
  this.timeout(120_000);
  for (const [name, open] of Object.entries(transports))
    it(`takes no memory for what it has sent, over ${name}`, async () => {
      const { channel, close } = await open();
      const reader = new AbortController();
      let count = 0;
      let before = 0;
      const ctx = rootCtx({ requestId: "r", signal: reader.signal });
      for await (const _ of channel.client(EventsServiceDefinition).watchEvents(ctx, {})) {
        count++;
        if (count === WARM) before = heap();
        if (count === MESSAGES) break;
      }
      const grown = heap() - before;
      await close();
      // Kept by a promise as old as the stream, a message takes some hundred bytes: 30 MB and more.
      assert.ok(grown < 8e6, `${MESSAGES - WARM} messages left ${Math.round(grown / 1e3)} kB behind`);
    });
});
