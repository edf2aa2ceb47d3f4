import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../../kernel/index.js";
import { DriverErrors } from "../errors.js";
import type { AskGuest, Freezable } from "./quiesce.js";
import { thaw, whileFrozen } from "./quiesce.js";

describe("freezing a guest's file systems", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "kilonova-frozen-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const guest = (hears = true): Freezable => ({
    instanceUuid: "8e1c2f00-0000-4000-8000-000000000001",
    paths: { agentSocket: "", frozenMark: join(folder, "frozen") },
    hears,
    log: silentLogger,
  });
  const marked = (): boolean => existsSync(join(folder, "frozen"));

  /** An agent that answers, but what it is told not to. */
  function agent(failing: Readonly<Record<string, number>> = {}): { said: string[]; ask: AskGuest } {
    const left = new Map(Object.entries(failing));
    const said: string[] = [];
    return {
      said,
      ask: async (_path, command) => {
        const word = command.replace("guest-fsfreeze-", "");
        const failures = left.get(word) ?? 0;
        left.set(word, failures - 1);
        said.push(failures > 0 ? `${word}?` : word);
        if (failures > 0) throw DriverErrors.GUEST_AGENT_MISSING({});
        return 1;
      },
    };
  }

  it("surrounds the work, and is written down meanwhile", async () => {
    const { said, ask } = agent();
    const work = async (): Promise<number> => {
      said.push(`work, marked: ${String(marked())}`);
      return 7;
    };
    assert.equal(await whileFrozen(guest(), "required", work, ask), 7);
    assert.deepEqual(said, ["freeze", "work, marked: true", "thaw"]);
    assert.equal(marked(), false);
  });

  it("thaws when the work fails", async () => {
    const { said, ask } = agent();
    const work = () => Promise.reject(new Error("no"));
    await assert.rejects(whileFrozen(guest(), "if-possible", work, ask), /no/);
    assert.deepEqual(said, ["freeze", "thaw"]);
  });

  it("thaws a guest that did not answer: it may have heard all the same", async () => {
    const { said, ask } = agent({ freeze: 1 });
    await whileFrozen(guest(), "if-possible", async () => said.push("work"), ask);
    assert.deepEqual(said, ["freeze?", "work", "thaw"]);
    const strict = agent({ freeze: 1 });
    await assert.rejects(
      whileFrozen(guest(), "required", async () => strict.said.push("work"), strict.ask),
      { reason: "QUIESCE_FAILED" },
    );
    assert.deepEqual(strict.said, ["freeze?", "thaw"]);
  });

  it("asks nobody where nobody hears, and where it is not wanted", async () => {
    const { said, ask } = agent();
    await whileFrozen(guest(), "no", async () => said.push("work"), ask);
    await whileFrozen(guest(false), "if-possible", async () => said.push("work"), ask);
    await assert.rejects(
      whileFrozen(guest(false), "required", async () => said.push("work"), ask),
      {
        reason: "QUIESCE_FAILED",
      },
    );
    assert.deepEqual(said, ["work", "work"]);
  });

  it("thaws after a restart what was marked, and insists", async () => {
    const { said, ask } = agent({ thaw: 2 });
    await thaw(guest(), ask, 1);
    assert.deepEqual(said, []);
    writeFileSync(join(folder, "frozen"), "");
    await thaw(guest(), ask, 1);
    assert.deepEqual(said, ["thaw?", "thaw?", "thaw"]);
    assert.equal(marked(), false);
  });

  it("keeps the mark of a guest that cannot be thawed, for the next agent", async () => {
    const { said, ask } = agent({ thaw: 100 });
    writeFileSync(join(folder, "frozen"), "");
    await thaw(guest(), ask, 1);
    assert.equal(said.length, 6);
    assert.equal(marked(), true);
    // One that was started anew is not frozen.
    await thaw(guest(false), ask, 1);
    assert.equal(marked(), false);
  });
});
