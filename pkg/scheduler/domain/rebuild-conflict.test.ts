import assert from "node:assert/strict";
import { rebuildConflict } from "./rebuild-conflict.js";

const CPU = "HW_CPU_X86_AVX2";
const request = (image: Record<string, string>, flavor: Record<string, string> = {}) => ({
  image: { id: "i", diskFormat: "raw", properties: new Map(Object.entries(image)) },
  extraSpecs: new Map(Object.entries(flavor)),
});
const hosts =
  (...traits: string[]) =>
  (trait: string): boolean =>
    traits.includes(trait);

describe("what a new image needs of its server's host", () => {
  it("is nothing when it asks for no trait", () => {
    assert.equal(rebuildConflict(request({ os_type: "linux" }), hosts()), undefined);
    assert.equal(rebuildConflict(request({ [`trait:${CPU}`]: "preferred" }), hosts()), undefined);
  });
  it("is each trait that it requires", () => {
    const asked = request({ [`trait:${CPU}`]: "required" });
    assert.equal(rebuildConflict(asked, hosts(CPU)), undefined);
    assert.match(rebuildConflict(asked, hosts("CUSTOM_A")) ?? "", /cannot be satisfied by the current/);
  });
  it("is none that the flavor forbids", () => {
    const asked = request({ [`trait:${CPU}`]: "required" }, { [`trait:${CPU}`]: "forbidden" });
    assert.match(rebuildConflict(asked, hosts(CPU)) ?? "", /forbidden traits in flavor/);
  });
  it("is no NUMA topology, which no server has", () => {
    assert.match(
      rebuildConflict(request({ hw_numa_nodes: "2" }), hosts()) ?? "",
      /NUMA topology cannot be changed/,
    );
  });
});
