import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import * as grpc from "@grpc/grpc-js";
import { InMemorySpanExporter } from "@opentelemetry/sdk-trace-base";
import {
  GetKeyPairRequest,
  GetKeyPairResponse,
  KeyPairsServiceDefinition,
} from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import {
  OperationsServiceDefinition,
  WaitOperationResponse,
} from "../../../gen/kilonova/api/v1/operations_service.js";
import { RetryInfo } from "../../../gen/google/rpc/error_details.js";
import { Status } from "../../../gen/google/rpc/status.js";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import { anonymous, defineErrors, rootCtx, silentLogger } from "../../kernel/index.js";
import type { Tracer } from "../telemetry/index.js";
import { Sharing, sharingConfig } from "../sharing/index.js";
import { until } from "../../testkit/until.js";
import { Metrics, createTracer, noTracer } from "../telemetry/index.js";
import { bindPart } from "./bind.js";
import { DETAILS_KEY } from "./door.js";
import { connectRpc, startRpcServer } from "./index.js";
import type { Admit, MethodBinding, RpcServer, RpcServerOptions, ServiceBinding } from "./index.js";
import { fromWireStatus } from "./status.js";

const Errors = defineErrors("test", {
  BAD_TOKEN: ["unauthenticated", (_p: Record<string, never>) => "bad token"],
});
const user = { ...anonymous, kind: "user" as const, userId: "u1", projectId: "p1" };
const MIB = 1 << 20;

let decoded = 0;
let authenticated = 0;
/** Counts what is decoded. */
const counting = (binding: ServiceBinding): ServiceBinding => ({
  ...binding,
  methods: binding.methods.map((method): MethodBinding => ({
    ...method,
    decodeRequest: (bytes) => {
      decoded++;
      return method.decodeRequest(bytes);
    },
  })),
});
const bindings = [
  counting(
    bindPart(KeyPairsServiceDefinition, {
      getKeyPair: async (ctx, { name }) =>
        GetKeyPairResponse.fromPartial({ keyPair: { name, userId: ctx.actor.userId } }),
    }),
  ),
  counting(
    bindPart(OperationsServiceDefinition, {
      waitOperation: async (ctx) => {
        waiting();
        await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
        return WaitOperationResponse.fromPartial({});
      },
    }),
  ),
];
let waiting = (): void => {};

const options = { log: silentLogger, tracer: noTracer, metrics: new Metrics() };
const start = (
  limits: RpcServerOptions["limits"] = {},
  admit?: Admit,
  tracer: Tracer = noTracer,
): Promise<RpcServer> =>
  startRpcServer({
    limits,
    ...(admit ? { admit } : {}),
    ...options,
    tracer,
    address: "127.0.0.1:0",
    bindings,
    authenticate: async (_ctx, token) => {
      authenticated++;
      if (token !== "good") throw Errors.BAD_TOKEN({});
      return { actor: user };
    },
  });

/** Sends bytes as they are, as a client would that has none of our limits. */
function send(
  client: grpc.Client,
  path: string,
  bytes: Buffer,
  token: string,
  traceparent = "",
): Promise<{ error?: grpc.ServiceError; answer?: Buffer }> {
  const metadata = new grpc.Metadata();
  metadata.set("x-auth-token", token);
  if (traceparent) metadata.set("traceparent", traceparent);
  const same = (b: Buffer): Buffer => b;
  return new Promise((resolve) =>
    client.makeUnaryRequest(path, same, same, bytes, metadata, (error, answer) =>
      resolve({ ...(error ? { error } : {}), ...(answer ? { answer } : {}) }),
    ),
  );
}

function reasonOf(error: grpc.ServiceError | undefined): { code: number; reason: string; facts: unknown } {
  assert.ok(error);
  const details = error.metadata.get(DETAILS_KEY)[0];
  assert.ok(Buffer.isBuffer(details), `no details: ${error.message}`);
  const { reason, facts } = fromWireStatus(error.code, error.details, details);
  return { code: error.code, reason, facts };
}

/** Sends a message of 16 MiB without a token to its end, whatever is answered. @returns the status */
async function flood(session: ClientHttp2Session, look: () => void): Promise<string> {
  const stream = session.request({
    ":method": "POST",
    ":path": GET_KEY_PAIR,
    "content-type": "application/grpc",
    te: "trailers",
  });
  let status = "";
  const noted = (headers: IncomingHttpHeaders): void => {
    status = String(headers["grpc-status"] ?? status);
  };
  stream
    .on("response", noted)
    .on("trailers", noted)
    .on("error", () => {})
    .resume();
  const chunk = Buffer.alloc(64 << 10, 1);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(16 * MIB - 5, 1);
  stream.write(head);
  for (let sent = 0; sent < 16 * MIB && !stream.closed; sent += chunk.length) {
    look();
    await new Promise<void>((resolve) => stream.write(chunk, () => resolve()));
  }
  stream.end();
  if (!stream.destroyed) await once(stream, "close");
  return status;
}

const GET_KEY_PAIR = "/kilonova.api.v1.KeyPairsService/GetKeyPair";

describe("the door of a public port", () => {
  let server: RpcServer;
  let client: grpc.Client;
  const connect = (): grpc.Client =>
    new grpc.Client(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
  beforeEach(async () => {
    server = await start();
    client = connect();
    decoded = authenticated = 0;
  });
  afterEach(async () => {
    client.close();
    await server.close();
  });

  it("keeps and decodes nothing of what strangers send", async () => {
    const session = connectHttp2(`http://127.0.0.1:${server.port}`).on("error", () => {});
    const memory = (): number => process.memoryUsage().arrayBuffers;
    const before = memory();
    let most = before;
    const statuses = await Promise.all(
      Array.from({ length: 12 }, () => flood(session, () => (most = Math.max(most, memory())))),
    );
    assert.deepEqual(new Set(statuses), new Set([String(grpc.status.UNAUTHENTICATED)]));
    // It never came with a token, and sent too much: cut before it could send all of its 192 MiB.
    assert.ok(session.destroyed);
    assert.equal(authenticated, 12);
    assert.equal(decoded, 0);
    assert.ok(most - before < 64 * MIB, `${Math.round((most - before) / MIB)} MiB`);
    const { error } = await send(client, GET_KEY_PAIR, Buffer.alloc(0), "bad");
    assert.deepEqual(reasonOf(error), {
      code: grpc.status.UNAUTHENTICATED,
      reason: "BAD_TOKEN",
      facts: {},
    });
  });

  it("holds each method to its own limit, before anything is decoded", async () => {
    const limits = new Map(bindings.flatMap((b) => b.methods.map((m) => [m.method, m.maxRequestBytes])));
    assert.equal(limits.get("GetKeyPair"), 65_536);
    const large = bindPart(ServersServiceDefinition, {}).methods.find((m) => m.method === "CreateServers");
    assert.equal(large?.maxRequestBytes, 262_144);
    const { error } = await send(client, GET_KEY_PAIR, Buffer.alloc(65_537, 1), "good");
    assert.deepEqual(reasonOf(error), {
      code: grpc.status.RESOURCE_EXHAUSTED,
      reason: "REQUEST_TOO_LARGE",
      facts: { method: "GetKeyPair", bytes: "65537", limitBytes: "65536" },
    });
    assert.equal(decoded, 0);
    const whole = Buffer.from(
      GetKeyPairRequest.encode(GetKeyPairRequest.fromPartial({ name: "k" })).finish(),
    );
    assert.ok((await send(client, GET_KEY_PAIR, whole, "good")).answer);
  });

  it("keeps strangers' health checks to the size of a name", async () => {
    const answer = await send(client, "/grpc.health.v1.Health/Check", Buffer.alloc(65_536, 10), "");
    assert.equal(answer.error?.code, grpc.status.RESOURCE_EXHAUSTED);
    assert.ok((await send(client, "/grpc.health.v1.Health/Check", Buffer.alloc(0), "")).answer);
  });

  it("reads nothing of a call that has no turn, and says when to come again", async () => {
    const sharing = new Sharing({
      ...sharingConfig.parse({}),
      concurrency: 1,
      queueLength: 0,
      waitsPerToken: 1,
    });
    const gate = sharing.gate();
    const shared = await start({}, sharing.atDoor(gate));
    const one = new grpc.Client(`127.0.0.1:${shared.port}`, grpc.credentials.createInsecure());
    const held = await gate.enter(user, new AbortController().signal);
    const { error } = await send(one, GET_KEY_PAIR, Buffer.alloc(0), "good");
    assert.deepEqual(reasonOf(error).reason, "TOO_MANY_REQUESTS");
    assert.equal(reasonOf(error).code, grpc.status.RESOURCE_EXHAUSTED);
    const details = Status.decode(error?.metadata.get(DETAILS_KEY)[0] as Buffer).details;
    const retry = details.find(({ typeUrl }) => typeUrl.endsWith("/google.rpc.RetryInfo"));
    assert.equal(RetryInfo.decode(retry?.value ?? new Uint8Array()).retryDelay?.seconds, 1n);
    assert.equal(decoded, 0);
    // What waits takes no turn, but has a limit of its own.
    const begun = new Promise<void>((resolve) => (waiting = resolve));
    const channel = connectRpc(`127.0.0.1:${shared.port}`, { token: async () => "good", attempts: 1 });
    const wait = (signal: AbortSignal): Promise<unknown> =>
      channel
        .client(OperationsServiceDefinition)
        .waitOperation(rootCtx({ requestId: "r", signal }), { name: "o" })
        .catch((failure: unknown) => failure);
    const leaving = new AbortController();
    const waits = wait(leaving.signal);
    await begun;
    assert.equal(((await wait(new AbortController().signal)) as { reason: string }).reason, "TOO_MANY_WAITS");
    leaving.abort();
    await waits;
    held();
    assert.ok((await send(one, GET_KEY_PAIR, Buffer.alloc(0), "good")).answer);
    one.close();
    await channel.close();
    await shared.close();
  });

  it("gives back the turn of a client that left while it waited for it, and decodes nothing", async () => {
    const waits = new Promise<void>((resolve) => (waiting = resolve));
    let left = 0;
    // Its turn comes when it is gone.
    const busy = await start({}, (ctx) => {
      waiting();
      return new Promise((resolve) => ctx.signal.addEventListener("abort", () => resolve(() => void left++)));
    });
    const one = new grpc.Client(`127.0.0.1:${busy.port}`, grpc.credentials.createInsecure());
    const metadata = new grpc.Metadata();
    metadata.set("x-auth-token", "good");
    const same = (b: Buffer): Buffer => b;
    const call = one.makeUnaryRequest(GET_KEY_PAIR, same, same, Buffer.alloc(0), metadata, () => {});
    await waits;
    call.cancel();
    await until(() => left === 1);
    assert.equal(decoded, 0);
    one.close();
    await busy.close();
  });

  it("says that a request cannot be decoded", async () => {
    const { error } = await send(client, GET_KEY_PAIR, Buffer.from([0xff, 0xff, 0xff]), "good");
    assert.deepEqual(reasonOf(error), {
      code: grpc.status.INVALID_ARGUMENT,
      reason: "REQUEST_MALFORMED",
      facts: { method: "GetKeyPair" },
    });
  });

  it("lets strangers' connections go after a while, and the oldest of them when there are too many", async () => {
    const strict = await start({ maxConnections: 2, strangerMs: 1_000 });
    const open = async (): Promise<Socket> => {
      const socket = connectTcp(strict.port, "127.0.0.1")
        .on("error", () => {})
        .resume();
      await once(socket, "connect");
      return socket;
    };
    const known = new grpc.Client(`127.0.0.1:${strict.port}`, grpc.credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    assert.ok((await send(known, GET_KEY_PAIR, Buffer.alloc(0), "good")).answer);
    const first = await open();
    const gone = once(first, "close");
    const second = await open();
    await gone;
    assert.equal(second.destroyed, false);
    await once(second, "close");
    assert.equal(known.getChannel().getConnectivityState(false), grpc.connectivityState.READY);
    assert.ok((await send(known, GET_KEY_PAIR, Buffer.alloc(0), "good")).answer);
    known.close();
    await strict.close();
  });

  it("gives one address no more connections than its share, and cuts no caller's at work for it", async () => {
    const strict = await start({ maxConnections: 3, maxConnectionsPerAddress: 2 });
    const known = new grpc.Client(`127.0.0.1:${strict.port}`, grpc.credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    const from = async (localAddress: string): Promise<Socket> => {
      const socket = connectTcp({ port: strict.port, host: "127.0.0.1", localAddress })
        .on("error", () => {})
        .resume();
      await once(socket, "connect");
      return socket;
    };
    assert.ok((await send(known, GET_KEY_PAIR, Buffer.alloc(0), "good")).answer);
    const first = await from("127.0.0.1");
    const second = await from("127.0.0.1");
    await once(first, "close");
    const elsewhere = await from("127.0.0.2");
    assert.ok((await send(known, GET_KEY_PAIR, Buffer.alloc(0), "good")).answer);
    assert.deepEqual([second.destroyed, elsewhere.destroyed], [false, false]);
    const other = new grpc.Client(`127.0.0.1:${strict.port}`, grpc.credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    assert.ok((await send(other, GET_KEY_PAIR, Buffer.alloc(0), "good")).answer, "instead of a stranger");
    const wait = async (client: grpc.Client): Promise<void> => {
      const begun = new Promise<void>((resolve) => (waiting = resolve));
      void send(client, "/kilonova.api.v1.OperationsService/WaitOperation", Buffer.alloc(0), "good");
      await begun;
    };
    await wait(known);
    await wait(other);
    const tooMany = await from("127.0.0.1");
    await once(tooMany, "close");
    assert.ok((await send(known, GET_KEY_PAIR, Buffer.alloc(0), "good")).answer);
    assert.equal(elsewhere.destroyed, false);
    for (const client of [known, other]) client.close();
    for (const socket of [second, elsewhere]) socket.destroy();
    await strict.close();
  });

  it("continues a user's trace, and lets nobody decide that it is recorded", async () => {
    const theirs = "4bf92f3577b34da6a3ce929d0e0e4736";
    const record = async (sampleRatio: number, token: string): Promise<string[]> => {
      const exporter = new InMemorySpanExporter();
      const tracer = createTracer({ service: "test", sampleRatio, exporter, immediate: true });
      const traced = await start({}, undefined, tracer);
      const one = new grpc.Client(`127.0.0.1:${traced.port}`, grpc.credentials.createInsecure());
      await send(one, GET_KEY_PAIR, Buffer.alloc(0), token, `00-${theirs}-00f067aa0ba902b7-01`);
      one.close();
      await traced.close();
      return exporter.getFinishedSpans().map((span) => span.spanContext().traceId);
    };
    assert.deepEqual(await record(1, "good"), [theirs]);
    assert.deepEqual(await record(0, "good"), []);
    assert.deepEqual(await record(1, "bad"), []);
  });

  it("does not wait for what waits when it stops", async () => {
    const begun = new Promise<void>((resolve) => (waiting = resolve));
    const channel = connectRpc(`127.0.0.1:${server.port}`, { token: async () => "good", attempts: 1 });
    const waited = channel
      .client(OperationsServiceDefinition)
      .waitOperation(rootCtx({ requestId: "r" }), { name: "o" })
      .then(
        () => assert.fail("it had nothing to answer"),
        (error: unknown) => error,
      );
    await begun;
    const started = performance.now();
    await server.drain(60_000);
    assert.ok(performance.now() - started < 30_000);
    assert.equal(((await waited) as { reason: string }).reason, "GOING_AWAY");
    await channel.close();
  });
});
