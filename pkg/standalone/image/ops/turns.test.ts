import assert from "node:assert/strict";
import { setImmediate as turnOfLoop } from "node:timers/promises";
import { Turns } from "./turns.js";

describe("turns", () => {
  it("come one at a time, in the order of asking, with a turn of the event loop between them", async () => {
    const turns = new Turns();
    const told: string[] = [];
    const piece = async (name: string): Promise<void> => {
      const end = await turns.next();
      told.push(`${name}+`);
      await turnOfLoop();
      told.push(`${name}-`);
      end();
      end();
    };
    await Promise.all([piece("a"), piece("b"), piece("c")]);
    assert.deepEqual(told, ["a+", "a-", "b+", "b-", "c+", "c-"]);
    await piece("later");
  });
});
