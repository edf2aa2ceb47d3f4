import assert from "node:assert/strict";
import { KilonovaError, silentLogger } from "../../../kernel/index.js";
import { until } from "../../../testkit/until.js";
import { Work } from "./work.js";

describe("work on volumes", () => {
  const make = (atOnce: number, waiting: number): Work =>
    new Work({ atOnce, waiting, ids: { uuid: () => "id" }, log: silentLogger });

  it("runs so many at once, the others in the order of arrival, and goes on after a failure", async () => {
    const work = make(2, 10);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    for (let i = 0; i < 4; i++)
      work.submit(String(i), async () => {
        begun.push(i);
        await new Promise<void>((resolve) => ends.push(resolve));
        if (i === 0) throw new Error("fails");
      });
    await until(() => ends.length === 2);
    assert.deepEqual(begun, [0, 1]);
    ends[0]?.();
    await until(() => ends.length === 3);
    ends[1]?.();
    ends[2]?.();
    await until(() => ends.length === 4);
    assert.deepEqual(begun, [0, 1, 2, 3]);
    ends[3]?.();
    await work.close();
  });

  it("never runs two of one name at once, and knows what it has", async () => {
    const work = make(2, 10);
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    for (const label of ["first", "second", "other"])
      work.submit(label === "other" ? "b" : "a", async () => {
        begun.push(label);
        await new Promise<void>((resolve) => ends.push(resolve));
      });
    await until(() => begun.length === 2);
    assert.deepEqual(begun, ["first", "other"]);
    assert.deepEqual([work.has("a"), work.has("b"), work.has("c")], [true, true, false]);
    for (const end of ends.splice(0)) end();
    await until(() => begun.length === 3);
    assert.deepEqual([work.has("a"), work.has("b")], [true, false]);
    for (const end of ends) end();
    await until(() => !work.has("a"));
    await work.close();
  });

  it("refuses more than may wait", async () => {
    const work = make(1, 1);
    let end = (): void => {};
    work.demandRoom();
    work.submit("runs", () => new Promise<void>((resolve) => (end = resolve)));
    work.demandRoom();
    work.submit("waits", async () => {});
    assert.throws(
      () => work.demandRoom(),
      (error) => error instanceof KilonovaError && error.reason === "TOO_BUSY",
    );
    end();
    await until(() => {
      work.demandRoom();
      return true;
    });
    await work.close();
  });

  it("cuts off what runs when it is closed, and begins nothing more", async () => {
    const work = make(1, 10);
    const seen: string[] = [];
    work.submit("runs", async ({ signal }) => {
      seen.push("begun");
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      seen.push("cut off");
    });
    work.submit("waits", async () => void seen.push("never"));
    await until(() => seen.length === 1);
    await work.close();
    assert.deepEqual(seen, ["begun", "cut off"]);
  });
});
