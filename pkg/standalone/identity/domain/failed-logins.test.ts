import assert from "node:assert/strict";
import { loginsConfig } from "../config.js";
import { FailedLogins } from "./failed-logins.js";

const home = { address: "10.0.0.1", account: "alice" };
const elsewhere = (n: number) => ({ address: `192.0.2.${n}`, account: "alice" });

describe("failed logins", () => {
  it("let the address pause longer after each, up to a limit", () => {
    const failures = new FailedLogins(loginsConfig.parse({ backoffMaxSeconds: 8 }));
    const pauses: number[] = [];
    let nowMs = 0;
    for (let i = 0; i < 8; i++) {
      failures.failed(home, nowMs);
      pauses.push(failures.waitMs(home, nowMs));
      nowMs += pauses.at(-1) ?? 0;
      assert.equal(failures.waitMs(home, nowMs), 0);
    }
    assert.deepEqual(pauses, [0, 0, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    assert.equal(failures.waitMs(elsewhere(1), nowMs - 1), 0, "another address need not");
    assert.equal(failures.waitMs({ ...home, account: "bob" }, nowMs - 1), 0, "another account need not");
  });

  it("are forgotten by a success and after a while", () => {
    const failures = new FailedLogins(loginsConfig.parse({ backoffAfter: 1, lockoutDurationSeconds: 10 }));
    failures.failed(home, 0);
    assert.equal(failures.waitMs(home, 0), 1_000);
    failures.succeeded(home);
    assert.equal(failures.waitMs(home, 0), 0);
    for (let i = 0; i < 20; i++) failures.failed(home, 0);
    failures.failed(home, 10_000);
    assert.equal(failures.waitMs(home, 10_000), 1_000, "the first again");
  });

  it("lock the account for strangers after many, and not for where it logs in from", () => {
    const failures = new FailedLogins(
      loginsConfig.parse({ lockoutFailureAttempts: 5, lockoutDurationSeconds: 30 }),
    );
    failures.succeeded(home);
    for (let i = 1; i <= 5; i++) failures.failed(elsewhere(i), 1_000);
    assert.equal(failures.waitMs(elsewhere(99), 1_000), 30_000);
    assert.equal(failures.waitMs(home, 1_000), 0);
    assert.equal(failures.waitMs({ ...elsewhere(1), account: "bob" }, 1_000), 0);
    assert.equal(failures.waitMs(elsewhere(99), 31_000), 0);
  });

  it("keep their count when the owner logs in elsewhere", () => {
    const failures = new FailedLogins(loginsConfig.parse({ lockoutFailureAttempts: 2 }));
    failures.failed(elsewhere(1), 0);
    failures.succeeded(home);
    failures.failed(elsewhere(2), 0);
    assert.ok(failures.waitMs(elsewhere(3), 0) > 0);
  });

  it("mean nothing when both are turned off", () => {
    const failures = new FailedLogins(loginsConfig.parse({ backoffAfter: 0, lockoutFailureAttempts: 0 }));
    for (let i = 0; i < 1_000; i++) failures.failed(home, 0);
    assert.equal(failures.waitMs(home, 0), 0);
  });
});
