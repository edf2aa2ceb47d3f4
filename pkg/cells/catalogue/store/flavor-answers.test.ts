import assert from "node:assert/strict";
import { FlavorAnswers } from "./flavor-answers.js";

describe("FlavorAnswers", () => {
  it("reads an answer once for each question", async () => {
    const answers = new FlavorAnswers();
    let reads = 0;
    const read = async (): Promise<{ n: number }> => ({ n: ++reads });
    assert.deepEqual(
      [await answers.get("a", read), await answers.get("a", read), await answers.get("b", read)],
      [{ n: 1 }, { n: 1 }, { n: 2 }],
    );
  });

  it("forgets with a change, also with one that failed or came while it was reading", async () => {
    const answers = new FlavorAnswers();
    let reads = 0;
    const read = async (): Promise<{ n: number }> => ({ n: ++reads });
    await answers.get("a", read);
    await assert.rejects(
      answers.change(async () => {
        throw new Error("taken");
      }),
    );
    await answers.get("a", async () => {
      await answers.change(async () => {});
      return read();
    });
    assert.deepEqual(await answers.get("a", read), { n: 3 });
  });

  it("does not keep a failure", async () => {
    const answers = new FlavorAnswers();
    await assert.rejects(
      answers.get("a", async () => {
        throw new Error("gone");
      }),
    );
    assert.deepEqual(await answers.get("a", async () => ({ n: 1 })), { n: 1 });
  });
});
