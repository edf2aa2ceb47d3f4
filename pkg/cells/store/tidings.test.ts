import assert from "node:assert/strict";
import { Tidings } from "./tidings.js";

describe("tidings", () => {
  it("are told to all who listen, and to nobody who has ended", async () => {
    const tidings = new Tidings();
    const heard: string[] = [];
    const [one, two, ended, other] = ["s", "s", "s", "t"].map((id) => tidings.listen(id));
    one?.told.then(() => heard.push("one")).catch(() => {});
    two?.told.then(() => heard.push("two")).catch(() => {});
    ended?.told.then(() => heard.push("ended")).catch(() => {});
    other?.told.then(() => heard.push("other")).catch(() => {});
    ended?.end();
    tidings.tell("s");
    tidings.tell("nobody");
    await Promise.all([one?.told, two?.told]);
    assert.deepEqual(heard, ["one", "two"]);
    for (const listening of [one, two, other]) listening?.end();
    assert.equal(tidings.size, 0);
  });
});
