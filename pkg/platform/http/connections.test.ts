import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { anonymous, silentLogger } from "../../kernel/index.js";
import { until } from "../../testkit/until.js";
import {
  baseUrlOf,
  defaultRest,
  descriptorsLacking,
  httpApp,
  listen,
  restConfig,
  setCaller,
} from "./index.js";
import type { HttpServer, RestConfig } from "./index.js";

const ids = { uuid: () => "00000000-0000-4000-8000-000000000000" };

describe("http: connections", () => {
  let server: HttpServer;
  const open: Socket[] = [];
  const logged: { readonly event: string; readonly path?: unknown }[] = [];

  const start = async (rest: Partial<RestConfig>): Promise<void> => {
    const limits = { ...defaultRest, ...rest };
    const log = {
      ...silentLogger,
      child: () => log,
      info: (event: string, fields?: object) => void logged.push({ event, ...fields }),
    };
    const app = httpApp("test", {
      log,
      ids,
      requestTimeoutMs: 60_000,
      trustedProxies: limits.trustedProxies,
    });
    app.use(async (req, _res, next) => {
      if (req.get("x-auth-token") !== undefined)
        await setCaller(req, { actor: { ...anonymous, kind: "user", userId: "u" } });
      next();
    });
    app.get("/base", (req, res) => void res.end(`${baseUrlOf(req)} ${req.ip}`));
    app.get("/slow", () => undefined);
    app.use((_req, res) => void res.end("done"));
    server = await listen(app, { host: "127.0.0.1", port: 0, log: silentLogger, limits });
  };
  const stranger = async (): Promise<Socket> => {
    const socket = connect(server.port, "127.0.0.1").on("error", () => {});
    open.push(socket.resume());
    await once(socket, "connect");
    return socket;
  };
  /** Sends a request on a connection and reads the start of the answer. */
  const ask = async (socket: Socket, path: string, headers = ""): Promise<string> => {
    const answer = once(socket, "data") as Promise<[Buffer]>;
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a.example\r\n${headers}\r\n`);
    return (await answer)[0].toString();
  };
  const token = "X-Auth-Token: t\r\n";
  const closed = (socket: Socket): Promise<unknown> =>
    socket.closed ? Promise.resolve() : once(socket, "close");

  afterEach(async () => {
    for (const socket of open.splice(0)) socket.destroy();
    logged.length = 0;
    await server.close(0);
  });

  it("stay few, whoever holds them: the oldest stranger's goes, never one with a token", async () => {
    await start({ maxConnections: 3 });
    const known = await stranger();
    assert.match(await ask(known, "/", token), /^HTTP\/1.1 200/);
    const [first, second] = [await stranger(), await stranger()];
    const third = await stranger();
    await closed(first);
    const fourth = await stranger();
    await closed(second);
    assert.match(await ask(third, "/"), /^HTTP\/1.1 200/);
    assert.match(await ask(fourth, "/"), /^HTTP\/1.1 200/);
    assert.match(await ask(known, "/", token), /^HTTP\/1.1 200/);
  });

  it("that are all known go by the oldest that is idle; while all are at work, the new one goes", async () => {
    await start({ maxConnections: 2 });
    const [busy, idle] = [await stranger(), await stranger()];
    await ask(busy, "/", token);
    await ask(idle, "/", token);
    busy.write(`GET /slow HTTP/1.1\r\nHost: a\r\n${token}\r\n`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const next = await stranger();
    await closed(idle);
    await ask(next, "/", token);
    next.write(`GET /slow HTTP/1.1\r\nHost: a\r\n${token}\r\n`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await closed(await stranger());
    assert.ok(!busy.closed && !next.closed);
  });

  it("of one address are fewer than of all, unless it is a trusted proxy's", async () => {
    await start({ maxConnectionsPerAddress: 1 });
    const first = await stranger();
    await stranger();
    // At once, not because it sent nothing for long.
    const beganMs = performance.now();
    await closed(first);
    assert.ok(performance.now() - beganMs < 10_000);
    await server.close(0);
    await start({ maxConnectionsPerAddress: 1, trustedProxies: ["127.0.0.0/8"] });
    const [one, two] = [await stranger(), await stranger()];
    assert.match(await ask(two, "/"), /200/);
    assert.match(await ask(one, "/"), /200/);
  });

  it("end when no request comes, before the first and after each", async () => {
    await start({ headersMs: 200, idleMs: 200 });
    const [silent, slow, idle] = [await stranger(), await stranger(), await stranger()];
    slow.write("GET / HTTP/1.1\r\nX-A: ");
    await ask(idle, "/", token);
    await Promise.all([silent, slow, idle].map(closed));
  });

  it("tell their scheme and their client's address only when they are a trusted proxy's", async () => {
    const forwarded = "X-Forwarded-Proto: https\r\nX-Forwarded-For: 203.0.113.9\r\n";
    await start({});
    assert.match(await ask(await stranger(), "/base", forwarded), /http:\/\/a\.example 127\.0\.0\.1/);
    await server.close(0);
    await start({ trustedProxies: ["127.0.0.1"] });
    assert.match(await ask(await stranger(), "/base", forwarded), /https:\/\/a\.example 203\.0\.113\.9/);
    assert.throws(() => restConfig.parse({ trustedProxies: ["everybody"] }));
  });

  it("are cut when thousands of requests come at once on one, of which few are begun", async () => {
    await start({});
    const flood = await stranger();
    flood.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2_000));
    await new Promise((resolve) => flood.once("close", resolve));
    const served = (): number => logged.filter(({ event }) => event === "http.request").length;
    await until(() => served() > 0);
    assert.ok(served() <= 16, `${served()} were begun`);
    // One after the other there may be any number.
    const patient = await stranger();
    for (let i = 0; i < 40; i++) assert.match(await ask(patient, "/"), /^HTTP\/1.1 200/);
  });

  it("leave only the start of a path in the log", async () => {
    await start({});
    await ask(await stranger(), `/${"x".repeat(9_000)}`);
    const line = await until(() => logged.find(({ event }) => event === "http.request"));
    assert.ok(String(line.path).length < 300, String(line.path));
    assert.match(String(line.path), /^\/x{255}…\(9001\)$/);
  });

  it("that would take the last descriptor are told of at the start", () => {
    assert.match(descriptorsLacking([1_000, 2_000], 3_400) ?? "", /raise it to 3500/);
    assert.equal(descriptorsLacking([1_000, 2_000], 3_500), undefined);
  });
});
