import assert from "node:assert/strict";
import { UpdateStoredFlavorRequest } from "../../../../gen/kilonova/cells/v1/global_service.js";
import { Flavor } from "../../../../gen/kilonova/type/v1/flavor.js";
import { SortDirection } from "../../../../gen/kilonova/type/v1/page.js";
import { changedFlavor, newFlavor } from "./flavor-change.js";
import { flavorColumns, flavorOrder } from "./flavor-columns.js";

const NOW = 1_767_225_600_000_000n;
const flavor = newFlavor(Flavor.fromPartial({ id: "1", projectIds: ["b", "a", "b"] }), NOW);
const change = (init: Parameters<typeof UpdateStoredFlavorRequest.fromPartial>[0]): Flavor =>
  changedFlavor(flavor, UpdateStoredFlavorRequest.fromPartial(init), NOW);

describe("flavors", () => {
  it("have each project with access once, sorted", () => {
    assert.deepEqual(flavor.projectIds, ["a", "b"]);
    assert.deepEqual(change({ addProjects: ["A"], removeProjects: ["b"] }).projectIds, ["A", "a"]);
  });

  it("refuse changes of what is not there, or there already", () => {
    const refused: readonly (readonly [Parameters<typeof change>[0], string])[] = [
      [{ removeExtraSpecs: ["x"] }, "EXTRA_SPEC_NOT_FOUND"],
      [{ addProjects: ["a"] }, "FLAVOR_ACCESS_EXISTS"],
      [{ removeProjects: ["x"] }, "FLAVOR_ACCESS_NOT_FOUND"],
      [{ updateMask: ["vcpus"] }, "INVALID_ARGUMENT"],
    ];
    for (const [init, reason] of refused) assert.throws(() => change(init), { reason });
    assert.deepEqual(flavor.projectIds, ["a", "b"]);
  });

  it("may set a spec and remove another in one change", () => {
    const set = change({ setExtraSpecs: new Map([["k", "v"]]), removeExtraSpecs: ["k"] });
    assert.equal(set.extraSpecs.size, 0);
    assert.ok(set.updatedAt);
  });

  it("sort by the id in the end, in the first key's direction; null is no description", () => {
    const order = flavorOrder([{ field: "name", direction: SortDirection.SORT_DIRECTION_DESC }]);
    assert.deepEqual(order, [
      { column: "name", text: true, descending: true },
      { column: "id", text: true, descending: true },
    ]);
    assert.throws(() => flavorOrder([{ field: "x", direction: SortDirection.SORT_DIRECTION_ASC }]), {
      reason: "SORT_KEY_INVALID",
    });
    assert.equal(flavorColumns(Flavor.fromPartial({ description: "d" }))["description"], "d");
    assert.equal(flavorColumns(Flavor.fromPartial({}))["description"], null);
  });
});
