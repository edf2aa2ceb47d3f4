import assert from "node:assert/strict";
import { ancestorsOf, descendantsOf, idChain, idTree } from "./hierarchy.js";
import type { Project } from "./model.js";

describe("families of projects", () => {
  const project = (id: string, parentId: string): Project => ({
    id,
    parentId,
    name: id,
    domainId: "d",
    enabled: true,
    description: "",
    tags: [],
    options: {},
    extra: {},
  });
  const all = [project("a", "d"), project("b", "a"), project("c", "b"), project("e", "a"), project("f", "d")];
  const named = (id: string): Project => all.find((one) => one.id === id) ?? assert.fail(id);

  it("are found upwards and downwards", () => {
    assert.deepEqual(
      ancestorsOf(all, named("c")).map((one) => one.id),
      ["b", "a"],
    );
    assert.deepEqual(ancestorsOf(all, named("a")), []);
    assert.deepEqual(
      descendantsOf(all, "a").map((one) => one.id),
      ["b", "e", "c"],
    );
    assert.deepEqual(descendantsOf(all, "f"), []);
  });

  it("are written as trees of ids", () => {
    assert.deepEqual([idChain(["b", "a"]), idChain([])], [{ b: { a: null } }, null]);
    assert.deepEqual([idTree(all, "a"), idTree(all, "f")], [{ b: { c: null }, e: null }, null]);
  });

  it("end even when somebody made a circle", () => {
    const round = [project("x", "y"), project("y", "x")];
    assert.deepEqual(
      ancestorsOf(round, round[0] ?? assert.fail()).map((one) => one.id),
      ["y", "x"],
    );
  });
});
