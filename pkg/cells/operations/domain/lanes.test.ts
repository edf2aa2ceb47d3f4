import assert from "node:assert/strict";
import { MigrationKind } from "../../../../gen/kilonova/cells/v1/server_records.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { anyOperation } from "../../../model/operation-declaration.js";
import { aDeclaration, aForm } from "../../../model/testing/a-declaration.js";
import { OperationCatalogue } from "../../../model/operation-catalogue.js";
import { anOperation } from "../../testing/an-operation.js";
import {
  AT_ONCE,
  MAX_WAITING_IN_LANE,
  busySubject,
  closesLanes,
  inTheLaneOf,
  isAnswer,
  mindsHalted,
  opensLanes,
  placeAmong,
  placeBehind,
  placeIn,
  placeInLife,
  placeOverAll,
  reopensLanes,
  requireNoneHalted,
  requireOpenLanes,
  waitsForOpenLanes,
} from "./lanes.js";

describe("a lane's rules", () => {
  const free = { busy: false, waiting: 0 };
  const busy = { busy: true, waiting: 0 };
  for (const [view, contention, place] of [
    [free, "refused", "begins"],
    [free, "waits", "begins"],
    [free, "pre-empts", "begins"],
    [free, "pre-empts-all", "begins"],
    [busy, "refused", "refused"],
    [busy, "waits", "waits"],
    [busy, "pre-empts", "takes-over"],
    [busy, "pre-empts-all", "takes-over"],
    [{ busy: false, waiting: 1 }, "waits", "waits"],
    [{ busy: true, waiting: MAX_WAITING_IN_LANE - 1 }, "waits", "waits"],
    [{ busy: true, waiting: MAX_WAITING_IN_LANE }, "waits", "refused"],
  ] as const)
    it(`${contention} ${place} when ${JSON.stringify(view)}`, () =>
      assert.equal(placeIn(view, contention), place));

  it("closes all lanes for what takes over all of them or is alone, and for what it does not know", () => {
    const kind = anyOperation(aDeclaration("test.kind"));
    assert.equal(closesLanes(kind, Buffer.from("join")), true);
    assert.equal(closesLanes(kind, Buffer.from("pre-empt")), false);
    assert.equal(closesLanes(kind, Buffer.from("alone")), true);
    assert.equal(closesLanes(undefined, Buffer.alloc(0)), true);
  });
});

describe("an operation's place", () => {
  const running = anOperation({ id: "r", lane: "volumes", turn: 0 });
  const waiting = anOperation({ id: "w", lane: "volumes", turn: 4 });
  const elsewhere = anOperation({ id: "e", lane: "ports", turn: 0 });
  const among = (beside: (typeof running)[], contention: "refused" | "waits" | "pre-empts") =>
    placeAmong(beside, { lane: "volumes", contention }, 7, inTheLaneOf("s"));

  it("is at once where only other lanes are busy", () =>
    assert.deepEqual(among([elsewhere], "refused"), AT_ONCE));
  it("is behind those that wait, in the order of fences", () => {
    assert.deepEqual(among([running], "waits"), { ...AT_ONCE, turn: 7 });
    assert.deepEqual(among([waiting], "waits"), { ...AT_ONCE, turn: 7 });
  });
  it("is that of the running one for who takes over", () =>
    assert.equal(among([running, waiting], "pre-empts").victim, running));
  it("is refused with the name of the one in the way", () => {
    assert.throws(() => among([elsewhere, running], "refused"), {
      reason: "OPERATION_IN_PROGRESS",
      facts: { server: "s", operation: "operations/s/r" },
    });
    assert.throws(
      () => placeAmong([running], { lane: "volumes", contention: "refused" }, 7, busySubject("cloud")),
      { reason: "SUBJECT_BUSY", facts: { subject: "cloud", operation: "operations/s/r" } },
    );
  });

  it("in the lane life is the slot, with others or without", () => {
    assert.deepEqual(placeInLife("s", undefined, { contention: "refused" }, []), AT_ONCE);
    const all = placeInLife("s", running, { contention: "pre-empts-all" }, [elsewhere]);
    assert.deepEqual([all.victim, all.others, all.turn], [running, [elsewhere], 0]);
    for (const form of [
      { contention: "refused" },
      { contention: "pre-empts-all", yieldsTo: [running.kind] },
    ] as const)
      assert.throws(() => placeInLife("s", running, form, []), { reason: "OPERATION_IN_PROGRESS" });
  });

  it("of who takes over everything ends what is halted, and looks after what others took over from", () => {
    const [halted, earlier] = [
      anOperation({ id: "h", state: "needs-operator" }),
      anOperation({ id: "e", state: "preempted" }),
    ];
    const form = { contention: "pre-empts-all" } as const;
    assert.deepEqual(placeOverAll("s", running, form, [elsewhere], [halted, earlier]), {
      victim: running,
      others: [elsewhere],
      halted: [halted],
      earlier: [earlier],
      turn: 0,
    });
  });

  it("of a running operation: it is the answer to its own kind, and to those that join it", () => {
    const form = { ...aForm, contention: "pre-empts-all", joins: ["test.kind"] } as const;
    const of = (kind: string): boolean => isAnswer(form, kind, anOperation({ kind: "test.kind" }));
    assert.deepEqual([of("test.kind"), of("test.other")], [true, true]);
    assert.ok(!isAnswer(form, "test.kind", undefined));
    assert.ok(!isAnswer({ ...form, joins: [] }, "test.other", anOperation({ kind: "test.kind" })));
    const lane = { ...form, contention: "pre-empts" } as const;
    const inItsLane = (joins: readonly string[]): boolean =>
      isAnswer({ ...lane, joins }, "test.kind", anOperation({ kind: "test.kind" }));
    assert.deepEqual([inItsLane([]), inItsLane(["test.kind"])], [false, true]);
  });

  it("beside life needs a cell, and nothing that has closed the lanes", () => {
    const kinds = new OperationCatalogue([anyOperation(aDeclaration("test.kind"))]);
    const open = (database: string, input: string) => () =>
      requireOpenLanes(kinds, database, "s", anOperation({ input: Buffer.from(input) }));
    assert.doesNotThrow(open("cell1", "plain"));
    assert.throws(open("global", "plain"), { reason: "NOT_READY" });
    assert.throws(open("cell1", "join"), { reason: "OPERATION_IN_PROGRESS" });
  });

  it("beside what is alone is behind it for news, unless too much waits, and for nothing else", () => {
    const kinds = new OperationCatalogue([anyOperation(aDeclaration("test.kind"))]);
    const news = { contention: "waits", lock: "ignores" } as const;
    const by = (input: string): ReturnType<typeof anOperation> => anOperation({ input: Buffer.from(input) });
    assert.ok(waitsForOpenLanes(kinds, news, by("alone")));
    for (const running of [undefined, by(""), by("join"), anOperation({ kind: "test.unknown" })])
      assert.ok(!waitsForOpenLanes(kinds, news, running));
    for (const form of [
      { ...news, lock: "refuses" },
      { ...news, contention: "refused" },
    ] as const)
      assert.ok(!waitsForOpenLanes(kinds, form, by("alone")));
    const queue = Array.from({ length: MAX_WAITING_IN_LANE }, (_, n) =>
      anOperation({ id: `w${n}`, lane: "ports", turn: n + 1 }),
    );
    const placed = (beside: typeof queue) => placeBehind(beside, "ports", 9, inTheLaneOf("s"));
    assert.deepEqual(placed([]), { ...AT_ONCE, turn: 9, behind: true });
    assert.deepEqual(placed(queue.slice(1)), { ...AT_ONCE, turn: 9, behind: true });
    assert.throws(() => placed(queue), { reason: "OPERATION_IN_PROGRESS" });
  });

  it("is open again with the end of who was alone, or when somebody else takes over from that", () => {
    const declaration = anyOperation(aDeclaration("test.kind"));
    const kinds = new OperationCatalogue([declaration]);
    const alone = anOperation({ input: Buffer.from("alone") });
    assert.deepEqual(
      [opensLanes(kinds, alone, "operations/s/o"), opensLanes(kinds, alone, "operations/s/x")],
      [true, false],
    );
    assert.ok(!opensLanes(kinds, anOperation({ input: Buffer.from("") }), "operations/s/o"));
    const taken = (victim: typeof alone, input: string): boolean =>
      reopensLanes(kinds, declaration, Buffer.from(input), { victim });
    assert.deepEqual(
      [taken(alone, "pre-empt"), taken(alone, "alone"), taken(anOperation({ input: Buffer.from("") }), "")],
      [true, false, false],
    );
  });
});

describe("what waits for an operator", () => {
  const move = anyOperation(
    aDeclaration("test.move", { migration: () => ({ kind: MigrationKind.MIGRATION_KIND_RESIZE }) }),
  );
  const start = anyOperation(aDeclaration("test.start", { ends: [VmState.VM_STATE_ACTIVE] }));
  const stop = anyOperation(aDeclaration("test.stop", { ends: [VmState.VM_STATE_STOPPED] }));
  const kinds = new OperationCatalogue([move, start, stop]);

  it("matters to who moves the server or starts its guest, unless that ends it", () => {
    const of = (one: typeof move, contention: "refused" | "pre-empts" | "pre-empts-all"): boolean =>
      mindsHalted(one, { contention });
    assert.deepEqual([of(move, "refused"), of(start, "pre-empts"), of(stop, "refused")], [true, true, false]);
    assert.ok(!of(start, "pre-empts-all"));
    const haul = aDeclaration("test.haul", { lane: "volumes", ends: [VmState.VM_STATE_ACTIVE] });
    assert.ok(!of(anyOperation(haul), "refused"));
  });

  for (const [kind, lane, refuses] of [
    ["test.move", "life", ["move", "start"]],
    ["test.unknown", "life", ["move", "start"]],
    ["test.start", "life", ["move"]],
    ["test.move", "volumes", []],
  ] as const)
    it(`as ${kind} in the lane ${lane} refuses ${refuses.join(" and ") || "nothing"}`, () => {
      const halted = anOperation({ id: "h", kind, lane, state: "needs-operator" });
      const facts = { server: "s", operation: "operations/s/h" };
      for (const [word, declaration] of Object.entries({ move, start })) {
        const asked = (): void => {
          requireNoneHalted(kinds, "s", declaration, [halted]);
        };
        if ((refuses as readonly string[]).includes(word))
          assert.throws(asked, { reason: "OPERATION_IN_PROGRESS", facts });
        else assert.doesNotThrow(asked);
      }
    });
});
