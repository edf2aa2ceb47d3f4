import assert from "node:assert/strict";
import { request } from "node:http";
import type { ClientRequest } from "node:http";
import { rootCtx, silentLogger } from "../../../kernel/index.js";
import type { KilonovaError } from "../../../kernel/index.js";
import { listen } from "../../../platform/http/index.js";
import type { HttpServer } from "../../../platform/http/index.js";
import { fakeClock } from "../../../testkit/clock.js";
import { until } from "../../../testkit/until.js";
import { anAccount, anIdentity } from "../testing/an-identity.js";
import { identityApp } from "./http/app.js";
import { loginsConfig } from "../config.js";
import { secretChecks } from "./secret-checks.js";

describe("secrets that are tried at once", () => {
  it("are not looked at once those before them in the queue were wrong often enough", async () => {
    let looked = 0;
    const checks = secretChecks(
      {
        hash: async () => "",
        verify: async () => {
          looked++;
          return false;
        },
      },
      fakeClock(),
      loginsConfig.parse({ backoffAfter: 3 }),
    );
    const mallory = { address: "192.0.2.7", account: "alice" };
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, () =>
        checks.verify(rootCtx({ requestId: "req-guesses" }), mallory, "guess", "stored"),
      ),
    );
    const paused = tries.filter(
      (one) => one.status === "rejected" && (one.reason as KilonovaError).reason === "PAUSE",
    );
    // Three, and one more that had begun beside the third.
    assert.ok(looked <= 4, `${looked} were looked at`);
    assert.equal(paused.length, 20 - looked);
  });
});

describe("logins over HTTP", () => {
  let server: HttpServer;
  /** Whose password is being hashed, in the order of beginning; each waits until it is let go. */
  const begun: string[] = [];
  const going: (() => void)[] = [];
  const { parts } = anIdentity({
    clock: fakeClock(),
    accounts: [anAccount()],
    verify: (password, stored) => {
      begun.push(password);
      return new Promise((resolve) => going.push(() => resolve(password === stored)));
    },
    logins: { waitingPerAccount: 15 },
  });
  before(async () => {
    const env = { log: silentLogger, ids: { uuid: () => crypto.randomUUID() }, requestTimeoutMs: 60_000 };
    server = await listen(
      identityApp(parts, env, async () => undefined),
      { host: "127.0.0.1", port: 0, log: silentLogger },
    );
  });
  after(() => server.close(0));

  const body = (name: string, password: string): string =>
    JSON.stringify({
      auth: {
        identity: {
          methods: ["password"],
          password: { user: { name, domain: { id: "default" }, password } },
        },
      },
    });
  const send = (name: string, password: string): { call: ClientRequest; status: Promise<number> } => {
    const call = request(`${server.url}/v3/auth/tokens`, { method: "POST" });
    const status = new Promise<number>((resolve, reject) => {
      call.on("response", (answer) => resolve(answer.statusCode ?? 0));
      call.on("error", reject);
    });
    call.end(body(name, password));
    return { call, status };
  };

  it("are never begun when their clients have hung up, and others are next", async () => {
    const first = [send("mallory", "running"), send("mallory", "running")];
    await until(() => begun.length === 2);
    const left = Array.from({ length: 15 }, () => send("mallory", "left"));
    const hungUp = left.map(({ status }) => assert.rejects(status));
    await until(() => parts.secrets.waiting() === 15);
    const tooMany = await fetch(`${server.url}/v3/auth/tokens`, {
      method: "POST",
      body: body("mallory", "left"),
    });
    assert.deepEqual([tooMany.status, tooMany.headers.get("retry-after")], [429, "5"]);
    for (const { call } of left) call.destroy();
    await Promise.all(hungUp);
    await until(() => parts.secrets.waiting() === 0);
    const victim = send("alice", "right");
    await until(() => parts.secrets.waiting() === 1);
    going.shift()?.();
    await until(() => begun.includes("right"));
    for (const end of going) end();
    assert.equal(await victim.status, 201);
    assert.deepEqual(await Promise.all(first.map(({ status }) => status)), [401, 401]);
    assert.deepEqual(begun, ["running", "running", "right"]);
  });
});
