import assert from "node:assert/strict";
import { Places } from "./places.js";

describe("places for consoles", () => {
  const places = (): Places =>
    new Places({ maxConnections: 4, maxConnectionsPerProject: 3, maxConnectionsPerServer: 2 });
  const take = (all: Places, who: string): boolean => {
    const [project = "", server = ""] = who.split("/");
    return all.take(project, server) !== undefined;
  };

  it("end for a server, a project and all together", () => {
    const all = places();
    assert.deepEqual(
      ["p/a", "p/a", "p/a", "p/b", "p/b", "q/c", "q/d"].map((who) => take(all, who)),
      [true, true, false, true, false, true, false],
    );
    assert.equal(all.open, 4);
  });

  it("are given back once", () => {
    const all = places();
    const leave = all.take("p", "a");
    all.take("p", "a");
    leave?.();
    leave?.();
    assert.equal(all.open, 1);
    assert.deepEqual([take(all, "p/a"), take(all, "p/a")], [true, false]);
  });
});
