import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createConnection } from "node:net";
import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { WebSocket } from "ws";
import { silentLogger } from "../kernel/index.js";
import { defaultRest, httpApp, listen } from "../platform/http/index.js";
import type { HttpServer } from "../platform/http/index.js";
import { systemIds } from "../platform/process/index.js";
import { until } from "../testkit/until.js";
import { AgentErrors } from "../compute/errors.js";
import { consoleConfig } from "./config.js";
import type { ConsoleConfig } from "./config.js";
import { addPages } from "./pages.js";
import type { ConsolesPort, FoundConsole } from "./ports.js";
import { ConsoleProxy } from "./proxy.js";

/** So long that whoever is asked has answered before the next time, on a busy machine too. */
const PING_MS = 1_000;

const vnc: FoundConsole = {
  serverId: "s1",
  projectId: "p1",
  kind: "vnc",
  host: "h1",
  agentAddress: "a:1",
  run: "r1",
  expiresAtMs: 0,
};

/** A console that says again what it is told. */
class Line {
  readonly stream = new PassThrough({ highWaterMark: 4_096 });
  /** What was said, each time as much as came at once. */
  readonly told: Buffer[] = [];
  /** Resolved when the guest takes what it is told. */
  takes: Promise<void> = Promise.resolve();
  read = 0;
  /** How often it was told something, taken or not. */
  asked = 0;
  /** How long it takes to be there, ms. */
  lateMs = 0;
  isThere = false;
  refusal: unknown;
  closed = false;

  async *output(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (this.refusal !== undefined) throw this.refusal;
    signal.addEventListener("abort", () => this.stream.destroy());
    await new Promise((resolve) => setTimeout(resolve, this.lateMs));
    this.isThere = true;
    try {
      yield Buffer.alloc(0);
      for await (const said of this.stream) {
        this.read += (said as Buffer).length;
        yield said as Buffer;
      }
    } finally {
      this.closed = true;
    }
  }

  async write(input: Uint8Array): Promise<void> {
    this.asked++;
    assert.ok(this.isThere, "it was told something before it was there");
    await this.takes;
    this.told.push(Buffer.from(input));
    this.stream.write(input);
  }
}

class World {
  readonly tokens = new Map<string, FoundConsole>([["t", vnc]]);
  readonly line = new Line();
  broken = false;
  /** Whether browsers answer when they are asked whether they are there. */
  answersPings = true;
  /** Resolved when a token is looked up. */
  looksUp: Promise<void> = Promise.resolve();
  /** Connections that the port takes. */
  maxConnections = 100;
  /** Until when the last look-up may take, Unix time. */
  foundBy = 0;
  /** Until when the last write may take, Unix time. */
  writtenBy = 0;
  /** How often one was asked for. */
  asked = 0;
  url = "";
  #server: HttpServer | undefined;
  #proxy: ConsoleProxy | undefined;

  async start(config: Partial<ConsoleConfig> = {}, pingMs = 30_000): Promise<this> {
    const consoles: ConsolesPort = {
      find: async ({ deadlineMs }, token) => {
        this.asked++;
        this.foundBy = deadlineMs ?? Infinity;
        await this.looksUp;
        if (this.broken) throw new Error("no database");
        return this.tokens.get(token);
      },
      open: (ctx, { serverId }) => {
        const line = serverId === vnc.serverId ? this.line : new Line();
        return {
          output: line.output(ctx.signal),
          write: (c, input) => {
            this.writtenBy = c.deadlineMs ?? 0;
            return line.write(input);
          },
        };
      },
    };
    const env = { log: silentLogger, ids: systemIds, requestTimeoutMs: 5_000 };
    const settings = { ...consoleConfig.parse({}), ...config };
    const proxy = new ConsoleProxy({ ...env, config: settings, consoles, pingMs });
    const app = httpApp("console", env);
    addPages(app, settings.allowedOrigins);
    const onUpgrade = (...it: Parameters<ConsoleProxy["upgrade"]>): void => proxy.upgrade(...it);
    const limits = { ...defaultRest, maxConnections: this.maxConnections };
    const at = { host: "127.0.0.1", port: 0 };
    this.#server = await listen(app, { ...at, log: silentLogger, limits, onUpgrade });
    this.#proxy = proxy;
    this.url = this.#server.url;
    return this;
  }

  get open(): number {
    return this.#proxy?.open ?? 0;
  }

  /** Whether all who have asked are answered and gone. */
  get settled(): boolean {
    return this.#proxy?.busy === 0;
  }
  async stop(): Promise<void> {
    await Promise.all([this.#server?.close(500), this.#proxy?.close()]);
  }

  /** A web socket, and what came of it. */
  connect(token = "t", headers: Readonly<Record<string, string>> = {}, protocols: string[] = []) {
    const address = `${this.url.replace("http", "ws")}/?token=${token}`;
    const socket = new WebSocket(address, protocols, { headers, autoPong: this.answersPings });
    const session = {
      socket,
      heard: Buffer.alloc(0),
      wasOpen: false,
      status: 0,
      end: undefined as { readonly code: number; readonly reason: string } | undefined,
    };
    socket.on("open", () => (session.wasOpen = true));
    socket.on("message", (data: Buffer) => (session.heard = Buffer.concat([session.heard, data])));
    socket.on("unexpected-response", (request, response) => {
      session.status = response.statusCode ?? 0;
      request.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", (code, reason) => (session.end = { code, reason: reason.toString() }));
    return session;
  }

  async opened(...asked: Parameters<World["connect"]>): Promise<ReturnType<World["connect"]>> {
    const session = this.connect(...asked);
    await until(() => session.wasOpen);
    return session;
  }

  /** Status of a refusal. */
  async refused(...asked: Parameters<World["connect"]>): Promise<number> {
    const session = this.connect(...asked);
    await until(() => session.status !== 0);
    return session.status;
  }
}

describe("the console proxy", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.stop());

  it("carries bytes both ways, as they are, also what comes before the console is there", async () => {
    world.line.lateMs = 200;
    await world.start();
    const session = world.connect("t", {}, ["binary"]);
    const bytes = randomBytes(300_000);
    session.socket.once("open", () => {
      session.socket.send(bytes.subarray(0, 100));
      session.socket.send(bytes.subarray(100));
    });
    await until(() => session.heard.length === bytes.length);
    assert.deepEqual(session.heard, bytes);
    assert.equal(session.socket.protocol, "binary");
    assert.ok(world.line.told.every(({ length }) => length <= 65_536));
    session.socket.close();
  });

  it("takes texts, as terminals in browsers send them", async () => {
    await world.start();
    const session = await world.opened();
    session.socket.send("lös\r");
    await until(() => session.heard.toString() === "lös\r");
  });

  it("opens nothing without a token that is good", async () => {
    await world.start();
    assert.equal(await world.refused("wrong"), 403);
    assert.equal(await world.refused(""), 403);
    const asked = world.asked;
    assert.equal(await world.refused("t".repeat(256)), 403);
    assert.equal(world.asked, asked, "a token that is none was looked up");
    world.broken = true;
    assert.equal(await world.refused(), 503);
    assert.equal(world.open, 0);
  });

  it("opens nothing for pages of others", async () => {
    await world.start({ allowedOrigins: ["https://dashboard.example.com"] });
    assert.equal(await world.refused("t", { origin: "https://evil.example.com" }), 403);
    for (const origin of ["https://dashboard.example.com", world.url])
      (await world.opened("t", { origin })).socket.close();
  });

  it("has so many places for a server and a project, each free again after its console", async () => {
    await world.start({ maxConnectionsPerServer: 1, maxConnectionsPerProject: 2, maxConnections: 3 });
    for (const [token, serverId, projectId] of [
      ["b", "s2", "p1"],
      ["c", "s3", "p1"],
      ["d", "s4", "p2"],
      ["e", "s5", "p3"],
    ] as const)
      world.tokens.set(token, { ...vnc, serverId, projectId });
    const first = await world.opened("t");
    assert.equal(await world.refused("t"), 429);
    await world.opened("b");
    assert.equal(await world.refused("c"), 429);
    await world.opened("d");
    assert.equal(await world.refused("e"), 429);
    first.socket.close();
    await until(() => world.open === 2);
    world.tokens.set("t", { ...vnc, serverId: "s6" });
    await world.opened("t");
  });

  for (const [how, leave] of [
    ["hangs up", (socket: Socket) => socket.end()],
    ["is gone", (socket: Socket) => socket.resetAndDestroy()],
  ] as const)
    it(`keeps no place for a browser that ${how} while its token is looked up`, async () => {
      let found = (): void => {};
      world.looksUp = new Promise((resolve) => (found = resolve));
      await world.start({ maxConnectionsPerServer: 1 });
      const { port } = new URL(world.url);
      const socket = createConnection(Number(port), "127.0.0.1").on("error", () => {});
      socket.write(
        "GET /?token=t HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n" +
          "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
      await until(() => world.asked === 1);
      leave(socket);
      await new Promise((resolve) => setTimeout(resolve, 100));
      found();
      await until(() => world.settled);
      assert.equal(world.open, 0);
      (await world.opened()).socket.close();
    });

  it("keeps a console's connection when strangers come, who push each other out", async () => {
    world.maxConnections = 2;
    await world.start();
    const session = await world.opened();
    const { port } = new URL(world.url);
    let gone = 0;
    const strangers = Array.from({ length: 6 }, () =>
      createConnection(Number(port), "127.0.0.1")
        .on("error", () => {})
        .on("close", () => gone++),
    );
    await until(() => gone === 5);
    session.socket.send("still here");
    await until(() => session.heard.toString() === "still here");
    for (const stranger of strangers) stranger.destroy();
  });

  it("does not wait for a token for ever", async () => {
    await world.start();
    await world.opened();
    assert.ok(world.foundBy <= Date.now() + 10_000);
  });

  it("ends with the guest", async () => {
    await world.start();
    const session = await world.opened();
    session.socket.send("bye");
    await until(() => session.heard.toString() === "bye");
    world.line.stream.end();
    assert.deepEqual(await until(() => session.end), { code: 1000, reason: "The console has ended" });
    await until(() => world.open === 0);
  });

  it("parts at once with a browser of which it was not reading", async () => {
    await world.start();
    const session = await world.opened();
    world.line.takes = new Promise(() => {});
    session.socket.send("never taken");
    await until(() => world.line.asked > 0);
    // What is read of it later is nobody's.
    for (let n = 0; n < 100; n++) session.socket.send(Buffer.alloc(1_000));
    const startedMs = performance.now();
    world.line.stream.end();
    assert.equal((await until(() => session.end)).code, 1000);
    // Longer, and it was cut instead.
    assert.ok(performance.now() - startedMs < 1_900);
  });

  it("lets the console go when the browser does", async () => {
    await world.start();
    const session = await world.opened();
    session.socket.terminate();
    await until(() => world.line.closed && world.open === 0);
  });

  for (const [what, refusal, end] of [
    [
      "is another run of the guest's",
      AgentErrors.CONSOLE_CLOSED({}),
      { code: 4002, reason: "The console is not there any more" },
    ],
    ["cannot be reached", new Error("no route"), { code: 1011, reason: "The console could not be reached" }],
  ] as const)
    it(`says so when the console ${what}`, async () => {
      world.line.refusal = refusal;
      await world.start();
      const session = world.connect();
      assert.deepEqual(await until(() => session.end), end);
    });

  it("closes what nobody uses: asking for the screen is no use of it", async () => {
    await world.start({ idleMs: 2_000 });
    const session = await world.opened();
    const key = Buffer.from([4, 1, 0, 0, 0, 0, 0, 97]);
    const startedMs = performance.now();
    for (let n = 0; n < 4; n++) {
      session.socket.send(key);
      await new Promise((resolve) => setTimeout(resolve, 700));
    }
    assert.equal(session.end, undefined);
    const asking = setInterval(
      () => session.socket.send(Buffer.from([3, 1, 0, 0, 0, 0, 2, 208, 1, 144])),
      50,
    );
    const end = await until(() => session.end).finally(() => clearInterval(asking));
    assert.deepEqual(end, { code: 4000, reason: "Nobody has used the console" });
    assert.ok(performance.now() - startedMs >= 4_000);
  });

  it("closes a console at its token's end when it is told to", async () => {
    world.tokens.set("t", { ...vnc, expiresAtMs: Date.now() + 200 });
    await world.start({ enforceTokenEnd: true });
    const session = world.connect();
    assert.deepEqual(await until(() => session.end), {
      code: 4001,
      reason: "The console's address has ended",
    });
  });

  it("keeps a console over its token's end otherwise", async () => {
    world.tokens.set("t", { ...vnc, expiresAtMs: Date.now() - 1_000 });
    await world.start();
    const session = await world.opened();
    session.socket.send("still");
    await until(() => session.heard.toString() === "still");
  });

  it("closes all consoles when it stops", async () => {
    await world.start();
    const session = await world.opened();
    await world.stop();
    assert.equal((await until(() => session.end)).code, 1001);
  });

  it("is not kept from stopping by a browser that does not answer", async () => {
    await world.start();
    const session = await world.opened();
    session.socket.pause();
    const startedMs = performance.now();
    await world.stop();
    assert.ok(performance.now() - startedMs < 15_000);
    session.socket.terminate();
  });

  it("parts with a browser that is silent, and with no other", async () => {
    await world.start({}, PING_MS);
    const alive = await world.opened();
    world.answersPings = false;
    world.tokens.set("b", { ...vnc, serverId: "s2" });
    const silent = await world.opened("b");
    await until(() => silent.end);
    assert.equal(alive.end, undefined);
  });

  it("hears nothing of a browser while the guest takes nothing, and does not part with it for that", async () => {
    await world.start({}, PING_MS);
    const session = await world.opened();
    let take = (): void => {};
    world.line.takes = new Promise((resolve) => (take = resolve));
    session.socket.send("slow");
    await until(() => world.line.asked > 0);
    await new Promise((resolve) => setTimeout(resolve, 4 * PING_MS));
    assert.equal(session.end, undefined);
    // As long as a console may go unused.
    assert.ok(world.writtenBy > Date.now() + consoleConfig.parse({}).idleMs);
    take();
    await until(() => session.heard.toString() === "slow");
    await new Promise((resolve) => setTimeout(resolve, 3 * PING_MS));
    assert.equal(session.end, undefined);
  });

  it("ends with a browser that says too much at once", async () => {
    await world.start();
    const session = await world.opened();
    session.socket.send(Buffer.alloc((1 << 20) + 1));
    assert.equal((await until(() => session.end)).code, 1009);
    assert.equal(world.line.asked, 0);
  });

  it("speaks bytes, and no protocol that it does not know", async () => {
    await world.start();
    assert.equal((await world.opened("t", {}, ["base64", "binary"])).socket.protocol, "binary");
    // The client parts with whoever takes none of its protocols.
    const strange = world.connect("t", {}, ["base64"]);
    await until(() => strange.end);
    assert.equal(strange.wasOpen, false);
  });

  it("reads no more of a browser than the guest takes", async () => {
    await world.start();
    let take: () => void = () => {};
    world.line.takes = new Promise((resolve) => {
      take = resolve;
    });
    const session = await world.opened();
    const block = Buffer.alloc(1 << 19);
    for (let n = 0; n < 64; n++) session.socket.send(block);
    // Far more than any buffer of the way: it stays where it came from.
    let before = Infinity;
    await until(
      () => {
        const same = before === session.socket.bufferedAmount;
        before = session.socket.bufferedAmount;
        return same;
      },
      { everyMs: 500, timeoutMs: 20_000 },
    );
    assert.ok(session.socket.bufferedAmount > 8 << 20, `${session.socket.bufferedAmount} bytes wait`);
    session.socket.on("message", () => {
      session.heard = Buffer.alloc(0);
    });
    take();
    await until(() => session.socket.bufferedAmount === 0, { timeoutMs: 20_000 });
  });

  it("reads no more of a guest than the browser takes", async () => {
    await world.start();
    const session = await world.opened();
    session.socket.pause();
    const block = Buffer.alloc(65_536);
    let stopped = false;
    void (async () => {
      for (let n = 0; n < 1_000 && !stopped; n++)
        if (!world.line.stream.write(block))
          await new Promise((resolve) => world.line.stream.once("drain", resolve));
    })();
    let before = -1;
    await until(
      () => {
        const same = before === world.line.read;
        before = world.line.read;
        return same && before > 0;
      },
      { everyMs: 200, timeoutMs: 20_000 },
    );
    assert.ok(world.line.read < 40 << 20, `${world.line.read} bytes were read`);
    stopped = true;
    session.socket.terminate();
  });

  it("serves the page and what it needs, closed up", async () => {
    await world.start({ allowedOrigins: ["https://dashboard.example.com"] });
    for (const path of ["/vnc_auto.html?path=%3Ftoken%3Dt", "/vnc_lite.html"]) {
      const page = await fetch(`${world.url}${path}`);
      const { status, headers } = page;
      assert.equal(status, 200);
      // How tools that only fetch the page know that it is one: tempest's test_novnc looks for the word.
      assert.match(await page.text(), /<html[^]*noVNC[^]*<script[^]*<\/html>/);
      const policy = headers.get("content-security-policy") ?? "";
      assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
      assert.match(policy, /frame-ancestors 'self' https:\/\/dashboard\.example\.com$/);
      assert.doesNotMatch(policy, /unsafe/);
      assert.equal(headers.get("referrer-policy"), "no-referrer");
      assert.equal(headers.get("x-content-type-options"), "nosniff");
    }
    for (const path of [
      "/vnc.js",
      "/vnc.css",
      "/novnc/core/rfb.js",
      "/novnc/vendor/pako/lib/zlib/inflate.js",
    ])
      assert.equal((await fetch(`${world.url}${path}`)).status, 200, path);
    for (const path of ["/", "/novnc/package.json", "/novnc/core/..%2f..%2fpackage.json", "/proxy.ts"])
      assert.notEqual((await fetch(`${world.url}${path}`)).status, 200, path);
  });
});
