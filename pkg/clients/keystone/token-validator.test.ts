import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { CommonErrors, KilonovaError, whenAborted } from "../../kernel/index.js";
import type { HttpAnswer } from "../../platform/http/index.js";
import { fakeClock } from "../../testkit/clock.js";
import type { FakeClock } from "../../testkit/clock.js";
import { testCtx } from "../../testkit/ctx.js";
import { until } from "../../testkit/until.js";
import { tokenBody } from "../testing/handmade-cloud.js";
import type { TokenInfo } from "./ports.js";
import { tokenValidator } from "./token-validator.js";
import type { InformedTokenValidator, TokenBeliefOptions } from "./token-validator.js";

const reason =
  (name: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === name;
const refused = reason("TOKEN_INVALID");
const away = reason("IDENTITY_UNAVAILABLE");

type Answer = "good" | "unknown" | "away" | readonly string[];

/** Identity as a variable: what it says now, and how often it was asked. */
interface Setting {
  readonly clock: FakeClock;
  readonly validator: InformedTokenValidator;
  readonly asked: () => number;
  says(answer: Answer): void;
  /** Keeps questions without an answer until it is called again with false. */
  hang(yes: boolean): void;
  validate(): Promise<TokenInfo>;
}

function setting(options: TokenBeliefOptions = {}): Setting {
  const clock = fakeClock();
  let now: Answer = "good";
  let asked = 0;
  let gate: Promise<void> = Promise.resolve();
  let open = (): void => {};
  const answer = (): HttpAnswer => {
    if (now === "away") throw CommonErrors.UNAVAILABLE({ what: "Identity" });
    if (now === "unknown") return { status: 404, headers: {}, json: undefined };
    const roles = (now === "good" ? ["admin", "reader"] : now).map((name) => ({ id: name, name }));
    const json = tokenBody(Number(clock.now() / 1_000n), 3_600_000, [], { roles });
    return { status: 200, headers: {}, json };
  };
  const validator = tokenValidator({
    clock,
    authUrl: "http://id/v3",
    session: {
      token: async () => "own",
      discard: () => {},
      endpoint: async () => "",
    },
    http: {
      call: async () => {
        asked += 1;
        await gate;
        return answer();
      },
      open: () => Promise.reject(new Error("not used")),
    },
    patienceMs: 5,
    ...options,
  });
  return {
    clock,
    validator,
    asked: () => asked,
    says: (answer_) => {
      now = answer_;
    },
    hang: (yes) => {
      if (!yes) return open();
      gate = new Promise((resolve) => {
        open = resolve;
      });
    },
    validate: () => validator.validate(testCtx(), "token"),
  };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const KEY = createHash("sha256").update("token").digest("base64");

describe("token validator: how long an answer is believed", () => {
  it("refuses within the bound, and asks in time so that nobody waits", async () => {
    const t = setting();
    await t.validate();
    await t.clock.advance(2_900);
    await t.validate();
    assert.equal(t.asked(), 1, "a young answer needs no question");
    await t.clock.advance(200);
    t.hang(true);
    await t.validate();
    assert.equal(t.asked(), 2, "an older one is asked for again, beside the request");
    await t.validate();
    assert.equal(t.asked(), 2, "by one question");
    t.says("unknown");
    t.hang(false);
    await settle();
    await assert.rejects(t.validate(), refused);
  });

  it("never answers from an older answer than the bound while Identity can be asked", async () => {
    const t = setting();
    await t.validate();
    t.says("unknown");
    await t.clock.advance(4_999);
    await t.validate();
    await t.clock.advance(1);
    await assert.rejects(t.validate(), refused);
    const late = setting({ revalidateMs: 1_000 });
    await late.validate();
    late.says("unknown");
    await late.clock.advance(1_000);
    await assert.rejects(late.validate(), refused);
  });

  it("counts from the question, not from the answer", async () => {
    const t = setting();
    t.hang(true);
    const first = t.validate();
    await t.clock.advance(4_000);
    t.hang(false);
    await first;
    t.says("unknown");
    await t.clock.advance(1_000);
    await assert.rejects(t.validate(), refused);
  });

  it("gives the new roles of a token that was demoted", async () => {
    const t = setting();
    assert.deepEqual((await t.validate()).actor.roles, ["admin", "reader"]);
    t.says(["reader"]);
    await t.clock.advance(5_000);
    assert.deepEqual((await t.validate()).actor.roles, ["reader"]);
  });

  it("grants no roles for a domain: they count in Identity only", async () => {
    const t = setting();
    const scope = { project: undefined, domain: { id: "d", name: "D" } };
    const validator = tokenValidator({
      clock: t.clock,
      authUrl: "http://id/v3",
      session: { token: async () => "own", discard: () => {}, endpoint: async () => "" },
      http: {
        call: async () => ({
          status: 200,
          headers: {},
          json: tokenBody(Number(t.clock.now() / 1_000n), 60_000, [], scope),
        }),
        open: () => Promise.reject(new Error("not used")),
      },
    });
    const { actor } = await validator.validate(testCtx(), "token");
    assert.deepEqual([actor.domainId, actor.projectId, actor.roles], ["d", "", []]);
  });
});

describe("token validator: while Identity is away", () => {
  it("believes tokens seen a short while ago, then refuses to say", async () => {
    const t = setting();
    await t.validate();
    t.says("away");
    for (const ms of [5_000, 20_000, 34_999]) {
      await t.clock.advance(ms);
      await t.validate();
    }
    await t.clock.advance(1);
    await assert.rejects(t.validate(), away);
    t.says("good");
    await t.validate();
  });

  it("never believes a token that it has not seen, or that was refused", async () => {
    const t = setting();
    t.says("away");
    await assert.rejects(t.validate(), away);
    t.says("good");
    await t.validate();
    t.says("unknown");
    await t.clock.advance(5_000);
    await assert.rejects(t.validate(), refused);
    t.says("away");
    await assert.rejects(t.validate(), refused);
    await t.clock.advance(10_001);
    await assert.rejects(t.validate(), away);
  });

  it("does not let every request wait for it, and asks about once a second", async () => {
    const t = setting();
    await t.validate();
    t.hang(true);
    await t.clock.advance(5_000);
    await t.validate();
    assert.equal(t.asked(), 2);
    await t.validate();
    assert.equal(t.asked(), 2, "one question is under way");
    t.says("away");
    t.hang(false);
    await settle();
    for (let ms = 0; ms < 3_000; ms += 100) {
      await t.clock.advance(100);
      await t.validate();
    }
    assert.equal(t.asked(), 5);
  });

  it("is over when Identity answers again: a token not used meanwhile is asked for first", async () => {
    const t = setting();
    await t.validate();
    t.says("away");
    await t.clock.advance(4_000);
    await t.validate();
    await settle();
    t.says("unknown");
    await t.clock.advance(20_000);
    await assert.rejects(t.validate(), refused);
  });

  it("can be told to believe nothing", async () => {
    const t = setting({ graceMs: 0 });
    await t.validate();
    t.says("away");
    await t.clock.advance(5_000);
    await assert.rejects(t.validate(), away);
  });
});

describe("token validator: told of changes", () => {
  for (const [who, change, hits] of [
    ["this token", { of: "token", key: KEY }, true],
    ["its user", { of: "user", userId: "u-1" }, true],
    ["everybody", { of: "everybody" }, true],
    ["another token", { of: "token", key: "other" }, false],
    ["another user", { of: "user", userId: "u-2" }, false],
  ] as const) {
    it(`${hits ? "refuses at once after" : "goes on after"} a change of ${who}`, async () => {
      const t = setting();
      await t.validate();
      t.says("unknown");
      t.validator.forget(change);
      if (hits) await assert.rejects(t.validate(), refused);
      else await t.validate();
    });
  }

  it("does not remember an answer that was asked for before the change", async () => {
    const t = setting();
    t.hang(true);
    const before = t.validate();
    await settle();
    t.validator.forget({ of: "everybody" });
    t.hang(false);
    await before;
    t.says("unknown");
    await assert.rejects(t.validate(), refused);
  });

  it("knows at once that a refused token is good now", async () => {
    const t = setting();
    t.says("unknown");
    await assert.rejects(t.validate(), refused);
    t.says("good");
    t.validator.forget({ of: "user", userId: "u-1" });
    await t.validate();
  });
});

describe("token validator: calls under way", () => {
  /** What a call does that lasts: it listens, and stops listening in the end. */
  const hold = async (t: Setting): Promise<{ signal: AbortSignal; leave(): void }> => {
    const { ended } = await t.validate();
    assert.ok(ended);
    return { signal: ended, leave: whenAborted(ended, () => {}) };
  };
  const short = { revalidateMs: 50, graceMs: 100 };

  it("end when the token is refused, by the timer", async () => {
    const t = setting(short);
    const { signal } = await hold(t);
    t.says("unknown");
    await t.clock.advance(31);
    await until(() => signal.aborted);
    assert.ok(refused(signal.reason));
  });

  it("end at once when they are told", async () => {
    const t = setting();
    const { signal } = await hold(t);
    t.says("unknown");
    t.validator.forget({ of: "user", userId: "u-1" });
    await settle();
    assert.ok(signal.aborted);
  });

  it("end when a role is lost, and go on when one is won", async () => {
    const t = setting();
    const { signal } = await hold(t);
    t.says(["admin", "reader", "more"]);
    t.validator.forget({ of: "everybody" });
    await settle();
    assert.equal(signal.aborted, false);
    t.says(["reader"]);
    t.validator.forget({ of: "everybody" });
    await settle();
    assert.ok(signal.aborted);
    assert.equal((await hold(t)).signal.aborted, false, "a new call has what is left");
  });

  it("end with the token's own end", async () => {
    const t = setting(short);
    const { signal } = await hold(t);
    await t.clock.advance(3_600_001);
    await until(() => signal.aborted);
    assert.ok(refused(signal.reason));
  });

  it("go on through a short outage and end after a long one", async () => {
    const t = setting(short);
    const { signal } = await hold(t);
    t.says("away");
    await t.clock.advance(99);
    await until(() => t.asked() > 1);
    await settle();
    assert.equal(signal.aborted, false);
    await t.clock.advance(1);
    await until(() => signal.aborted);
    assert.ok(away(signal.reason));
  });

  it("share one question, and none is asked when they are over", async () => {
    const t = setting(short);
    const calls = await Promise.all(Array.from({ length: 100 }, () => hold(t)));
    assert.equal(new Set(calls.map(({ signal }) => signal)).size, 1);
    await t.clock.advance(40);
    await until(() => t.asked() === 2);
    for (const call of calls) call.leave();
    await t.clock.advance(40);
    await until(() => t.validator.held() === 0);
    assert.equal(t.asked(), 2);
    assert.notEqual((await hold(t)).signal, calls[0]?.signal);
  });
});
