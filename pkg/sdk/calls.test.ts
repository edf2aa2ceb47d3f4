import assert from "node:assert/strict";
import { ConnectError } from "@connectrpc/connect";
import { CountingIdentity, Code, clientOf, refusal, tokenOf } from "./testing/scripted-cloud.js";
import {
  BadRequestSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
} from "./gen/google/rpc/error_details_pb.js";
import { FlavorsService, ServersService } from "./messages.gen.js";
import { KilonovaError } from "./errors.js";

/** What each attempt is answered, in turn; the last one again and again. */
function script<T>(...answers: readonly (Error | T)[]): { attempts: number; next: () => T } {
  const state = {
    attempts: 0,
    next: (): T => {
      const answer = answers[Math.min(state.attempts, answers.length - 1)];
      state.attempts += 1;
      if (answer instanceof Error) throw answer;
      return answer as T;
    },
  };
  return state;
}

const away = refusal(Code.Unavailable, "DB_UNAVAILABLE");
const isError = (code: string, reason: string) => (error: unknown) =>
  error instanceof KilonovaError && error.code === code && error.reason === reason;

describe("calls of the SDK", () => {
  it("repeat what only reads until it is answered", async () => {
    const turns = script<object>(away, away, { server: { id: "s" } });
    const cloud = clientOf(({ rpc }) => rpc(ServersService.method.getServer, () => turns.next()));
    assert.equal((await cloud.servers.get({ serverId: "s" })).server?.id, "s");
    assert.equal(turns.attempts, 3);
  });

  it("repeat what creates with one client token, and give each call a token of its own", async () => {
    const turns = script<object>(away, {});
    const tokens: string[] = [];
    const cloud = clientOf(({ rpc }) =>
      rpc(ServersService.method.createServers, ({ clientToken }) => {
        tokens.push(clientToken);
        return turns.next();
      }),
    );
    await cloud.servers.create({ name: "a" });
    await cloud.servers.create({ name: "a" });
    await cloud.servers.create({ name: "a", clientToken: "mine" });
    assert.equal(tokens.length, 4);
    assert.match(tokens[0] ?? "", /^[0-9a-f-]{36}$/);
    assert.equal(tokens[1], tokens[0]);
    assert.notEqual(tokens[2], tokens[0]);
    assert.equal(tokens[3], "mine");
  });

  it("do not repeat what may not be repeated", async () => {
    const turns = script<object>(away);
    const cloud = clientOf(({ rpc }) => rpc(FlavorsService.method.createFlavor, () => turns.next()));
    await assert.rejects(cloud.flavors.create({}), isError("UNAVAILABLE", "DB_UNAVAILABLE"));
    assert.equal(turns.attempts, 1);
  });

  it("repeat what broke off unanswered, but not what the cloud itself says to have failed", async () => {
    for (const code of [Code.Internal, Code.Unknown]) {
      const turns = script<object>(new ConnectError("broke off", code), {}, refusal(code, "INTERNAL"));
      const cloud = clientOf(({ rpc }) => rpc(ServersService.method.getServer, () => turns.next()));
      await cloud.servers.get({ serverId: "s" });
      assert.equal(turns.attempts, 2);
      await assert.rejects(cloud.servers.get({ serverId: "s" }));
      assert.equal(turns.attempts, 3);
    }
  });

  it("repeat a change, but not one of an expected generation", async () => {
    const turns = script<object>(away, {}, away);
    const cloud = clientOf(({ rpc }) => rpc(ServersService.method.updateServer, () => turns.next()));
    await cloud.servers.update({ serverId: "s" });
    assert.equal(turns.attempts, 2);
    await assert.rejects(cloud.servers.update({ serverId: "s", expectedGeneration: 3n }));
    assert.equal(turns.attempts, 3);
  });

  it("wait as long as the cloud asks them to", async () => {
    const turns = script<object>(refusal(Code.ResourceExhausted, "TOO_MANY_REQUESTS", { retryMs: 150 }), {});
    const cloud = clientOf(({ rpc }) => rpc(ServersService.method.getServer, () => turns.next()));
    const began = Date.now();
    await cloud.servers.get({ serverId: "s" });
    assert.ok(Date.now() - began >= 149, `came back after ${Date.now() - began} ms`);
  });

  it("end with the last refusal when their time is over", async () => {
    const turns = script<object>(away);
    const cloud = clientOf(({ rpc }) => rpc(ServersService.method.getServer, () => turns.next()));
    const began = Date.now();
    const call = cloud.servers.get({ serverId: "s" }, { timeoutMs: 500 });
    await assert.rejects(call, isError("UNAVAILABLE", "DB_UNAVAILABLE"));
    assert.ok(Date.now() - began < 10_000);
    assert.ok(turns.attempts > 1);
  });

  it("end when the caller no longer wants them", async () => {
    const cloud = clientOf(({ rpc }) =>
      rpc(ServersService.method.getServer, () => {
        throw refusal(Code.Unavailable, "DB_UNAVAILABLE", { retryMs: 900 });
      }),
    );
    const call = cloud.servers.get({ serverId: "s" }, { signal: AbortSignal.timeout(20) });
    await assert.rejects(call, (error) => error instanceof KilonovaError);
  });

  for (const [what, reason, attempts] of [
    ["when the token was refused before anything was done", "TOKEN_INVALID", 2],
    ["not when the token ended meanwhile", "TOKEN_ENDED", 1],
    ["not when another service refused the token", "TOKEN_REFUSED", 1],
  ] as const)
    it(`that may not be repeated are tried with another token: ${what}`, async () => {
      const seen: string[] = [];
      const cloud = clientOf(({ rpc }) => {
        rpc(FlavorsService.method.createFlavor, (_, context) => {
          if (seen.push(tokenOf(context)) === 1) throw refusal(Code.Unauthenticated, reason);
          return {};
        });
        rpc(ServersService.method.getServer, (_, context) => {
          if (seen.push(tokenOf(context)) === 1) throw refusal(Code.Unauthenticated, reason);
          return {};
        });
      });
      const made = cloud.flavors.create({});
      if (attempts === 1) await assert.rejects(made, isError("UNAUTHENTICATED", reason));
      else await made;
      assert.equal(seen.splice(0).length, attempts);
      // What reads is repeated in any case, and the next call has a new token.
      await cloud.servers.get({ serverId: "s" });
      assert.deepEqual(seen, ["token-2", "token-3"]);
    });

  it("log in again once when the token is refused", async () => {
    const identity = new CountingIdentity();
    const seen: string[] = [];
    const cloud = clientOf(
      ({ rpc }) =>
        rpc(FlavorsService.method.createFlavor, (_, context) => {
          seen.push(tokenOf(context));
          if (seen.length !== 2) throw refusal(Code.Unauthenticated, "TOKEN_INVALID");
          return {};
        }),
      identity,
    );
    await cloud.flavors.create({});
    assert.deepEqual(seen, ["token-1", "token-2"]);
    await assert.rejects(cloud.flavors.create({}), isError("UNAUTHENTICATED", "TOKEN_INVALID"));
    assert.deepEqual(seen, ["token-1", "token-2", "token-2", "token-3"]);
  });

  it("tell refusals with all that they say", async () => {
    const fieldViolations = [{ field: "name", description: "too long" }];
    const told = refusal(Code.InvalidArgument, "INVALID_REQUEST", { metadata: { field: "name" } });
    const quota = { violations: [{ subject: "cores", description: "used up" }] };
    const state = { violations: [{ type: "STATE", subject: "server:s", description: "is locked" }] };
    told.details.push(
      { desc: BadRequestSchema, value: { fieldViolations } },
      { desc: QuotaFailureSchema, value: quota },
      { desc: PreconditionFailureSchema, value: state },
    );
    const cloud = clientOf(({ rpc }) =>
      rpc(ServersService.method.createServers, () => {
        throw told;
      }),
    );
    const error = await cloud.servers.create({}).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof KilonovaError);
    assert.ok(error.is("BAD_PAGE_TOKEN", "INVALID_REQUEST") && !error.is("SERVER_NOT_FOUND"));
    assert.equal(error.message, "refused: INVALID_REQUEST");
    assert.deepEqual(error.metadata, { field: "name" });
    assert.deepEqual(
      error.fieldViolations.map(({ field, description }) => ({ field, description })),
      fieldViolations,
    );
    assert.equal(error.quotaViolations[0]?.subject, "cores");
    assert.equal(error.preconditionViolations[0]?.subject, "server:s");
    assert.equal(error.requestId, "req-1");
  });

  it("read lists page by page, only as far as they are asked", async () => {
    const asked: string[] = [];
    const cloud = clientOf(({ rpc }) =>
      rpc(ServersService.method.listServers, ({ pageToken }) => {
        asked.push(pageToken);
        const page = asked.length;
        return {
          servers: [{ id: `${page}a` }, { id: `${page}b` }],
          nextPageToken: page % 3 === 0 ? "" : `t${page}`,
        };
      }),
    );
    assert.equal((await cloud.servers.list().first()).id, "1a");
    assert.deepEqual(asked.splice(0), [""]);
    const all = await cloud.servers.list({ pageSize: 2 }).all();
    assert.deepEqual(
      all.map(({ id }) => id),
      ["1a", "1b", "2a", "2b", "3a", "3b"],
    );
    assert.deepEqual(asked, ["", "t1", "t2"]);
  });

  it("say that an empty list has no first row", async () => {
    const cloud = clientOf(({ rpc }) => rpc(ServersService.method.listServers, () => ({})));
    await assert.rejects(cloud.servers.list().first(), isError("NOT_FOUND", "NOT_FOUND"));
  });
});
