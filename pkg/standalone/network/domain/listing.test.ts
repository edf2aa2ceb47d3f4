import assert from "node:assert/strict";
import { readListing } from "./listing.js";
import type { ListingSpec } from "./listing.js";

describe("lists of the network service", () => {
  const spec: ListingSpec = {
    columns: { id: { column: "id", kind: "text" }, name: { column: "name", kind: "text" } },
    special: [],
    sortable: ["id", "name"],
    tagged: false,
  };

  it("are sorted by each column once, however often it is named", () => {
    const times = 500;
    const { sort } = readListing(
      new Map([
        ["sort_key", Array.from({ length: times }, () => "name")],
        ["sort_dir", ["desc", ...Array.from({ length: times - 1 }, () => "asc")]],
      ]),
      spec,
    );
    assert.deepEqual(sort, [
      { column: "name", descending: true },
      { column: "id", descending: false },
    ]);
  });
});
