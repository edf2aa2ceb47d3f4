import assert from "node:assert/strict";
import { KilonovaError } from "../../kernel/errors.js";
import { anInventory, chance } from "../testing/builders.js";
import { aClaim, aConsumer, aMove, aTakeOver, holding, reasonOf } from "../testing/ledger-builders.js";
import { EVERY_ATTEMPT, orderOf } from "./claim-order.js";
import { openLedger } from "./ledger.js";
import type { Ledger } from "./ledger.js";
import type { Consumer } from "./model.js";

/** Source, destination and another host with 4 VCPU each, a child of the source, and shared storage. */
const ROOTS = { src: "src", "src-0": "src", dst: "dst", other: "other", disks: "disks" };
const CLASSES: Readonly<Record<string, string>> = { disks: "DISK_GB", "src-0": "VGPU" };

/** The server `s` runs on the source, as its boot claimed it. */
const running = (amounts: Readonly<Record<string, number>> = { VCPU: 2 }): Consumer =>
  aConsumer("s", [holding("src", amounts)], { claimFence: orderOf(1, 0) });

function ledgerOf(...consumers: readonly Consumer[]): Ledger {
  const usedOf = (provider: string): number =>
    consumers
      .flatMap(({ holdings }) => holdings.filter(({ providerId }) => providerId === provider))
      .flatMap(({ resources }) => [...resources.values()])
      .reduce((sum, one) => sum + one, 0);
  return openLedger({
    consumers,
    tombstones: [],
    providers: Object.entries(ROOTS).map(([id, rootId]) => ({
      id,
      rootId,
      generation: 0,
      inventories: [anInventory(CLASSES[id] ?? "VCPU", 4, { used: usedOf(id) })],
    })),
  });
}

/** What a consumer holds by the diff, as `provider=amount`. */
const heldBy = (ledger: Ledger, consumerId: string): string =>
  (ledger.diff().consumers.find((one) => one.consumerId === consumerId)?.holdings ?? [])
    .flatMap(({ providerId, resources }) =>
      [...resources.values()].map((amount) => `${providerId}=${amount}`),
    )
    .sort()
    .join(" ");
const used = (ledger: Ledger, provider: string): number | undefined =>
  ledger.diff().usages.find(({ providerId }) => providerId === provider)?.used;
const move = (fence: number, attempt = 0, operation = "resize") => ({
  operation,
  fence: orderOf(fence, attempt),
});
const undo = (fence: number, attempt = EVERY_ATTEMPT) => move(fence, attempt);
const whole = { ownOnly: false, trees: [], expected: "any" } as const;

describe("claims of moves", () => {
  it("hand the source to the migration and claim the destination, in one", () => {
    const ledger = ledgerOf(running());
    const generations = ledger.claim(aMove("s", "m", { dst: { VCPU: 3 } }, 1), move(2));
    assert.deepEqual(Object.fromEntries(generations), { m: 1, s: 2 });
    assert.deepEqual([heldBy(ledger, "s"), heldBy(ledger, "m")], ["dst=3", "src=2"]);
    assert.deepEqual([used(ledger, "src"), used(ledger, "dst")], [undefined, 3]);
    assert.deepEqual(
      ledger.diff().consumers.map(({ consumerType, claimOperation }) => [consumerType, claimOperation]),
      [
        ["INSTANCE", "resize"],
        ["MIGRATION", "resize"],
      ],
    );
    assert.deepEqual(ledger.diff().tombstones, [
      { consumerId: "s", operation: "boot", fence: orderOf(1, 0) },
    ]);
  });
  it("of nothing free what is held, and come too late once they are released", () => {
    const ledger = ledgerOf(running());
    const [first, second] = [move(2, 0, "offload"), move(3, 0, "offload")];
    const forbid = (fence: number) =>
      ledger.release("s", move(fence, EVERY_ATTEMPT, "offload"), { ...whole, ownOnly: true });
    ledger.claim(aClaim("s", {}, 1), second);
    assert.deepEqual([heldBy(ledger, "s"), used(ledger, "src")], ["", 0]);
    assert.equal(forbid(3), false);
    ledger.claim(aClaim("s", { dst: { VCPU: 2 } }), move(4, 0, "unshelve"));
    assert.equal(
      reasonOf(() => ledger.claim(aClaim("s", {}, 1), first)),
      "CLAIM_TOMBSTONED",
    );
    assert.equal(forbid(2), false);
    assert.equal(heldBy(ledger, "s"), "dst=2");
  });
  it("need room for both on the same host", () => {
    const ledger = ledgerOf(running());
    assert.equal(
      reasonOf(() => ledger.claim(aMove("s", "m", { src: { VCPU: 3 } }, 1), move(2))),
      "CAPACITY_EXCEEDED",
    );
    ledger.claim(aMove("s", "m", { src: { VCPU: 2 } }, 1), move(2));
    assert.deepEqual([heldBy(ledger, "s"), heldBy(ledger, "m"), used(ledger, "src")], ["src=2", "src=2", 4]);
  });
  it("change nothing when one part is refused", () => {
    for (const [name, claim, key] of [
      ["no room", aMove("s", "m", { dst: { VCPU: 5 } }, 1), move(2)],
      ["another generation", aMove("s", "m", { dst: { VCPU: 1 } }, 7), move(2)],
      ["an unknown provider", aMove("s", "m", { gone: { VCPU: 1 } }, 1), move(2)],
    ] as const) {
      const ledger = ledgerOf(running());
      assert.notEqual(
        reasonOf(() => ledger.claim(claim, key)),
        "",
        name,
      );
      assert.deepEqual(ledger.diff(), ledgerOf(running()).diff(), name);
    }
  });
  it("judge what is newly claimed, not what was held before", () => {
    const ledger = openLedger({
      consumers: [running()],
      tombstones: [],
      providers: [
        {
          id: "src",
          rootId: "src",
          generation: 0,
          inventories: [anInventory("VCPU", 1, { used: 2, minUnit: 4 })],
        },
        { id: "dst", rootId: "dst", generation: 0, inventories: [anInventory("VCPU", 4)] },
      ],
    });
    ledger.claim(aMove("s", "m", { dst: { VCPU: 2 } }, 1), move(2));
    assert.deepEqual([heldBy(ledger, "s"), heldBy(ledger, "m")], ["dst=2", "src=2"]);
  });
  it("are repeated without effect", () => {
    const ledger = ledgerOf(running());
    const claim = aMove("s", "m", { dst: { VCPU: 3 } }, 1);
    ledger.claim(claim, move(2));
    const once = ledger.diff();
    assert.deepEqual(Object.fromEntries(ledger.claim(claim, move(2))), { m: 1, s: 2 });
    assert.deepEqual(ledger.diff(), once);
  });
  it("are taken over by the operation's next owner and by later attempts, the source as it was", () => {
    for (const later of [move(3), move(2, 1)]) {
      const ledger = ledgerOf(running());
      ledger.claim(aMove("s", "m", { dst: { VCPU: 3 } }, 1), move(2));
      ledger.claim(aMove("s", "m", { other: { VCPU: 3 } }, "new"), later);
      assert.deepEqual([heldBy(ledger, "s"), heldBy(ledger, "m")], ["other=3", "src=2"]);
      assert.equal(
        reasonOf(() => ledger.claim(aMove("s", "m", { dst: { VCPU: 3 } }, 1), move(2))),
        "CLAIM_FENCED",
      );
    }
  });
  it("are answered alike to the next owner, after which the old one is refused", () => {
    const ledger = ledgerOf(running());
    const claim = aMove("s", "m", { dst: { VCPU: 3 } }, 1);
    ledger.claim(claim, move(2));
    assert.deepEqual(Object.fromEntries(ledger.claim(claim, move(3))), { m: 1, s: 2 });
    assert.equal(
      reasonOf(() => ledger.claim(claim, move(2))),
      "CLAIM_FENCED",
    );
    assert.equal(
      reasonOf(() => ledger.revert("s", "m", undo(2))),
      "CLAIM_FENCED",
    );
  });
  it("of nothing are a release: what was claimed before cannot come again", () => {
    const ledger = ledgerOf(running());
    const boot = { operation: "boot", fence: orderOf(1, 0) };
    ledger.claim(aClaim("s", {}, 1), boot);
    assert.equal(
      reasonOf(() => ledger.claim(aClaim("s", { src: { VCPU: 2 } }), boot)),
      "CLAIM_TOMBSTONED",
    );
  });
  it("refuse a source that is empty, or holds only what the operation claimed", () => {
    assert.equal(
      reasonOf(() => ledgerOf().claim(aMove("s", "m", { dst: { VCPU: 1 } }, "new"), move(2))),
      "NOTHING_TO_TAKE_OVER",
    );
    const ledger = ledgerOf(running());
    ledger.claim(aClaim("s", { dst: { VCPU: 2 } }, 1), move(2));
    assert.equal(
      reasonOf(() => ledger.claim(aMove("s", "m", { other: { VCPU: 1 } }, "new"), move(3))),
      "NOTHING_TO_TAKE_OVER",
    );
  });
  it("refuse consumers that are named twice", () => {
    const ledger = ledgerOf(running());
    const takeOvers = [aTakeOver("m", "s"), aTakeOver("n", "s")];
    for (const claim of [
      { claims: [], takeOvers },
      { claims: [], takeOvers: [aTakeOver("s", "s", { expected: 1 })] },
      { ...aClaim("m", { dst: { VCPU: 1 } }), takeOvers: [aTakeOver("m", "s")] },
    ])
      assert.equal(
        reasonOf(() => ledger.claim(claim, move(2))),
        "CLAIM_INVALID",
      );
  });
});

describe("undoing a move", () => {
  const moved = (): Ledger => {
    const ledger = ledgerOf(running());
    ledger.claim(aMove("s", "m", { dst: { VCPU: 3 } }, 1), move(2));
    return ledger;
  };
  it("gives the source back, once, and refuses what comes late", () => {
    const ledger = moved();
    assert.equal(ledger.revert("s", "m", undo(2)), true);
    assert.deepEqual([heldBy(ledger, "s"), heldBy(ledger, "m")], ["src=2", ""]);
    assert.deepEqual([used(ledger, "src"), used(ledger, "dst")], [undefined, undefined]);
    assert.equal(ledger.revert("s", "m", undo(2)), false, "repeating is harmless");
    assert.equal(heldBy(ledger, "s"), "src=2");
    assert.equal(
      reasonOf(() => ledger.claim(aMove("s", "m", { dst: { VCPU: 3 } }, 1), move(2))),
      "CLAIM_TOMBSTONED",
    );
  });
  it("before the move came refuses it, and touches nothing", () => {
    const ledger = ledgerOf(running());
    assert.equal(ledger.revert("s", "m", undo(2)), false);
    assert.deepEqual(ledger.diff().consumers, []);
    assert.equal(
      reasonOf(() => ledger.claim(aMove("s", "m", { dst: { VCPU: 3 } }, 1), move(2))),
      "CLAIM_TOMBSTONED",
    );
    ledger.claim(aMove("s", "m", { dst: { VCPU: 3 } }, 1), move(3));
  });
  it("of one try lets the next one move again", () => {
    const ledger = moved();
    ledger.revert("s", "m", undo(2, 0));
    ledger.claim(aMove("s", "m", { other: { VCPU: 3 } }, 3), move(2, 1));
    assert.deepEqual([heldBy(ledger, "s"), heldBy(ledger, "m")], ["other=3", "src=2"]);
    assert.equal(
      reasonOf(() => ledger.revert("s", "m", undo(2, 0))),
      "CLAIM_FENCED",
    );
  });
  it("leaves alone a server for which another operation has claimed", () => {
    const ledger = moved();
    ledger.claim(aClaim("s", { other: { VCPU: 1 } }, 2), move(5, 0, "evacuate"));
    assert.equal(ledger.revert("s", "m", undo(2)), false);
    assert.deepEqual([heldBy(ledger, "s"), heldBy(ledger, "m")], ["other=1", "src=2"]);
  });
  it("leaves alone a migration that another operation claims for", () => {
    const migration = aConsumer("m", [holding("other", { VCPU: 1 })], { claimOperation: "another" });
    const ledger = ledgerOf({ ...running(), claimOperation: "" }, migration);
    assert.equal(ledger.revert("s", "m", undo(2)), false);
    assert.deepEqual(ledger.diff().consumers, []);
  });
  it("gives nothing back to a server that is being deleted", () => {
    const ledger = moved();
    ledger.release("s", { operation: "delete", fence: orderOf(3, 0) }, whole);
    assert.equal(ledger.revert("s", "m", undo(2)), true);
    assert.deepEqual([heldBy(ledger, "s"), heldBy(ledger, "m")], ["", ""]);
  });
  it("is no undo when the owner wants it: that operation takes over in the other direction", () => {
    const ledger = moved();
    const back = { claims: [], takeOvers: [aTakeOver("s", "m", { expected: 2, expectedFrom: 1 })] };
    const key = move(3, 0, "revert-resize");
    const stale = { claims: [], takeOvers: [aTakeOver("s", "m", { expected: 2, expectedFrom: 7 })] };
    assert.equal(
      reasonOf(() => ledger.claim(stale, key)),
      "CONSUMER_GENERATION_CONFLICT",
    );
    assert.deepEqual(Object.fromEntries(ledger.claim(back, key)), { s: 3 });
    assert.deepEqual([heldBy(ledger, "s"), heldBy(ledger, "m")], ["src=2", ""]);
    assert.deepEqual(Object.fromEntries(ledger.claim(back, key)), { s: 3 }, "repeating is harmless");
    assert.equal(
      reasonOf(() => ledger.claim(aMove("s", "m", { dst: { VCPU: 3 } }, 1), move(2))),
      "CLAIM_TOMBSTONED",
    );
  });
});

describe("halves", () => {
  const evacuated = (): Ledger => {
    const server = aConsumer("s", [
      holding("src", { VCPU: 2 }),
      holding("src-0", { VGPU: 1 }),
      holding("disks", { DISK_GB: 2 }),
    ]);
    const ledger = ledgerOf(server);
    const claim = aClaim("s", { dst: { VCPU: 2 }, disks: { DISK_GB: 2 } }, 1, ["src-0"]);
    ledger.claim(claim, move(2, 0, "evacuate"));
    ledger.claim(claim, move(2, 0, "evacuate"));
    return ledger;
  };
  it("of the source are kept with the tree, and shared storage is counted once", () => {
    const ledger = evacuated();
    assert.equal(heldBy(ledger, "s"), "disks=2 dst=2 src-0=1 src=2");
    assert.equal(used(ledger, "disks"), undefined);
  });
  it("must not overlap", () => {
    assert.equal(
      reasonOf(() => ledgerOf(running()).claim(aClaim("s", { src: { VCPU: 1 } }, 1, ["src"]), move(2))),
      "CLAIM_INVALID",
    );
  });
  it("are dropped when the source returns, unless the server has changed since", () => {
    const ledger = evacuated();
    const drop = { ownOnly: false, trees: ["src"], expected: 2 } as const;
    assert.equal(
      reasonOf(() => ledger.release("s", undefined, { ...drop, expected: 1 })),
      "CONSUMER_GENERATION_CONFLICT",
    );
    assert.equal(ledger.release("s", undefined, drop), true);
    assert.equal(heldBy(ledger, "s"), "disks=2 dst=2");
    assert.equal(ledger.release("s", undefined, drop), false, "repeating is harmless");
    assert.equal(ledger.release("s", undefined, { ...drop, trees: ["gone"] }), false);
    assert.equal(ledger.diff().consumers[0]?.claimOperation, "evacuate", "the claim is still its");
  });
  it("of a destination that would not do go with the undo, and cannot come again", () => {
    const ledger = evacuated();
    const key = { operation: "evacuate", fence: orderOf(2, EVERY_ATTEMPT) };
    assert.equal(ledger.release("s", key, { ownOnly: true, trees: ["dst"], expected: "any" }), true);
    assert.equal(heldBy(ledger, "s"), "disks=2 src-0=1 src=2");
    assert.equal(ledger.diff().consumers[0]?.claimOperation, "", "nobody's claim any more");
    assert.equal(
      reasonOf(() => ledger.claim(aClaim("s", { dst: { VCPU: 2 } }, 3, ["src"]), move(2, 1, "evacuate"))),
      "CLAIM_TOMBSTONED",
    );
  });
});

describe("releasing", () => {
  it("leaves alone what another operation claimed, where only its own is meant", () => {
    const ledger = ledgerOf(running());
    const key = { operation: "resize", fence: orderOf(2, 0) };
    assert.equal(ledger.release("s", key, { ...whole, ownOnly: true }), false);
    assert.deepEqual(ledger.diff().removedConsumers, []);
    assert.equal(ledger.release("s", key, whole), true);
    assert.deepEqual(ledger.diff().removedConsumers, ["s"]);
  });
});

describe("claims over random histories", () => {
  it("never oversubscribe, never lose count, and leave nothing behind when refused", () => {
    let moves = 0;
    for (let seed = 1; seed <= 60; seed++) moves += checkHistory(seed);
    assert.ok(moves > 600, `only ${moves} moves`);
  });
});

/**
 * After each step usage is the sum of what is held and within capacity; a refused step has no effect.
 * @returns how many moves were accepted
 */
function checkHistory(seed: number): number {
  const rng = chance(seed);
  const hosts = ["src", "dst", "other"];
  const ledger = ledgerOf();
  let moves = 0;
  for (let step = 0; step < 300; step++) {
    const server = `s${rng.below(3)}`;
    const migration = `m-${server}`;
    const key = {
      operation: `op${rng.below(4)}-${server}`,
      fence: orderOf(1 + Math.floor(step / 40), rng.below(3)),
    };
    const amounts = { [rng.pick(hosts)]: { VCPU: 1 + rng.below(3) } };
    const held = ledger.diff().consumers.find(({ consumerId }) => consumerId === server);
    const expected = rng.below(4) === 0 ? "new" : (held?.generation ?? "new");
    const before = ledger.diff();
    try {
      switch (rng.below(7)) {
        case 0:
          ledger.release(server, rng.below(2) === 0 ? undefined : key, {
            ownOnly: rng.below(2) === 0,
            trees: rng.below(2) === 0 ? [] : [rng.pick(hosts)],
            expected: expected === "new" ? "any" : expected,
          });
          break;
        case 1:
          ledger.revert(server, migration, key);
          break;
        case 2:
          ledger.release(migration, key, whole);
          break;
        case 3:
          ledger.claim(aClaim(server, amounts, expected, [rng.pick(hosts)]), key);
          break;
        case 4:
          ledger.claim(aClaim(server, amounts, expected), key);
          break;
        default:
          ledger.claim(aMove(server, migration, amounts, expected), key);
          moves++;
      }
    } catch (error) {
      assert.ok(error instanceof KilonovaError, `seed ${seed}: ${String(error)}`);
      assert.deepEqual(ledger.diff(), before, `seed ${seed}, step ${step}: ${error.reason} left something`);
    }
    for (const host of hosts) {
      const sum = ledger
        .diff()
        .consumers.flatMap(({ holdings }) => holdings.filter(({ providerId }) => providerId === host))
        .reduce((total, { resources }) => total + (resources.get("VCPU") ?? 0), 0);
      assert.equal(used(ledger, host) ?? 0, sum, `seed ${seed}, step ${step}: usage of ${host}`);
      assert.ok(sum <= 4, `seed ${seed}, step ${step}: ${host} is oversubscribed`);
    }
  }
  return moves;
}
