import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { KilonovaError } from "../../kernel/errors.js";
import { pending } from "./migrate.js";
import type { Migration } from "./migrate.js";

const a: Migration = { name: "0001-a", statements: ["CREATE TABLE a (id int8)"] };
const b: Migration = { name: "0002-b", statements: ["CREATE TABLE b (id int8)"] };
const c: Migration = { name: "0003-c", statements: ["CREATE TABLE c (id int8)"] };
const checksum = (migration: Migration): string =>
  createHash("sha256").update(JSON.stringify(migration.statements)).digest("hex").slice(0, 32);
const history = (
  ...applied: Migration[]
): Map<string, { checksum: string; done: number; complete: boolean }> =>
  new Map(applied.map((one) => [one.name, { checksum: checksum(one), done: 1, complete: true }]));
const names = (migrations: readonly Migration[]): string[] => migrations.map(({ name }) => name);
const reasonOf =
  (reason: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === reason;

describe("pending migrations", () => {
  it("are all of them for an empty schema, and what follows the history otherwise", () => {
    assert.deepEqual(names(pending("s", [a, b, c], history())), ["0001-a", "0002-b", "0003-c"]);
    assert.deepEqual(names(pending("s", [a, b, c], history(a))), ["0002-b", "0003-c"]);
    assert.deepEqual(names(pending("s", [a, b, c], history(a, b, c))), []);
  });

  it("include the one that was left half done", () => {
    const half = history(a);
    half.set(b.name, { checksum: checksum(b), done: 0, complete: false });
    assert.deepEqual(names(pending("s", [a, b], half)), ["0002-b"]);
  });

  it("are none when a newer version has been here (rolling upgrade)", () => {
    assert.deepEqual(names(pending("s", [a, b], history(a, b, c))), []);
  });

  it("are refused when an applied one was edited", () => {
    assert.throws(
      () => pending("s", [{ ...a, statements: ["CREATE TABLE a (id text)"] }], history(a)),
      reasonOf("MIGRATION_CHANGED"),
    );
  });

  it("are refused when the history is of another line", () => {
    assert.throws(() => pending("s", [a, b, c], history(a, c)), reasonOf("MIGRATIONS_DIVERGED"));
    assert.throws(() => pending("s", [a, c], history(a, b, c)), reasonOf("MIGRATIONS_DIVERGED"));
  });
});
