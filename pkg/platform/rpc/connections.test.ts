import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream, SessionOptions } from "node:http2";
import { connect as connectTcp, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import {
  GetKeyPairResponse,
  KeyPairsServiceDefinition,
} from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import {
  EventsServiceDefinition,
  OperationsServiceDefinition,
  WaitOperationResponse,
  WatchEventsResponse,
} from "../../../gen/kilonova/api/v1/operations_service.js";
import { CommonErrors, anonymous, silentLogger } from "../../kernel/index.js";
import { until } from "../../testkit/until.js";
import { Metrics, noTracer } from "../telemetry/index.js";
import { bindPart, bindService } from "./bind.js";
import { startRpcServer } from "./index.js";
import type { RpcServer, RpcServerOptions } from "./index.js";

const GET = "/kilonova.api.v1.KeyPairsService/GetKeyPair";
const WAIT = "/kilonova.api.v1.OperationsService/WaitOperation";
const WATCH = "/kilonova.api.v1.EventsService/WatchEvents";
/** A message without fields. */
const EMPTY = Buffer.alloc(5);

/** Handlers that run. */
let running = 0;
const bindings = [
  bindPart(KeyPairsServiceDefinition, {
    getKeyPair: async () => GetKeyPairResponse.fromPartial({ keyPair: { publicKey: "k".repeat(200_000) } }),
  }),
  bindPart(OperationsServiceDefinition, {
    waitOperation: async ({ signal }) => {
      running++;
      if (!signal.aborted) await once(signal, "abort");
      running--;
      return WaitOperationResponse.fromPartial({});
    },
  }),
  bindService(EventsServiceDefinition, {
    watchEvents: async function* () {
      running++;
      try {
        for (;;) yield WatchEventsResponse.fromPartial({ resumeToken: "x".repeat(10_000) });
      } finally {
        running--;
      }
    },
  }),
];

describe("the connections of a public port", () => {
  let server: RpcServer;
  let token: AbortController;
  /** Calls that were let in and have not left. */
  let within = 0;
  /** Projects of the calls that came to the door. */
  const callers: string[] = [];
  let onCaller = (): void => {};
  const sessions: ClientHttp2Session[] = [];
  const relays: Server[] = [];

  const start = async (
    limits: NonNullable<RpcServerOptions["limits"]>,
    more: Partial<RpcServerOptions> = {},
  ): Promise<void> => {
    server = await startRpcServer({
      ...{ log: silentLogger, tracer: noTracer, metrics: new Metrics() },
      ...{ address: "127.0.0.1:0", bindings, limits },
      authenticate: async (_ctx, projectId) => {
        if (callers.push(projectId) === 1) onCaller();
        return { actor: { ...anonymous, kind: "user", userId: "u", projectId }, ended: token.signal };
      },
      admit: () => {
        within++;
        return () => void within--;
      },
      ...more,
    });
  };
  const connect = (options: SessionOptions = {}, port = server.port): ClientHttp2Session => {
    const session = connectHttp2(`http://127.0.0.1:${port}`, options).on("error", () => {});
    sessions.push(session);
    return session;
  };
  const call = (session: ClientHttp2Session, path: string, project = "p"): ClientHttp2Stream => {
    const headers = { "content-type": "application/grpc", te: "trailers", "x-auth-token": project };
    const stream = session.request({ ":method": "POST", ":path": path, ...headers });
    stream.on("error", () => {});
    stream.end(EMPTY);
    return stream;
  };
  /** A connection on which a call came and went. */
  const known = async (project = "p", options: SessionOptions = {}): Promise<ClientHttp2Session> => {
    const session = connect(options);
    await once(call(session, GET, project).resume(), "close");
    return session;
  };
  /** What stands between a client and the port; `freeze` makes it forget both, as a dead network does. */
  const relay = async (): Promise<{ port: number; towards: Socket[]; freeze(): void }> => {
    const towards: Socket[] = [];
    const from: Socket[] = [];
    const listening = createServer({ allowHalfOpen: true }, (client) => {
      const upstream = connectTcp({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
      for (const socket of [client, upstream]) socket.on("error", () => {});
      from.push(client);
      towards.push(upstream);
      client.on("data", (bytes) => upstream.write(bytes));
      upstream.on("data", (bytes) => client.write(bytes));
    }).listen(0, "127.0.0.1");
    relays.push(listening);
    await once(listening, "listening");
    return {
      port: (listening.address() as AddressInfo).port,
      towards,
      freeze: () => {
        for (const socket of [...from, ...towards]) socket.pause();
      },
    };
  };

  beforeEach(() => {
    token = new AbortController();
    within = running = 0;
  });
  afterEach(async () => {
    for (const session of sessions.splice(0)) session.destroy();
    for (const listening of relays.splice(0)) listening.close();
    await server.close();
  });

  it("are not held by a reader that is silent: the idlest goes, and never one with an open call", async () => {
    await start({ maxConnections: 3 });
    const watching = await known();
    const watch = call(watching, WAIT);
    await until(() => running === 1);
    const [idle, later] = [await known(), await known()];
    const another = await known("q");
    await until(() => idle.destroyed, { what: "the idlest to go" });
    assert.deepEqual([watching.destroyed, later.destroyed, another.destroyed], [false, false, false]);
    assert.equal(watch.closed, false);
  });

  it("are few of each project", async () => {
    await start({ maxConnectionsPerProject: 2 });
    const other = await known("q");
    const held = [await known(), await known(), await known()];
    await until(() => held[0]?.destroyed === true, { what: "the idlest to go" });
    assert.deepEqual([held[1]?.destroyed, held[2]?.destroyed, other.destroyed], [false, false, false]);
  });

  it("without a call are asked to go after a while; an open call keeps them", async () => {
    await start({ idleMs: 200 });
    const watching = await known();
    const watch = call(watching, WAIT);
    await until(() => running === 1);
    const idle = await known();
    const [code] = (await once(idle, "goaway")) as [number];
    assert.equal(code, 0);
    if (!idle.destroyed) await once(idle, "close");
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.deepEqual([watching.destroyed, watch.closed], [false, false]);
  });

  it("without a call are asked to go also when theirs was refused at the door", async () => {
    const admit = (): never => {
      throw CommonErrors.UNAVAILABLE({ what: "The door" });
    };
    await start({ idleMs: 200 }, { admit });
    const [code] = (await once(await known(), "goaway")) as [number];
    assert.equal(code, 0);
  });

  it("are cut when they do not go", async () => {
    await start({ idleMs: 200 });
    const { port, towards } = await relay();
    const session = connect({}, port);
    await once(call(session, GET).resume(), "close");
    const [upstream] = towards;
    assert.ok(upstream);
    const isCut = (): boolean => {
      upstream.write("x"); // reset by whoever has closed the connection, not only his half of it
      return upstream.closed;
    };
    await until(isCut, { what: "the connection to be cut" });
  });

  it("whose client is gone without a word are noticed, with what they held", async () => {
    await start({ pingMs: 200 });
    const { port, freeze } = await relay();
    call(connect({}, port), WAIT);
    await until(() => running === 1);
    freeze();
    await until(() => running === 0 && within === 0, { what: "the call to end" });
  });

  it("begin their calls by turns: a thousand at once on one are no wait for another", async function () {
    this.timeout(70_000);
    await start({});
    const [flooding, other] = [await known("flood"), await known("other")];
    callers.length = 0;
    // The other one calls when the first of the thousand is at the door.
    const called = new Promise<ClientHttp2Stream>((resolve) => {
      onCaller = () => resolve(call(other, GET, "other").resume());
    });
    const flood = Array.from({ length: 1_000 }, () => call(flooding, GET, "flood").resume());
    await once(await called, "close");
    const before = callers.indexOf("other");
    assert.ok(before >= 0 && before < 300, `${before} came before`);
    await until(() => flood.every(({ closed }) => closed), { timeoutMs: 60_000, what: "all to be answered" });
    assert.equal(callers.length, 1_001);
  });

  it("keep their turn while an answer is not taken", async () => {
    await start({});
    const session = connect({ settings: { initialWindowSize: 0 } });
    const stream = call(session, GET);
    await once(stream, "response");
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(within, 1);
    session.settings({ initialWindowSize: 1 << 20 });
    await once(stream.resume(), "close");
    await until(() => within === 0, { what: "the turn to be given back" });
  });

  it("end the call of a reader who takes nothing soon after his token has ended", async () => {
    await start({});
    const stream = call(connect(), WATCH);
    await once(stream, "response");
    await until(() => running === 1);
    token.abort();
    const beganMs = performance.now();
    if (!stream.closed) await once(stream, "close");
    assert.ok(performance.now() - beganMs < 30_000);
    await until(() => running === 0 && within === 0);
  });
});
