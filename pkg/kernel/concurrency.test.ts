import assert from "node:assert/strict";
import { KeyedLock } from "./index.js";

describe("keyed lock", () => {
  it("keeps one key's tasks apart and in order, others side by side, and survives failures", async () => {
    const lock = new KeyedLock();
    const order: string[] = [];
    const task =
      (name: string, fails = false) =>
      async (): Promise<void> => {
        order.push(`${name} begins`);
        await Promise.resolve();
        order.push(`${name} ends`);
        if (fails) throw new Error(name);
      };
    const [one, two, other] = [
      lock.run("k", task("1", true)),
      lock.run("k", task("2")),
      lock.run("x", task("x")),
    ];
    await assert.rejects(one, /1/);
    await Promise.all([two, other]);
    assert.deepEqual(
      order.filter((line) => !line.startsWith("x")),
      ["1 begins", "1 ends", "2 begins", "2 ends"],
    );
    assert.ok(order.indexOf("x begins") < order.indexOf("2 begins"));
  });
});
