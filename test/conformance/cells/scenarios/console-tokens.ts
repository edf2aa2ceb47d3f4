import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { ServerHostInfo } from "../../../../gen/kilonova/type/v1/server.js";
import { toTimestamp } from "../../../../pkg/model/wire-time.js";
import { systemClock } from "../../../../pkg/platform/process/clock.js";
import type { Scenario, Stage } from "../stage.js";
import { refusal } from "../stage.js";

const hashOf = (text: string): Buffer => createHash("sha256").update(text).digest();
const MINUTE = 60_000_000n;
const on = (host: string) => ({ hostInfo: ServerHostInfo.fromPartial({ host }) });

/** Keeps a token that ends in so many minutes. */
const keep = (s: Stage, name: string, serverId: string, host: string, minutes = 10): Promise<unknown> =>
  s.consoleTokens.storeConsoleToken(s.ctx, {
    token: {
      tokenHash: hashOf(s.name(name)),
      serverId,
      projectId: s.project,
      type: "novnc",
      host,
      run: "r1",
      database: "cell1",
      expiresAt: toTimestamp(systemClock.now() + BigInt(minutes) * MINUTE),
    },
  });
const find = (s: Stage, name: string) =>
  s.consoleTokens.getConsoleToken(s.ctx, { tokenHash: hashOf(s.name(name)) });
/** Which of the tokens are good. */
async function good(s: Stage, names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(names.map((name) => find(s, name).catch(() => undefined)));
  return names.filter((_, index) => found[index] !== undefined);
}

export const consoleTokens: readonly Scenario[] = [
  {
    name: "a token tells its console and where its host's agent is, until it ends",
    run: async (s) => {
      const host = s.name("h");
      await s.register(host, { address: "a:7" });
      const server = await s.put(1, on(host));
      await keep(s, "t", server, host);
      await keep(s, "t", server, host);
      const { token, agentAddress } = await find(s, "t");
      assert.deepEqual(
        [token?.serverId, token?.projectId, token?.type, token?.host, token?.run, agentAddress],
        [server, s.project, "novnc", host, "r1", "a:7"],
      );
      assert.equal(await refusal(find(s, "other")), "CONSOLE_TOKEN_NOT_FOUND");
      await keep(s, "ended", server, host, -1);
      assert.equal(await refusal(find(s, "ended")), "CONSOLE_TOKEN_NOT_FOUND");
    },
  },
  {
    name: "a token is no good for a server that is elsewhere, deleted or unknown",
    run: async (s) => {
      const host = s.name("h");
      await keep(s, "moved", await s.put(1, on(s.name("other"))), host);
      await keep(s, "deleted", await s.put(2, { ...on(host), deletedAt: toTimestamp(1n) }), host);
      await keep(s, "unknown", s.id(3), host);
      for (const name of ["moved", "deleted", "unknown"])
        assert.equal(await refusal(find(s, name)), "CONSOLE_TOKEN_NOT_FOUND", name);
    },
  },
  {
    name: "of too many tokens of a server those that end first give way",
    run: async (s) => {
      const host = s.name("h");
      const [server, other] = [await s.put(1, on(host)), await s.put(2, on(host))];
      await keep(s, "other", other, host, 1);
      const names = Array.from({ length: 18 }, (_, i) => `t${i}`);
      for (const [index, name] of names.entries()) await keep(s, name, server, host, 10 + index);
      assert.deepEqual(await good(s, ["other", ...names]), ["other", ...names.slice(2)]);
    },
  },
  {
    name: "of too many tokens of a project those that end first give way",
    run: async (s) => {
      const host = s.name("h");
      const servers = await Promise.all(Array.from({ length: 17 }, (_, i) => s.put(i + 1, on(host))));
      const names = Array.from({ length: 258 }, (_, i) => `t${i}`);
      for (const [index, name] of names.entries())
        await keep(s, name, servers[index % servers.length] ?? "", host, 10 + index);
      assert.deepEqual(await good(s, names), names.slice(2));
    },
  },
];
