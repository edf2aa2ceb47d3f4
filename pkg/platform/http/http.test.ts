import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Agent } from "undici";
import { CommonErrors, KilonovaError, silentLogger } from "../../kernel/index.js";
import type { LogFields, Logger } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import {
  baseUrlOf,
  ctxOf,
  failureHandler,
  failureOf,
  httpApp,
  httpClient,
  jsonBody,
  listen,
  queryOf,
} from "./index.js";
import type { HttpServer } from "./index.js";

const reason =
  (name: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === name;
const pause = { sleep: async () => {} };

describe("http client", () => {
  let server: Server | undefined;
  const serve = async (listener: RequestListener): Promise<string> => {
    server = createServer(listener);
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });
  const client = (more: object = {}) =>
    httpClient({ what: "The test service", clock: pause, random: () => 0, ...more });

  it("repeats reads that failed in passing, and gives the last answer when they keep failing", async () => {
    let calls = 0;
    const url = await serve((_req, res) => {
      res.statusCode = ++calls < 3 ? 503 : 200;
      res.end(`{"n": ${calls}}`);
    });
    assert.deepEqual((await client().call(testCtx(), { method: "GET", url })).json, { n: 3 });
    calls = -10;
    assert.equal((await client().call(testCtx(), { method: "GET", url })).status, 503);
    assert.equal(calls, -7);
  });

  it("never repeats writes", async () => {
    let calls = 0;
    const url = await serve((req) => {
      calls++;
      req.socket.destroy();
    });
    await assert.rejects(client().call(testCtx(), { method: "POST", url, json: {} }), reason("UNAVAILABLE"));
    assert.equal(calls, 1);
    await assert.rejects(client().call(testCtx(), { method: "GET", url }), reason("UNAVAILABLE"));
    assert.equal(calls, 4);
  });

  it("waits as long as it is asked to, unless that is longer than it has", async () => {
    const slept: number[] = [];
    const clock = {
      sleep: async (ms: number) => {
        slept.push(ms);
      },
    };
    let after = "2";
    let calls = 0;
    const url = await serve((_req, res) => {
      calls++;
      res.writeHead(calls % 2 === 1 ? 503 : 200, { "Retry-After": after });
      res.end();
    });
    assert.equal((await client({ clock }).call(testCtx(), { method: "GET", url })).status, 200);
    after = new Date(Date.now() + 5_000).toUTCString();
    assert.equal((await client({ clock }).call(testCtx(), { method: "GET", url })).status, 200);
    assert.equal(slept[0], 2_000);
    assert.ok((slept[1] ?? 0) > 2_000 && (slept[1] ?? 0) <= 5_000, String(slept[1]));
    after = "3600";
    assert.equal((await client({ clock }).call(testCtx(), { method: "GET", url })).status, 503);
    after = "soon";
    calls = 0;
    assert.equal(
      (await client({ clock, random: () => 0.5 }).call(testCtx(), { method: "GET", url })).status,
      200,
    );
    assert.deepEqual([slept.length, slept[2]], [3, 100]);
  });

  it("repeats writes that are called repeatable, and streams that have not begun", async () => {
    let calls = 0;
    const url = await serve((_req, res) => {
      res.statusCode = ++calls % 3 === 0 ? 200 : 502;
      res.end("body");
    });
    assert.equal(
      (await client().call(testCtx(), { method: "POST", url, json: {}, repeatable: true })).status,
      200,
    );
    assert.equal(calls, 3);
    const stream = await client().open(testCtx(), { method: "GET", url });
    assert.equal(stream.status, 200);
    assert.equal(await text(stream.body), "body");
    assert.equal(calls, 6);
  });

  it("waits for the answer to a long body as long as the body takes", async () => {
    const url = await serve((req, res) => {
      // Its sender has to wait meanwhile.
      setTimeout(() => req.resume(), 2_500);
      req.on("end", () => res.end("{}"));
    });
    const hurried = new Agent({ headersTimeout: 500 });
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 64; i++) yield Buffer.alloc(256 * 1024);
    }
    const answer = await client({ dispatcher: hurried }).open(testCtx(), {
      method: "PUT",
      url,
      stream: body(),
    });
    assert.equal(answer.status, 200);
    assert.equal(await text(answer.body), "{}");
    await hurried.close();
  }).timeout(20_000);

  it("follows redirects of reads on the same host, and takes no token elsewhere", async () => {
    const seen: string[] = [];
    const url = await serve((req, res) => {
      seen.push(`${req.method} ${req.url} ${String(req.headers["x-auth-token"])}`);
      const location = (
        {
          "/a": "/b?x=1",
          "/b?x=1": "/c",
          "/loop": "/loop",
          "/away": "http://elsewhere.example/",
          "/odd": "http://[",
        } as Record<string, string>
      )[req.url ?? ""];
      res.writeHead(location === undefined ? 200 : 301, location === undefined ? {} : { Location: location });
      res.end();
    });
    const status = async (path: string, method: "GET" | "POST" = "GET"): Promise<number> =>
      (await client().call(testCtx(), { method, url: `${url}${path}`, headers: { "X-Auth-Token": "t" } }))
        .status;
    assert.equal(await status("/a"), 200);
    assert.deepEqual(seen, ["GET /a t", "GET /b?x=1 t", "GET /c t"]);
    assert.deepEqual(
      [await status("/loop"), await status("/away"), await status("/odd"), await status("/a", "POST")],
      [301, 301, 301, 301],
    );
    assert.equal(seen.filter((one) => one.startsWith("GET /loop")).length, 4);
  });

  it("ends with its deadline and with its caller", async () => {
    const url = await serve(() => {});
    await assert.rejects(
      client({ timeoutMs: 30 }).call(testCtx(), { method: "GET", url }),
      reason("DEADLINE_EXCEEDED"),
    );
    const controller = new AbortController();
    const waiting = client().call(testCtx({ signal: controller.signal }), { method: "GET", url });
    controller.abort(CommonErrors.CANCELLED({ what: "test" }));
    await assert.rejects(waiting, reason("CANCELLED"));
  });

  it("refuses answers beyond its bound", async () => {
    const url = await serve((_req, res) => {
      res.end("x".repeat(2_000));
    });
    await assert.rejects(
      client({ maxAnswerBytes: 1_000 }).call(testCtx(), { method: "GET", url }),
      reason("ANSWER_TOO_LARGE"),
    );
  });

  it("sends ids, traces and queries along", async () => {
    const url = await serve((req, res) => {
      res.end(JSON.stringify({ url: req.url, id: req.headers["x-openstack-request-id"] }));
    });
    const answer = await client().call(testCtx({ requestId: "req-1" }), {
      method: "GET",
      url: `${url}/a`,
      query: { b: ["1", "2"], c: undefined, d: "x y" },
    });
    assert.deepEqual(answer.json, { url: "/a?b=1&b=2&d=x+y", id: "req-1" });
  });
});

describe("http server", () => {
  let server: HttpServer | undefined;
  const lines: { event: string; fields: LogFields }[] = [];
  const log: Logger = {
    ...silentLogger,
    info: (event, fields = {}) => {
      lines.push({ event, fields });
    },
    child: () => log,
  };
  const start = async (): Promise<HttpServer> => {
    const app = httpApp("test", {
      log,
      ids: { uuid: () => "00000000-0000-4000-8000-000000000000" },
      requestTimeoutMs: 5_000,
    });
    app.use(jsonBody(1_000));
    app.all("/echo", (req, res) => {
      res.json({
        query: [...queryOf(req)],
        body: req.body as unknown,
        base: baseUrlOf(req),
        global: ctxOf(req).globalRequestId,
      });
    });
    app.get("/broken", () => {
      throw new Error("secret detail");
    });
    app.use(
      failureHandler((failure, _req, res) => {
        res.status(failure.status).json(failure);
      }),
    );
    return (server = await listen(app, { host: "127.0.0.1", port: 0, log }));
  };
  afterEach(async () => {
    await server?.close(0);
    server = undefined;
  });

  it("answers request ids, takes global ones that look right, and logs one line", async () => {
    const { url } = await start();
    const global = "req-11111111-1111-4111-8111-111111111111";
    const answer = await fetch(`${url}/echo?a=1&a=2&b`, { headers: { "X-OpenStack-Request-ID": global } });
    assert.equal(answer.headers.get("x-openstack-request-id"), "req-00000000-0000-4000-8000-000000000000");
    const body = (await answer.json()) as Record<string, unknown>;
    assert.deepEqual(
      [body["query"], body["global"], body["base"]],
      [
        [
          ["a", ["1", "2"]],
          ["b", [""]],
        ],
        global,
        url,
      ],
    );
    assert.equal(
      (
        (await (
          await fetch(`${url}/echo`, { headers: { "X-OpenStack-Request-ID": 'req-evil"' } })
        ).json()) as Record<string, unknown>
      )["global"],
      "",
    );
    const access = lines.filter((line) => line.event === "http.request");
    assert.deepEqual(access.map((line) => line.fields["status"]).slice(0, 1), [200]);
  });

  it("refuses malformed bodies and text that no database takes", async () => {
    const { url } = await start();
    const status = async (body: string): Promise<number> =>
      (await fetch(`${url}/echo`, { method: "POST", body })).status;
    assert.deepEqual(
      [
        await status("{"),
        await status(`{"a": "\\u0000"}`),
        await status(`{"\\ud800": 1}`),
        await status("x".repeat(2_000)),
        await status(`{"a": "ok 😀"}`),
      ],
      [400, 400, 400, 413, 200],
    );
    assert.equal((await fetch(`${url}/echo?a=%00`)).status, 400);
    assert.equal(await status(`${"[".repeat(100)}${"]".repeat(100)}`), 400);
  });

  it("hides what nobody foresaw", async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/broken`);
    assert.equal(answer.status, 500);
    assert.equal((await answer.text()).includes("secret"), false);
    assert.equal(failureOf(CommonErrors.INVALID_ARGUMENT({ field: "a", problem: "b" })).status, 400);
    assert.equal(failureOf(CommonErrors.CANCELLED({ what: "x" }), { CANCELLED: 418 }).status, 418);
  });
});
