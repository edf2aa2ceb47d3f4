import assert from "node:assert/strict";
import { classify, toDbError } from "./classify.js";
import type { FailureClass } from "./errors.js";
import { violates } from "./errors.js";

const coded = (code: string, more: object = {}): Error =>
  Object.assign(new Error("text of the server"), { code, ...more });

const table: readonly [what: string, error: unknown, expected: FailureClass][] = [
  ["serialization failure", coded("40001"), "conflict"],
  ["deadlock", coded("40P01"), "conflict"],
  ["unknown result of a commit", coded("40003"), "ambiguous"],
  ["connection exception class", coded("08006"), "lost"],
  ["shutdown by an administrator", coded("57P01"), "lost"],
  ["crash of another backend", coded("57P02"), "lost"],
  ["server starting up", coded("57P03"), "lost"],
  ["idle in transaction", coded("25P03"), "lost"],
  ["too many connections", coded("53300"), "lost"],
  ["refused socket", coded("ECONNREFUSED"), "lost"],
  ["missing unix socket", coded("ENOENT"), "lost"],
  ["reset socket", coded("ECONNRESET"), "lost"],
  ["all addresses refused", new AggregateError([coded("ECONNREFUSED"), coded("ECONNREFUSED")]), "lost"],
  ["connection closed under a query", new Error("Connection terminated unexpectedly"), "lost"],
  ["no connection of the pool in time", new Error("timeout exceeded when trying to connect"), "lost"],
  ["statement timeout or cancel", coded("57014"), "timeout"],
  ["unique violation", coded("23505", { constraint: "item_name_key" }), "unique"],
  ["foreign key violation", coded("23503"), "foreign-key"],
  ["not null violation", coded("23502"), "not-null"],
  ["check violation", coded("23514"), "check"],
  ["plan of an older table", coded("0A000", { routine: "RevalidateCachedQuery" }), "stale-plan"],
  ["other unsupported feature", coded("0A000"), "bug"],
  ["syntax error", coded("42601"), "bug"],
  ["missing table", coded("42P01"), "bug"],
  ["an error of ours", new TypeError("x is not a function"), "bug"],
  ["something that is no error", "boom", "bug"],
];

describe("classify", () => {
  for (const [what, error, expected] of table) {
    it(`calls ${what} "${expected}"`, () => assert.equal(classify(error), expected));
  }

  it("keeps its verdict when wrapped", () => assert.equal(classify(toDbError(coded("40001"))), "conflict"));
});

describe("DbError", () => {
  it("shows nothing of SQL to the caller and keeps the cause", () => {
    const cause = coded("23505", { constraint: "item_name_key", detail: "Key (name)=(x) already exists." });
    const error = toDbError(cause);
    assert.equal(error.kind, "internal");
    assert.deepEqual(error.facts, {});
    assert.doesNotMatch(error.message, /item|23505|Key/);
    assert.equal(error.cause, cause);
  });

  it("lets a store recognise a constraint by its name", () => {
    const error = toDbError(coded("23505", { constraint: "item_name_key" }));
    assert.equal(violates(error, "item_name_key"), true);
    assert.equal(error.failure, "unique");
    assert.equal(violates(error, "other_key"), false);
    assert.equal(violates(new Error("item_name_key"), "item_name_key"), false);
  });

  it("is retryable by kind exactly where nothing happened or the server is away", () => {
    assert.equal(toDbError(coded("40001")).kind, "unavailable");
    assert.equal(toDbError(coded("57P01")).kind, "unavailable");
    assert.equal(toDbError(coded("57014")).kind, "deadline");
    assert.equal(toDbError(coded("42601")).kind, "internal");
  });
});
