import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request } from "node:http";
import type { IncomingMessage } from "node:http";
import { InMemorySpanExporter } from "@opentelemetry/sdk-trace-base";
import type { Actor, Authenticated } from "../../kernel/index.js";
import { anonymous, defineErrors, silentLogger } from "../../kernel/index.js";
import { Sharing, sharingConfig } from "../sharing/index.js";
import { createTracer } from "../telemetry/index.js";
import { ctxOf, failureHandler, httpApp, listen, setCaller } from "./index.js";
import type { HttpEnv, HttpServer } from "./index.js";

const Errors = defineErrors("test", {
  NO_TOKEN: ["unauthenticated", (_p: Record<string, never>) => "who are you?"],
  REVOKED: ["unauthenticated", (_p: Record<string, never>) => "the token was revoked"],
});
const userOf = (name: string): Actor => ({ ...anonymous, kind: "user", userId: name, projectId: name });
const ids = { uuid: () => "00000000-0000-4000-8000-000000000000" };

describe("http: whoever calls", () => {
  let server: HttpServer | undefined;
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  /** What waits in `/wait`, and what ended it. */
  let waiting: ((answer?: string) => void)[] = [];
  let ends: unknown[] = [];

  const start = async (
    env: Partial<HttpEnv>,
    known: (token: string) => Authenticated = (token) => ({ actor: userOf(token) }),
  ): Promise<string> => {
    waiting = [];
    ends = [];
    const app = httpApp("test", { log: silentLogger, ids, requestTimeoutMs: 60_000, ...env });
    app.use(async (req, _res, next) => {
      const token = req.get("x-auth-token");
      if (token === undefined) throw Errors.NO_TOKEN({});
      await setCaller(req, known(token));
      next();
    });
    app.get("/wait", async (req, res) => {
      const { signal } = ctxOf(req);
      await new Promise<void>((resolve, reject) => {
        waiting.push(() => resolve());
        signal.addEventListener("abort", () => {
          ends.push(signal.reason);
          reject(signal.reason);
        });
      });
      res.end("done");
    });
    app.get("/", (_req, res) => void res.end("done"));
    app.use(failureHandler((failure, _req, res) => void res.status(failure.status).json(failure)));
    server = await listen(app, { host: "127.0.0.1", port: 0, log: silentLogger });
    return server.url;
  };
  const get = (url: string, headers: Record<string, string>) => {
    const req = request(url, { agent, headers });
    req.end();
    const answer = once(req, "response").then(([res]) => {
      (res as IncomingMessage).resume();
      return res as IncomingMessage;
    });
    return { req, answer };
  };
  const until = async (ready: () => boolean): Promise<void> => {
    while (!ready()) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  const turnsOf = (config: Partial<ReturnType<typeof sharingConfig.parse>>): HttpEnv["turns"] =>
    new Sharing({ ...sharingConfig.parse({}), ...config }).gate();

  afterEach(async () => {
    await server?.close(0);
    server = undefined;
  });

  it("take turns by project; what has no place in the queue is told when to come again", async () => {
    const url = await start({ turns: turnsOf({ concurrency: 1, sharedConcurrency: 1, queueLength: 1 }) });
    const first = get(`${url}/wait`, { "x-auth-token": "a" });
    await until(() => waiting.length === 1);
    const second = get(`${url}/wait`, { "x-auth-token": "a" });
    const other = get(`${url}/wait`, { "x-auth-token": "b" });
    await until(() => waiting.length === 2);
    let refused: IncomingMessage | undefined;
    // The second is on its way; as soon as it waits, there is no place for another.
    while (refused === undefined) {
      const answer = await Promise.race([
        get(`${url}/`, { "x-auth-token": "a" }).answer,
        new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 50)),
      ]);
      if (answer?.statusCode === 429) refused = answer;
    }
    assert.equal(refused.headers["retry-after"], "1");
    waiting[0]?.();
    waiting[1]?.();
    assert.equal((await first.answer).statusCode, 200);
    assert.equal((await other.answer).statusCode, 200);
    await until(() => waiting.length === 3);
    waiting[2]?.();
    assert.equal((await second.answer).statusCode, 200);
  });

  it("give their turn back, and end their work, when they hang up", async () => {
    const url = await start({ turns: turnsOf({ concurrency: 1 }) });
    const first = get(`${url}/wait`, { "x-auth-token": "a" });
    first.answer.catch(() => {});
    first.req.on("error", () => {});
    await until(() => waiting.length === 1);
    const second = get(`${url}/`, { "x-auth-token": "a" });
    first.req.destroy();
    assert.equal((await second.answer).statusCode, 200);
    await until(() => ends.length === 1);
  });

  it("give back a turn that comes when they have hung up", async () => {
    let entered = 0;
    let left = 0;
    const url = await start({
      turns: {
        enter: (_actor: Actor, signal: AbortSignal) => {
          entered++;
          return new Promise((resolve) => signal.addEventListener("abort", () => resolve(() => void left++)));
        },
      } as unknown as NonNullable<HttpEnv["turns"]>,
    });
    const first = get(`${url}/`, { "x-auth-token": "a" });
    first.answer.catch(() => {});
    first.req.on("error", () => {});
    await until(() => entered === 1);
    first.req.destroy();
    await until(() => left === 1);
  });

  it("are sent away when their token ends meanwhile", async () => {
    const token = new AbortController();
    const url = await start({}, () => ({ actor: userOf("a"), ended: token.signal }));
    const { answer } = get(`${url}/wait`, { "x-auth-token": "a" });
    await until(() => waiting.length === 1);
    token.abort(Errors.REVOKED({}));
    assert.equal((await answer).statusCode, 401);
  });

  it("have their trace continued once they are known, and decide neither that nor whether it is recorded", async () => {
    const theirs = "4bf92f3577b34da6a3ce929d0e0e4736";
    const traceparent = `00-${theirs}-00f067aa0ba902b7-01`;
    const record = async (
      sampleRatio: number,
      headers: Record<string, string>,
      outside?: "ignored" | "trusted",
    ): Promise<string[]> => {
      const exporter = new InMemorySpanExporter();
      const tracer = createTracer({
        service: "test",
        sampleRatio,
        exporter,
        immediate: true,
        ...(outside ? { outside } : {}),
      });
      const url = await start({
        startSpan: (name, parent, origin) => tracer.start(name, parent, {}, "server", origin),
      });
      await get(`${url}/`, { traceparent, ...headers }).answer;
      await server?.close(1_000);
      return exporter
        .getFinishedSpans()
        .map((span) => (span.spanContext().traceId === theirs ? "theirs" : "ours"));
    };
    const known = { "x-auth-token": "a" };
    assert.deepEqual(await record(1, known), ["theirs"]);
    assert.deepEqual(await record(1, {}), ["ours"]);
    assert.deepEqual(await record(0, known), []);
    assert.deepEqual(await record(0, {}), []);
    assert.deepEqual(await record(1, known, "ignored"), ["ours"]);
    assert.deepEqual(await record(0, known, "trusted"), ["theirs"]);
    assert.deepEqual(await record(0, {}, "trusted"), []);
  });
});
