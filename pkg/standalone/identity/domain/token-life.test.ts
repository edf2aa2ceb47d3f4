import assert from "node:assert/strict";
import type { TokenFacts } from "./token-life.js";
import { isAlive } from "./token-life.js";

const HOUR = 3_600_000_000n;
const good: TokenFacts = {
  scope: "project",
  expires_at: 10n * HOUR,
  user_enabled: true,
  home_enabled: true,
  project_enabled: true,
  project_domain_enabled: true,
  domain_enabled: null,
  credential_expires_at: null,
};

describe("a stored token", () => {
  it("counts while all that it hangs on does", () => {
    assert.equal(isAlive(good, 0n, false), true);
    assert.equal(isAlive({ ...good, credential_expires_at: 1n }, 0n, false), true);
    const none = { project_enabled: null, project_domain_enabled: null };
    for (const scope of ["unscoped", "system"] as const)
      assert.equal(isAlive({ ...good, ...none, scope }, 0n, false), true, scope);
    assert.equal(isAlive({ ...good, ...none, scope: "domain", domain_enabled: true }, 0n, false), true);
  });

  for (const [what, change] of [
    ["its user is disabled", { user_enabled: false }],
    ["its user's domain is disabled", { home_enabled: false }],
    ["its project is disabled", { project_enabled: false }],
    ["its project is gone", { project_enabled: null }],
    ["its project's domain is disabled", { project_domain_enabled: false }],
    ["its domain is disabled", { scope: "domain", domain_enabled: false }],
    ["its domain is gone", { scope: "domain", domain_enabled: null }],
    ["its application credential has ended", { credential_expires_at: 5n * HOUR }],
  ] as const)
    for (const allowExpired of [false, true])
      it(`ends when ${what}${allowExpired ? ", for services too" : ""}`, () =>
        assert.equal(isAlive({ ...good, ...change }, 5n * HOUR, allowExpired), false));

  it("ends in time, for services 48 hours later", () => {
    const at = (now: bigint) => [isAlive(good, now, false), isAlive(good, now, true)];
    assert.deepEqual(at(10n * HOUR - 1n), [true, true]);
    assert.deepEqual(at(10n * HOUR), [false, true]);
    assert.deepEqual(at(58n * HOUR), [false, false]);
  });
});
