import assert from "node:assert/strict";
import { measured } from "./command.js";
import { commands } from "./index.gen.js";

describe("commands", () => {
  it("declare shares of the whole for their phases, 100 together", () => {
    for (const { name, progress } of commands) {
      if (progress === undefined) continue;
      const shares = Object.values<number>(progress);
      assert.equal(
        shares.reduce((sum, share) => sum + share, 0),
        100,
        name,
      );
    }
  });

  it("are undone by commands that agents know, and whose failure is no lasting answer", () => {
    const undone = commands.filter(({ undo }) => undo !== undefined);
    assert.ok(undone.length > 0);
    for (const { name, undo } of undone) {
      assert.ok(undo !== undefined && commands.includes(undo.command), name);
      assert.equal(undo.command.untilDone, true, name);
    }
  });

  it("have names of their own", () => {
    assert.equal(new Set(commands.map(({ name }) => name)).size, commands.length);
  });
});

describe("what a command tells", () => {
  const command = { progress: { first: 60, second: 40 } };
  const percent = (phase: string, done: number, total: number) =>
    measured(command, { phase, done, total })?.percent;

  it("is a part of the whole", () => {
    assert.deepEqual(
      [percent("first", 0, 10), percent("first", 5, 10), percent("second", 0, 1), percent("second", 3, 4)],
      [0, 30, 60, 90],
    );
  });

  it("is never more than everything, and no guess while the total is not known", () => {
    assert.deepEqual(measured(command, { phase: "second", done: 12.5, total: 10 }), {
      percent: 100,
      phase: "second",
      done: 10n,
      total: 10n,
      updatedAt: undefined,
    });
    assert.deepEqual(measured(command, { phase: "second", done: 7, total: 0 }), {
      percent: 60,
      phase: "second",
      done: 7n,
      total: 0n,
      updatedAt: undefined,
    });
  });

  it("is nothing in a phase that was not declared", () => {
    assert.equal(measured(command, { phase: "third", done: 1, total: 1 }), undefined);
    assert.equal(measured({}, { phase: "first", done: 1, total: 1 }), undefined);
  });
});
