import assert from "node:assert/strict";
import { SortDirection } from "../../../../gen/kilonova/type/v1/page.js";
import { fromSortValue, sortColumns, sortValue } from "./sort-keys.js";

describe("sortColumns", () => {
  it("sorts newest first when nothing is asked, and ends in the id", () =>
    assert.deepEqual(
      sortColumns([]).map(({ column, descending }) => [column, descending]),
      [
        ["created_at", true],
        ["id", true],
      ],
    ));
  it("keeps nothing after the id, which is unique", () =>
    assert.deepEqual(
      sortColumns([
        { field: "uuid", direction: SortDirection.SORT_DIRECTION_ASC },
        { field: "host", direction: SortDirection.SORT_DIRECTION_ASC },
      ]).length,
      1,
    ));
  for (const field of ["secrets", "", "__proto__", "constructor", "toString"]) {
    it(`refuses the key ${JSON.stringify(field)}`, () =>
      assert.throws(() => sortColumns([{ field, direction: SortDirection.SORT_DIRECTION_ASC }]), {
        reason: "SORT_KEY_INVALID",
      }));
  }
});

describe("sort values", () => {
  it("compare as numbers do", () => assert.ok(sortValue(9, "number") < sortValue(10, "number")));
  it("put null before everything", () => assert.ok(sortValue(null, "text") < sortValue("", "text")));
  it("are read back", () => {
    assert.equal(fromSortValue(sortValue(42, "number"), "number"), 42);
    assert.equal(fromSortValue(sortValue(null, "time"), "time"), null);
    assert.equal(
      fromSortValue(sortValue(1_767_225_600_123_456n, "time"), "time"),
      "2026-01-01T00:00:00.123456Z",
    );
    assert.equal(fromSortValue(sortValue(true, "bool"), "bool"), true);
  });
});
