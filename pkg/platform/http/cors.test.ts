import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { cors, corsHeaders } from "./cors.js";

const PAGE = "https://page.example";

describe("calls of browsers' pages", () => {
  let server: Server;
  let url: string;
  before(async () => {
    const app = express();
    app.use(
      corsHeaders({
        allowedOrigin: [PAGE],
        allowCredentials: false,
        exposeHeaders: ["X-Id"],
        maxAge: 600,
        allowMethods: ["GET", "PUT"],
        allowHeaders: ["X-Auth-Token"],
      }),
    );
    app.use((_req, res) => {
      res.status(202).end();
    });
    server = createServer(app).listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  after(() => server.close());

  const ask = async (
    method: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await fetch(url, { method, headers });
    const said = [...answer.headers].filter(([name]) => name.startsWith("access-control-"));
    return { status: answer.status, ...Object.fromEntries(said) };
  };
  const preflight = (origin: string, method: string, headers?: string): ReturnType<typeof ask> =>
    ask("OPTIONS", {
      origin,
      "access-control-request-method": method,
      ...(headers === undefined ? {} : { "access-control-request-headers": headers }),
    });

  it("are let through from pages that may, with what they may read", async () => {
    assert.deepEqual(await ask("GET", { origin: PAGE }), {
      status: 202,
      "access-control-allow-origin": PAGE,
      "access-control-expose-headers": "X-Id",
    });
  });

  it("are answered without a word about it otherwise", async () => {
    assert.deepEqual(await ask("GET", {}), { status: 202 });
    assert.deepEqual(await ask("GET", { origin: "https://other.example" }), { status: 202 });
  });

  it("may be asked for before", async () => {
    assert.deepEqual(await preflight(PAGE, "PUT", "x-auth-token, content-type"), {
      status: 200,
      "access-control-allow-origin": PAGE,
      "access-control-max-age": "600",
      "access-control-allow-methods": "PUT",
      "access-control-allow-headers": "x-auth-token,content-type",
    });
  });

  it("are refused before when origin, method or a header is not allowed", async () => {
    for (const [origin, method, headers] of [
      ["https://other.example", "PUT", "x-auth-token"],
      [PAGE, "DELETE", "x-auth-token"],
      [PAGE, "PUT", "x-auth-token, x-other"],
    ] as const)
      assert.deepEqual(await preflight(origin, method, headers), { status: 200 });
  });

  it("are no matter where no page may call: OPTIONS is a request as any other", async () => {
    const app = express();
    app.use(cors([]));
    app.use((_req, res) => {
      res.status(202).end();
    });
    const silent = createServer(app).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const at = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    const answer = await fetch(at, { method: "OPTIONS", headers: { origin: PAGE } });
    silent.close();
    assert.deepEqual([answer.status, answer.headers.get("access-control-allow-origin")], [202, null]);
  });
});
