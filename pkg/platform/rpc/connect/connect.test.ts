import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { request as httpRequest } from "node:http";
import { connect as connectHttp2, constants } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { request as httpsRequest } from "node:https";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DescService, Message } from "@bufbuild/protobuf";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Client, Metadata, credentials } from "@grpc/grpc-js";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import {
  GetKeyPairRequest,
  GetKeyPairResponse,
  KeyPairsServiceDefinition,
} from "../../../../gen/kilonova/api/v1/key_pairs_service.js";
import {
  EventsServiceDefinition,
  OperationsServiceDefinition,
  WaitOperationResponse,
  WatchEventsResponse,
} from "../../../../gen/kilonova/api/v1/operations_service.js";
import type { Ctx } from "../../../kernel/index.js";
import { CommonErrors, anonymous, defineErrors, rootCtx, silentLogger } from "../../../kernel/index.js";
import { Sharing, sharingConfig } from "../../sharing/index.js";
import { Metrics, noTracer } from "../../telemetry/index.js";
import { bindPart } from "../bind.js";
import { connectRpc, startRpcServer } from "../index.js";
import type { MethodBinding, RpcServer, RpcServerOptions, ServiceBinding } from "../index.js";

const Errors = defineErrors("test", {
  BAD_TOKEN: ["unauthenticated", (_p: Record<string, never>) => "bad token"],
  NO_SUCH_KEY: ["missing", (p: { name: string }) => `no key ${p.name}`],
});
const user = { ...anonymous, kind: "user" as const, userId: "u1", projectId: "p1" };
const MIB = 1 << 20;
const GET = "kilonova.api.v1.KeyPairsService/GetKeyPair";
const WAIT = "kilonova.api.v1.OperationsService/WaitOperation";
const WATCH = "kilonova.api.v1.EventsService/WatchEvents";

const descriptors = await readFile(
  fileURLToPath(new URL("../../../../gen/descriptors.binpb", import.meta.url)),
);

/** What the handlers have seen. */
const seen = { decoded: 0, sent: 0, streamsOpen: 0, ended: [] as unknown[] };
let waiting = (): void => {};
let watched: (ctx: Ctx) => AsyncIterable<WatchEventsResponse> = async function* () {};

const counting = (binding: ServiceBinding): ServiceBinding => ({
  ...binding,
  methods: binding.methods.map((method): MethodBinding => ({
    ...method,
    decodeRequest: (bytes) => {
      seen.decoded++;
      return method.decodeRequest(bytes);
    },
  })),
});
const bindings = [
  bindPart(KeyPairsServiceDefinition, {
    getKeyPair: async (ctx, { name }) => {
      if (name === "missing") throw Errors.NO_SUCH_KEY({ name });
      return GetKeyPairResponse.fromPartial({
        keyPair: { name, userId: ctx.actor.userId, publicKey: ctx.globalRequestId },
      });
    },
  }),
  bindPart(OperationsServiceDefinition, {
    waitOperation: async (ctx) => {
      ctx.signal.addEventListener("abort", () => seen.ended.push(ctx.signal.reason));
      waiting();
      await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
      return WaitOperationResponse.fromPartial({});
    },
  }),
  bindPart(EventsServiceDefinition, {
    watchEvents: async function* (ctx) {
      seen.streamsOpen++;
      try {
        yield* watched(ctx);
      } finally {
        seen.streamsOpen--;
      }
    },
  }),
].map(counting);

let token = new AbortController();
const start = (patch: Partial<RpcServerOptions> = {}): Promise<RpcServer> =>
  startRpcServer({
    ...{ log: silentLogger, tracer: noTracer, metrics: new Metrics() },
    address: "127.0.0.1:0",
    bindings,
    descriptors,
    authenticate: async (_ctx, text) => {
      if (text !== "good") throw Errors.BAD_TOKEN({});
      return { actor: user, ended: token.signal };
    },
    ...patch,
  });

const event = (resumeToken: string): WatchEventsResponse => WatchEventsResponse.fromPartial({ resumeToken });
const forever = (ctx: Ctx): Promise<void> =>
  new Promise((resolve) => ctx.signal.addEventListener("abort", () => resolve()));

/** A message of a stream as it travels. */
function envelope(data: string | Uint8Array, flags = 0): Buffer {
  const body = Buffer.from(data);
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** The messages of a whole stream in JSON. */
function parts(bytes: Buffer): { flags: number; json: { resumeToken?: string; error?: Failure } }[] {
  const found = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32BE(at + 1);
    found.push({ flags: bytes[at] ?? 0, json: JSON.parse(bytes.toString("utf8", at + 5, at + 5 + length)) });
    at += 5 + length;
  }
  return found;
}

async function until(what: () => boolean): Promise<void> {
  for (const end = Date.now() + 10_000; !what();) {
    assert.ok(Date.now() < end, "it did not happen");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly details: readonly { type: string; value: string; debug: Record<string, unknown> }[];
}
const reasonOf = (failure: Failure | undefined): unknown =>
  failure?.details.find(({ type }) => type === "google.rpc.ErrorInfo")?.debug["reason"];

describe("Connect on a public port", () => {
  let server: RpcServer;
  const url = (path: string): string => `http://127.0.0.1:${server.port}/${path}`;
  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(url(path), {
      method: "POST",
      headers: { "content-type": "application/json", "x-auth-token": "good", ...headers },
      body: body instanceof Uint8Array || typeof body === "string" ? body : JSON.stringify(body),
    });
  const failureOf = async (answer: Response): Promise<[number, string, unknown]> => {
    const failure = (await answer.json()) as Failure;
    return [answer.status, failure.code, reasonOf(failure)];
  };

  beforeEach(async () => {
    token = new AbortController();
    Object.assign(seen, { decoded: 0, sent: 0, streamsOpen: 0, ended: [] });
    server = await start();
  });
  afterEach(() => server.close());

  describe("unary calls", () => {
    it("come and go as JSON, under a request id", async () => {
      const id = "req-11111111-2222-4333-8444-555555555555";
      const answer = await post(GET, { name: "k" }, { "x-global-request-id": id });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("content-type"), "application/json");
      assert.match(answer.headers.get("x-request-id") ?? "", /^req-[0-9a-f-]{36}$/);
      assert.equal(answer.headers.get("cache-control"), "no-store");
      assert.deepEqual(await answer.json(), { keyPair: { name: "k", userId: "u1", publicKey: id } });
    });

    it("come and go as protobuf", async () => {
      const request = GetKeyPairRequest.encode(GetKeyPairRequest.fromPartial({ name: "k" })).finish();
      const answer = await post(GET, request, { "content-type": "application/proto" });
      assert.equal(answer.headers.get("content-type"), "application/proto");
      const { keyPair } = GetKeyPairResponse.decode(new Uint8Array(await answer.arrayBuffer()));
      assert.equal(keyPair?.name, "k");
    });

    it("take the token as a bearer token too", async () => {
      const answer = await fetch(url(GET), {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer good" },
        body: "{}",
      });
      assert.equal(answer.status, 200);
    });

    it("that only read are answered by GET, in both formats; others are not", async () => {
      const headers = { "x-auth-token": "good" };
      const json = await fetch(
        url(`${GET}?connect=v1&encoding=json&message=${encodeURIComponent('{"name":"a b"}')}`),
        { headers },
      );
      assert.equal(((await json.json()) as { keyPair: { name: string } }).keyPair.name, "a b");
      const bytes = GetKeyPairRequest.encode(GetKeyPairRequest.fromPartial({ name: "k" })).finish();
      const message = Buffer.from(bytes).toString("base64url");
      const proto = await fetch(url(`${GET}?encoding=proto&base64=1&message=${message}`), { headers });
      assert.equal(GetKeyPairResponse.decode(new Uint8Array(await proto.arrayBuffer())).keyPair?.name, "k");
      assert.equal((await fetch(url(`${WAIT}?encoding=json&message={}`), { headers })).status, 405);
      const bad = await fetch(url(`${GET}?encoding=json&message={"name":1}`), { headers });
      assert.deepEqual(await failureOf(bad), [400, "invalid_argument", "REQUEST_MALFORMED"]);
      for (const query of ["encoding=json&base64=1&message=%21%21", "encoding=proto&base64=1&message=e"]) {
        const unread = await fetch(url(`${GET}?connect=v1&${query}`), { headers });
        assert.deepEqual(await failureOf(unread), [400, "invalid_argument", "REQUEST_MALFORMED"], query);
      }
      const misspelt = await fetch(url(`${GET}?encoding=json&message={"nmae":"k"}`), { headers });
      assert.deepEqual(await failureOf(misspelt), [400, "invalid_argument", "REQUEST_MALFORMED"]);
      const stranger = await fetch(url(`${GET}?encoding=json&message={}`));
      assert.deepEqual(await failureOf(stranger), [401, "unauthenticated", "BAD_TOKEN"]);
      const unread = await fetch(url(`${GET}?encoding=json&base64=1&message=%21%21`));
      assert.deepEqual(await failureOf(unread), [401, "unauthenticated", "BAD_TOKEN"]);
    });

    it("end at their timeout, in the handler too", async () => {
      const answer = await post(WAIT, {}, { "connect-timeout-ms": "100" });
      assert.deepEqual(await failureOf(answer), [504, "deadline_exceeded", "DEADLINE_EXCEEDED"]);
      await until(() => seen.ended.length === 1);
    });

    it("end in the handler when the client hangs up", async () => {
      const begun = new Promise<void>((resolve) => (waiting = resolve));
      const client = new AbortController();
      const call = fetch(url(WAIT), {
        method: "POST",
        headers: { "content-type": "application/json", "x-auth-token": "good" },
        body: "{}",
        signal: client.signal,
      }).catch(() => {});
      await begun;
      client.abort();
      await call;
      await until(() => seen.ended.length === 1);
    });
  });

  describe("refusals", () => {
    it("have code, text and details, in words too", async () => {
      const answer = await post(GET, { name: "missing" });
      const failure = (await answer.json()) as Failure;
      assert.equal(answer.status, 404);
      assert.equal(failure.code, "not_found");
      assert.equal(failure.message, "no key missing");
      assert.deepEqual(failure.details[0]?.debug, {
        reason: "NO_SUCH_KEY",
        domain: "test.kilonova",
        metadata: { name: "missing" },
      });
      assert.match(answer.headers.get("x-request-id") ?? "", /^req-/);
    });

    for (const [what, body, headers, expected] of [
      ["JSON that is none", "{", {}, [400, "invalid_argument", "REQUEST_MALFORMED"]],
      ["a value of the wrong type", '{"name":1}', {}, [400, "invalid_argument", "REQUEST_MALFORMED"]],
      ["half a character", '{"name":"\\ud800"}', {}, [400, "invalid_argument", "REQUEST_MALFORMED"]],
      [
        "protobuf that is none",
        Buffer.from([0xff, 0xff]),
        { "content-type": "application/proto" },
        [400, "invalid_argument", "REQUEST_MALFORMED"],
      ],
      ["a compressed request", "{}", { "content-encoding": "gzip" }, [501, "unimplemented", "COMPRESSED"]],
      [
        "a timeout that is none",
        "{}",
        { "connect-timeout-ms": "soon" },
        [400, "invalid_argument", "REQUEST_MALFORMED"],
      ],
      ["a bad token", "{}", { "x-auth-token": "bad" }, [401, "unauthenticated", "BAD_TOKEN"]],
      [
        "too much",
        JSON.stringify({ name: "n".repeat(65_536) }),
        {},
        [429, "resource_exhausted", "REQUEST_TOO_LARGE"],
      ],
    ] as const)
      it(`answer ${what}`, async () => {
        assert.deepEqual(await failureOf(await post(GET, body, headers)), expected);
      });

    it("answer unknown methods and content types", async () => {
      assert.deepEqual((await failureOf(await post("x.Y/Z", {}))).slice(0, 2), [404, "unimplemented"]);
      assert.equal((await post(GET, "x", { "content-type": "text/plain" })).status, 415);
      assert.equal((await post(GET, "", { "content-type": "application/connect+json" })).status, 415);
    });

    it("come before a body whose length is not announced is read to its end", async () => {
      const request = httpRequest(url(GET), {
        method: "POST",
        headers: { "content-type": "application/json", "x-auth-token": "good" },
      }).on("error", () => {});
      for (let i = 0; i < 3; i++) request.write("x".repeat(40_000));
      const [answer] = (await once(request, "response")) as [IncomingMessage];
      assert.equal(answer.statusCode, 429);
      assert.equal(answer.headers.connection, "close");
      request.destroy();
    });

    it("come by turns, with the time to come again", async () => {
      const sharing = new Sharing({ ...sharingConfig.parse({}), concurrency: 1, queueLength: 0 });
      const gate = sharing.gate();
      const shared = await start({ admit: sharing.atDoor(gate) });
      const held = await gate.enter(user, new AbortController().signal);
      const ask = (): Promise<Response> =>
        fetch(`http://127.0.0.1:${shared.port}/${GET}`, {
          method: "POST",
          headers: { "content-type": "application/json", "x-auth-token": "good" },
          body: "{}",
        });
      const answer = await ask();
      assert.equal(answer.headers.get("retry-after"), "1");
      assert.deepEqual(await failureOf(answer), [429, "resource_exhausted", "TOO_MANY_REQUESTS"]);
      assert.equal(seen.decoded, 0);
      held();
      assert.equal((await ask()).status, 200);
      assert.equal((await ask()).status, 200);
      await shared.close();
    });
  });

  describe("streams", () => {
    const watch = (headers: Record<string, string> = {}, body: Uint8Array = envelope("{}")) =>
      post(WATCH, body, { "content-type": "application/connect+json", ...headers });

    it("are messages, and an end", async () => {
      watched = async function* () {
        yield event("1");
        yield event("2");
      };
      const answer = await watch();
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("content-type"), "application/connect+json");
      assert.deepEqual(parts(Buffer.from(await answer.arrayBuffer())), [
        { flags: 0, json: { resumeToken: "1" } },
        { flags: 0, json: { resumeToken: "2" } },
        { flags: 2, json: {} },
      ]);
    });

    it("tell why they fail, with their last words", async () => {
      watched = async function* () {
        yield event("1");
        throw CommonErrors.UNAVAILABLE({ what: "cell1" });
      };
      const [first, last] = parts(Buffer.from(await (await watch()).arrayBuffer()));
      assert.equal(first?.json.resumeToken, "1");
      assert.equal(last?.flags, 2);
      assert.deepEqual([last?.json.error?.code, reasonOf(last?.json.error)], ["unavailable", "UNAVAILABLE"]);
    });

    for (const [what, headers, body, code, reason] of [
      ["a bad token", { "x-auth-token": "bad" }, envelope("{}"), "unauthenticated", "BAD_TOKEN"],
      ["JSON that is none", {}, envelope("{"), "invalid_argument", "REQUEST_MALFORMED"],
      ["no message", {}, Buffer.alloc(0), "invalid_argument", "REQUEST_MALFORMED"],
      [
        "two messages",
        {},
        Buffer.concat([envelope("{}"), envelope("{}")]),
        "invalid_argument",
        "REQUEST_MALFORMED",
      ],
      [
        "a message that says it is compressed",
        {},
        envelope("{}", 1),
        "invalid_argument",
        "REQUEST_MALFORMED",
      ],
      [
        "a compressed stream",
        { "connect-content-encoding": "gzip" },
        envelope("{}"),
        "unimplemented",
        "COMPRESSED",
      ],
      [
        "too much",
        {},
        envelope(`{"resumeToken":"${"x".repeat(200_000)}"}`),
        "resource_exhausted",
        "REQUEST_TOO_LARGE",
      ],
    ] as const)
      it(`refuse ${what}`, async () => {
        const answer = await watch(headers, body);
        assert.equal(answer.status, 200);
        const [{ flags, json } = { flags: 0, json: {} }] = parts(Buffer.from(await answer.arrayBuffer()));
        assert.deepEqual([flags, json.error?.code, reasonOf(json.error)], [2, code, reason]);
      });

    it("end when the token does, and say so", async () => {
      watched = async function* (ctx) {
        yield event("1");
        await forever(ctx);
      };
      const answer = await watch();
      await until(() => seen.streamsOpen === 1);
      token.abort(CommonErrors.TOKEN_ENDED({}));
      const last = parts(Buffer.from(await answer.arrayBuffer())).at(-1);
      assert.deepEqual([last?.flags, last?.json.error?.code], [2, "unauthenticated"]);
      await until(() => seen.streamsOpen === 0);
    });

    it("end in the handler when the client hangs up, silent ones too", async () => {
      watched = async function* (ctx) {
        yield event("1");
        await forever(ctx);
      };
      const client = new AbortController();
      const answer = await fetch(url(WATCH), {
        method: "POST",
        headers: { "content-type": "application/connect+json", "x-auth-token": "good" },
        body: envelope("{}"),
        signal: client.signal,
      });
      await answer.body?.getReader().read();
      assert.equal(seen.streamsOpen, 1);
      client.abort();
      await until(() => seen.streamsOpen === 0);
    });

    it("wait for a reader who takes nothing", async () => {
      watched = async function* () {
        for (;;) {
          seen.sent++;
          yield event("x".repeat(10_000));
        }
      };
      const socket = connectTcp(server.port, "127.0.0.1").on("error", () => {});
      socket.pause();
      socket.write(
        `POST /${WATCH} HTTP/1.1\r\nhost: x\r\nx-auth-token: good\r\n` +
          `content-type: application/connect+json\r\ncontent-length: 7\r\n\r\n`,
      );
      socket.write(envelope("{}"));
      let last = -1;
      // What kernels keep between the two is some megabytes.
      await until(() => seen.sent > 0);
      for (let same = 0; same < 20; same = last === seen.sent ? same + 1 : 0) {
        last = seen.sent;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.ok(seen.sent < 2_000, `${seen.sent} messages of 10 kB were made for nobody`);
      token.abort(CommonErrors.TOKEN_ENDED({}));
      await until(() => seen.streamsOpen === 0);
      socket.destroy();
    });
  });

  describe("the door", () => {
    it("keeps and decodes nothing of what strangers send", async () => {
      const memory = (): number => process.memoryUsage().arrayBuffers;
      const before = memory();
      let most = before;
      const socket = connectTcp(server.port, "127.0.0.1").on("error", () => {});
      let answer = "";
      socket.on("data", (data: Buffer) => (answer += data.toString()));
      socket.write(
        `POST /${GET} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
      );
      const chunk = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(65_536, 32), Buffer.from("\r\n")]);
      for (let sent = 0; sent < 64 * MIB && !socket.destroyed; sent += chunk.length) {
        most = Math.max(most, memory());
        await new Promise<void>((resolve) => socket.write(chunk, () => resolve()));
      }
      assert.ok(socket.destroyed, "it was not cut");
      assert.match(answer, /^HTTP\/1\.1 401 /);
      assert.equal(seen.decoded, 0);
      assert.ok(most - before < 32 * MIB, `${Math.round((most - before) / MIB)} MiB`);
    });

    it("cuts a connection of HTTP/1.1 on which thousands of requests come at once", async () => {
      const socket = connectTcp(server.port, "127.0.0.1").on("error", () => {});
      const body = '{"name":"k"}';
      const head = `POST /${GET} HTTP/1.1\r\nhost: x\r\nx-auth-token: good\r\ncontent-type: application/json`;
      socket.write(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`.repeat(1_000));
      await new Promise((resolve) => socket.resume().once("close", resolve));
      assert.ok(seen.decoded <= 16, `${seen.decoded} were begun`);
    });

    it("takes a turn back when the answer has left, not when it is made", async () => {
      let within = 0;
      const turns = await start({
        admit: () => {
          within++;
          return () => void within--;
        },
      });
      const settings = { initialWindowSize: 0 };
      const session = connectHttp2(`http://127.0.0.1:${turns.port}`, { settings }).on("error", () => {});
      const unread = session.request({
        ...{ ":method": "POST", ":path": `/${GET}`, "content-type": "application/json" },
        "x-auth-token": "good",
      });
      unread.end('{"name":"k"}');
      await once(unread, "response");
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(within, 1);
      session.settings({ initialWindowSize: 65_536 });
      await once(unread.resume(), "close");
      await until(() => within === 0);
      session.destroy();
      await turns.close();
    });

    it("asks for a body only when the caller is let in", async () => {
      const ask = (good: string): Promise<string> =>
        new Promise((resolve) => {
          const socket = connectTcp(server.port, "127.0.0.1").on("error", () => {});
          socket.once("data", (data: Buffer) => {
            resolve(data.toString().slice(0, 12));
            socket.destroy();
          });
          socket.write(
            `POST /${GET} HTTP/1.1\r\nhost: x\r\nx-auth-token: ${good}\r\nexpect: 100-continue\r\n` +
              `content-type: application/json\r\ncontent-length: 2\r\n\r\n`,
          );
        });
      assert.equal(await ask("bad"), "HTTP/1.1 401");
      assert.equal(await ask("good"), "HTTP/1.1 100");
    });

    it("lets pages of the origins call that are allowed, and no others", async () => {
      const ours = await start({ corsOrigins: ["https://desk.example"] });
      const preflight = (origin: string): Promise<Response> =>
        fetch(`http://127.0.0.1:${ours.port}/${GET}`, {
          method: "OPTIONS",
          headers: { origin, "access-control-request-method": "POST" },
        });
      const yes = await preflight("https://desk.example");
      assert.equal(yes.status, 204);
      assert.equal(yes.headers.get("access-control-allow-origin"), "https://desk.example");
      for (const name of ["Content-Type", "Connect-Protocol-Version", "Connect-Timeout-Ms", "x-auth-token"])
        assert.ok(yes.headers.get("access-control-allow-headers")?.includes(name), name);
      const no = await preflight("https://evil.example");
      assert.equal(no.headers.get("access-control-allow-origin"), null);
      const call = await fetch(`http://127.0.0.1:${ours.port}/${GET}`, {
        method: "POST",
        headers: { origin: "https://desk.example", "content-type": "application/json" },
        body: "{}",
      });
      assert.equal(call.status, 401);
      assert.equal(call.headers.get("access-control-allow-origin"), "https://desk.example");
      assert.match(call.headers.get("access-control-expose-headers") ?? "", /x-request-id/);
      await ours.close();
    });
  });

  describe("its port", () => {
    it("carries gRPC and Connect on one connection of HTTP/2, and keeps strangers' bodies out of it", async () => {
      const session = connectHttp2(`http://127.0.0.1:${server.port}`).on("error", () => {});
      const json = await ask(session, "application/json", Buffer.from('{"name":"k"}'));
      assert.equal(JSON.parse(json.toString()).keyPair.name, "k");
      const request = GetKeyPairRequest.encode(GetKeyPairRequest.fromPartial({ name: "g" })).finish();
      const grpc = await ask(session, "application/grpc", envelope(request));
      assert.equal(GetKeyPairResponse.decode(grpc.subarray(5)).keyPair?.name, "g");
      session.close();
      const stranger = connectHttp2(`http://127.0.0.1:${server.port}`).on("error", () => {});
      seen.decoded = 0;
      const stream = stranger.request({
        ":method": "POST",
        ":path": `/${GET}`,
        "content-type": "application/json",
      });
      stream.on("error", () => {}).resume();
      let status = 0;
      stream.on("response", (headers) => (status = headers[":status"] ?? 0));
      for (let sent = 0; sent < 16 * MIB && !stream.closed; sent += 65_536)
        await new Promise<void>((resolve) => stream.write(Buffer.alloc(65_536, 32), () => resolve()));
      assert.equal(status, 401);
      assert.equal(seen.decoded, 0);
      stranger.destroy();
    });

    it("ends in the handler what a client leaves on a connection that it keeps", async () => {
      const session = connectHttp2(`http://127.0.0.1:${server.port}`);
      watched = async function* (ctx) {
        yield event("1");
        await forever(ctx);
      };
      const stream = session.request({
        ":method": "POST",
        ":path": `/${WATCH}`,
        "content-type": "application/connect+json",
        "x-auth-token": "good",
      });
      stream.end(envelope("{}"));
      stream.on("error", () => {});
      await once(stream, "data");
      assert.equal(seen.streamsOpen, 1);
      stream.close(constants.NGHTTP2_CANCEL);
      await until(() => seen.streamsOpen === 0);
      const json = await ask(session, "application/json", Buffer.from('{"name":"k"}'));
      assert.equal(JSON.parse(json.toString()).keyPair.name, "k");
      session.close();
    });

    it("speaks both over TLS, whichever version of HTTP a client chooses", async () => {
      const dir = mkdtempSync(join(tmpdir(), "kilonova-tls-"));
      const [key, crt] = [join(dir, "key"), join(dir, "crt")];
      execFileSync(
        "openssl",
        [
          ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(" "),
          ..."-subj /CN=localhost -addext subjectAltName=DNS:localhost".split(" "),
          ...["-keyout", key, "-out", crt],
        ],
        { stdio: "ignore" },
      );
      const cert = readFileSync(crt);
      const secure = await start({ tls: { cert, key: readFileSync(key) } });
      rmSync(dir, { recursive: true });
      const address = `localhost:${secure.port}`;
      const session = connectHttp2(`https://${address}`, { ca: cert });
      const json = await ask(session, "application/json", Buffer.from('{"name":"k"}'));
      assert.equal(JSON.parse(json.toString()).keyPair.name, "k");
      session.close();
      const request = httpsRequest(`https://${address}/${GET}`, {
        method: "POST",
        ca: cert,
        headers: { "content-type": "application/json", "x-auth-token": "good" },
      }).end("{}");
      const [answer] = (await once(request, "response")) as [IncomingMessage];
      assert.deepEqual([answer.statusCode, answer.httpVersion], [200, "1.1"]);
      request.destroy();
      const same = (bytes: Buffer): Buffer => bytes;
      const client = new Client(address, credentials.createSsl(cert));
      const metadata = new Metadata();
      metadata.set("x-auth-token", "good");
      await new Promise<void>((resolve, reject) =>
        client.makeUnaryRequest(`/${GET}`, same, same, Buffer.alloc(0), metadata, (error) =>
          error ? reject(error) : resolve(),
        ),
      );
      client.close();
      await secure.close();
    });

    it("lets calls end when it stops, ends those that wait, and takes no new ones", async () => {
      const begun = new Promise<void>((resolve) => (waiting = resolve));
      const call = post(WAIT, {});
      await begun;
      const started = performance.now();
      const stopped = server.drain(60_000);
      assert.deepEqual(await failureOf(await call), [503, "unavailable", "GOING_AWAY"]);
      await stopped;
      assert.ok(performance.now() - started < 30_000);
      await assert.rejects(post(GET, {}));
    });
  });

  describe("the protocol's own client", () => {
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
    const service = (name: string): DescService => {
      const found = registry.getService(`kilonova.api.v1.${name}`);
      assert.ok(found);
      return found;
    };
    type AnyClient = Record<string, (request: object) => Promise<Message & { keyPair: { name: string } }>>;
    const client = (name: string, useBinaryFormat: boolean, useHttpGet = false): AnyClient =>
      createClient(
        service(name),
        createConnectTransport({
          baseUrl: `http://127.0.0.1:${server.port}`,
          useBinaryFormat,
          useHttpGet,
          interceptors: [
            (next) => (request) => {
              request.header.set("x-auth-token", "good");
              return next(request);
            },
          ],
        }),
      ) as unknown as AnyClient;

    for (const binary of [false, true])
      it(`calls, reads streams and understands refusals, in ${binary ? "protobuf" : "JSON"}`, async () => {
        const keys = client("KeyPairsService", binary);
        assert.equal((await keys["getKeyPair"]?.({ name: "k" }))?.keyPair.name, "k");
        const got = await client("KeyPairsService", binary, true)["getKeyPair"]?.({ name: "g" });
        assert.equal(got?.keyPair.name, "g");
        const refused = await keys["getKeyPair"]?.({ name: "missing" }).catch((error: unknown) => error);
        assert.ok(refused instanceof ConnectError);
        assert.equal(refused.code, Code.NotFound);
        const info = registry.getMessage("google.rpc.ErrorInfo");
        assert.ok(info);
        const [detail] = refused.findDetails(info) as unknown as { reason: string }[];
        assert.equal(detail?.reason, "NO_SUCH_KEY");
        watched = async function* () {
          yield event("1");
          yield event("2");
        };
        const tokens: string[] = [];
        const events = client("EventsService", binary)["watchEvents"]?.({}) as unknown as AsyncIterable<{
          resumeToken: string;
        }>;
        for await (const { resumeToken } of events) tokens.push(resumeToken);
        assert.deepEqual(tokens, ["1", "2"]);
      });
  });

  it("does not disturb gRPC", async () => {
    const channel = connectRpc(`127.0.0.1:${server.port}`, { token: async () => "good" });
    const { keyPair } = await channel
      .client(KeyPairsServiceDefinition)
      .getKeyPair(rootCtx({ requestId: "r" }), { name: "k" });
    assert.equal(keyPair?.name, "k");
    await channel.close();
  });
});

/** One call of GetKeyPair on a connection. @returns the answer's bytes */
async function ask(session: ClientHttp2Session, type: string, body: Buffer): Promise<Buffer> {
  const stream = session.request({
    ":method": "POST",
    ":path": `/${GET}`,
    "content-type": type,
    "x-auth-token": "good",
    te: "trailers",
  });
  stream.end(body);
  const read: Buffer[] = [];
  for await (const part of stream) read.push(part as Buffer);
  return Buffer.concat(read);
}
