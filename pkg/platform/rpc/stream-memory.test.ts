import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  EventsServiceDefinition,
  WatchEventsResponse,
} from "../../../gen/kilonova/api/v1/operations_service.js";
import { rootCtx, silentLogger } from "../../kernel/index.js";
import { Metrics, noTracer } from "../telemetry/index.js";
import type { Channel, RpcServer } from "./index.js";
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

const watch = (channel: Channel): AsyncIterable<unknown> =>
  channel
    .client(EventsServiceDefinition)
    .watchEvents(rootCtx({ requestId: "r", signal: new AbortController().signal }), {});

const publicServer = async (): Promise<RpcServer> =>
  startRpcServer({
    ...options,
    address: "127.0.0.1:0",
    bindings,
    descriptors: await readFile(fileURLToPath(new URL("../../../gen/descriptors.binpb", import.meta.url))),
    authenticate: async () => ({
      actor: rootCtx({ requestId: "r" }).actor,
      ended: new AbortController().signal,
    }),
  });

interface Open {
  readonly messages: AsyncIterable<unknown>;
  close(): Promise<void>;
}

const transports: Record<string, () => Promise<Open>> = {
  "the local channel": async () => {
    const network = new LocalNetwork(options);
    network.listen("api", bindings);
    return {
      messages: watch(network.connect("api", { service: "gateway", host: "" })),
      close: async () => {},
    };
  },
  "HTTP/2": async () => {
    const server = await publicServer();
    const channel = connectRpc(`127.0.0.1:${server.port}`, { token: async () => "t" });
    return {
      messages: watch(channel),
      close: async () => {
        await channel.close();
        await server.close();
      },
    };
  },
  Connect: async () => {
    const server = await publicServer();
    return { messages: readConnect(server.port), close: () => server.close() };
  },
};

/** Reads messages in JSON for as long as somebody asks. */
async function* readConnect(port: number): AsyncGenerator<void> {
  const leave = new AbortController();
  const answer = await fetch(`http://127.0.0.1:${port}/kilonova.api.v1.EventsService/WatchEvents`, {
    method: "POST",
    headers: { "content-type": "application/connect+json", "x-auth-token": "t" },
    body: Buffer.from("\0\0\0\0\x02{}"),
    signal: leave.signal,
  });
  assert.ok(answer.body);
  let rest = Buffer.alloc(0);
  try {
    for await (const part of answer.body) {
      rest = Buffer.concat([rest, part as Uint8Array]);
      let at = 0;
      for (let end: number; at + 5 <= rest.length; at = end) {
        end = at + 5 + rest.readUInt32BE(at + 1);
        if (end > rest.length) break;
        yield;
      }
      rest = rest.subarray(at);
    }
  } finally {
    leave.abort();
  }
}

/** Bytes that live in the heap. */
function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

describe("a stream that never ends", function () {
  this.timeout(120_000);
  for (const [name, open] of Object.entries(transports))
    it(`takes no memory for what it has sent, over ${name}`, async () => {
      const { messages, close } = await open();
      let count = 0;
      let before = 0;
      for await (const _ of messages) {
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
