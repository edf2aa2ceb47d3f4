import assert from "node:assert/strict";
import { KilonovaError } from "../../../kernel/index.js";
import { fakeClock } from "../../../testkit/clock.js";
import { testCtx } from "../../../testkit/ctx.js";
import type { AuthRequest, Proof } from "../domain/model.js";
import { anAccount, anIdentity } from "../testing/an-identity.js";
import type { AnIdentity } from "../testing/an-identity.js";
import { authenticate } from "./authenticate.js";
import type { IssuedToken } from "./authenticate.js";

const unscoped = (...proofs: Proof[]): AuthRequest => ({ proofs, scope: { kind: "unscoped" } });
const byPassword = (name: string, password: string): AuthRequest =>
  unscoped({ method: "password", user: { name, domain: { id: "default" } }, password });
const byToken = (token: string): AuthRequest => unscoped({ method: "token", token });
const byCredential = (name: string): AuthRequest =>
  unscoped({
    method: "application_credential",
    credential: { name, user: { id: "u-1" } },
    secret: "wrong",
  });

function setting(over: Partial<AnIdentity> = {}) {
  const clock = fakeClock();
  const verified: (string | null | undefined)[] = [];
  const { parts } = anIdentity({
    clock,
    accounts: [anAccount(), anAccount({ id: "u-2", name: "eve", options: { [EXEMPT]: true } })],
    verify: async (password, stored) => {
      verified.push(stored);
      return password === stored;
    },
    ...over,
  });
  const login = (request: AuthRequest, address = "192.0.2.1"): Promise<IssuedToken> =>
    authenticate(parts, testCtx(), request, address);
  /** Why it failed, as a client would see it. */
  const refusal = async (request: AuthRequest, address?: string): Promise<string> => {
    const error: unknown = await login(request, address).then(
      () => undefined,
      (e: unknown) => e,
    );
    assert.ok(error instanceof KilonovaError);
    return `${error.reason} ${error.message}`;
  };
  return { clock, login, refusal, verified };
}
const EXEMPT = "ignore_lockout_failure_attempts";

describe("authentication", () => {
  it("gives a token that was made from another no more time than that one has", async () => {
    const { clock, login } = setting();
    const first = await login(byPassword("alice", "right"));
    const end = first.view.record.expiresAt;
    await clock.advance(3_000_000);
    const second = await login(byToken(first.secret));
    assert.equal(second.view.record.expiresAt, end);
    await clock.advance(500_000);
    assert.equal((await login(byToken(second.secret))).view.record.expiresAt, end);
    await clock.advance(100_001);
    await assert.rejects(login(byToken(second.secret)));
  });

  it("answers alike for accounts that exist and that do not, also when it makes them pause", async () => {
    const texts = async (request: AuthRequest): Promise<string[]> => {
      const { refusal, verified } = setting();
      const seen: string[] = [];
      for (let i = 0; i < 5; i++) seen.push(await refusal(request));
      return [...seen, `${verified.length} times hashed`];
    };
    const known = await texts(byPassword("alice", "wrong"));
    assert.match(known[0] ?? "", /^UNAUTHENTICATED/);
    assert.match(known[4] ?? "", /^PAUSE Too many failed authentications. Try again in 1 seconds/);
    assert.equal(known[5], "3 times hashed");
    assert.deepEqual(await texts(byPassword("nobody", "wrong")), known);
    assert.deepEqual(await texts(byCredential("no such")), known);
  });

  it("does not look at the right password either while the address must pause", async () => {
    const { clock, login, refusal } = setting();
    for (let i = 0; i < 3; i++) await refusal(byPassword("alice", "wrong"));
    assert.match(await refusal(byPassword("alice", "right")), /^PAUSE/);
    await login(byPassword("alice", "right"), "192.0.2.2");
    await clock.advance(1_000);
    await login(byPassword("alice", "right"));
  });

  it("counts an account once, however it is named", async () => {
    const { refusal } = setting();
    const byId = unscoped({ method: "password", user: { id: "u-1" }, password: "wrong" });
    for (const request of [byId, byPassword("alice", "wrong"), byId]) await refusal(request);
    assert.match(await refusal(byPassword("alice", "wrong")), /^PAUSE/);
  });

  it("locks for strangers after many failures from everywhere, and not at home", async () => {
    const { login, refusal } = setting({ logins: { lockoutFailureAttempts: 4 } });
    await login(byPassword("alice", "right"), "10.0.0.1");
    for (let i = 0; i < 4; i++) await refusal(byPassword("alice", "wrong"), `192.0.2.${i}`);
    assert.match(await refusal(byPassword("alice", "right"), "192.0.2.9"), /^PAUSE/);
    await login(byPassword("alice", "right"), "10.0.0.1");
  });

  it("lets exempt accounts alone", async () => {
    const { login, refusal } = setting({ logins: { lockoutFailureAttempts: 2 } });
    for (let i = 0; i < 10; i++) assert.match(await refusal(byPassword("eve", "wrong")), /^UNAUTHENTICATED/);
    await login(byPassword("eve", "right"));
  });
});
