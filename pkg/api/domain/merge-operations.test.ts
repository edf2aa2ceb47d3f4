import assert from "node:assert/strict";
import { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { operationName } from "../../model/operation-name.js";
import { toTimestamp } from "../../model/wire-time.js";
import type { OperationPage } from "./merge-operations.js";
import { mergeOperations } from "./merge-operations.js";

const uuid = (n: number): string => `00000000-0000-4000-8000-${n.toString().padStart(12, "0")}`;
/** An operation whose id and time are the same number, unless told otherwise. */
const at = (n: number, generation = 1n, id = n): StoredOperation =>
  StoredOperation.fromPartial({
    name: operationName(uuid(0), uuid(id)),
    createdAt: toTimestamp(BigInt(n)),
    generation,
  });
const page = (operations: StoredOperation[], searchedTo?: number): OperationPage => ({
  operations,
  searchedTo:
    searchedTo === undefined
      ? undefined
      : { createdAt: toTimestamp(BigInt(searchedTo)), id: uuid(searchedTo) },
});
const merged = (pages: OperationPage[], limit = 10) => {
  const { operations, next } = mergeOperations(pages, limit);
  return {
    ids: operations.map(({ name }) => Number(name.slice(-12))),
    next: next === undefined ? undefined : Number(next.at),
  };
};

describe("operations of several databases", () => {
  it("are one list, newest first, those of one instant by descending id", () => {
    const pages = [page([at(9), at(5, 1n, 7), at(1)]), page([at(8), at(5, 1n, 6)]), page([])];
    assert.deepEqual(merged(pages), { ids: [9, 8, 7, 6, 1], next: undefined });
  });

  it("end where the page is full, and go on after its last row", () => {
    assert.deepEqual(merged([page([at(9), at(7)]), page([at(8)])], 2), { ids: [9, 8], next: 8 });
    assert.deepEqual(merged([page([at(9)]), page([at(8)])], 2), { ids: [9, 8], next: undefined });
  });

  it("end where one database has not searched on: what it has there is not skipped", () => {
    const pages = [page([at(9), at(6)], 6), page([at(8), at(5), at(2)])];
    assert.deepEqual(merged(pages), { ids: [9, 8, 6], next: 6 });
  });

  it("go on from the place searched when nothing was found", () => {
    assert.deepEqual(merged([page([], 7), page([at(3)], 3)]), { ids: [], next: 7 });
  });

  it("count once while they move, as the one shows them that has gone further", () => {
    const { operations } = mergeOperations([page([at(9, 3n)]), page([at(9, 4n)])], 10);
    assert.deepEqual(
      operations.map(({ generation }) => generation),
      [4n],
    );
  });
});
