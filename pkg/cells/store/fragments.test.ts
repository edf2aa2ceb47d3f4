import assert from "node:assert/strict";
import { CompiledQuery } from "kysely";
import { allTogether, changing, inserting, onlyWhere } from "./fragments.js";
import { sql } from "./sql.js";
import type { Sql } from "./sql.js";

const servers = sql.table("cell1.server");
const events = sql.table("cell1.event");

/** A statement as it is sent. */
async function sent(statement: Sql): Promise<{ readonly text: string; readonly values: readonly unknown[] }> {
  let query = CompiledQuery.raw("");
  await statement.execute({
    executeQuery: async (asked) => {
      query = asked as CompiledQuery;
      return { rows: [] };
    },
  });
  return { text: query.sql, values: query.parameters };
}

const renamed = (name: string) =>
  changing("renamed", sql`UPDATE ${servers} SET name = ${name} WHERE id = ${1}`);
const told = (...rows: readonly Readonly<Record<string, unknown>>[]) => inserting("told", events, rows);

describe("parts of a statement", () => {
  it("change each table once", () => {
    const again = { name: "again", body: sql`DELETE FROM ${servers} WHERE id = ${2}` };
    const twice = /part again of a statement must change a table that no other part changes/;
    assert.throws(() => allTogether([renamed("a"), told({ id: "1" }), again]), twice);
    assert.throws(() => onlyWhere(again.body, [told({ id: "1" }), renamed("a")]), /part renamed/);
  });
  it("each change a table", () => {
    assert.throws(() => allTogether([{ name: "look", body: sql`SELECT 1 FROM ${servers}` }]), /part look/);
  });
  it("are written as one", async () => {
    const { text, values } = await sent(allTogether([renamed("a"), told({ id: "1", at: 5n })]));
    assert.equal(
      text,
      `WITH "renamed" AS (UPDATE "cell1"."server" SET name = $1 WHERE id = $2 RETURNING 1), ` +
        `"told" AS (INSERT INTO "cell1"."event" ("id", "at") VALUES ($3, $4) RETURNING 1) SELECT 1`,
    );
    assert.deepEqual(values, ["a", 1, "1", 5n]);
  });
});

describe("parts under a condition", () => {
  const locked = sql`SELECT 1 FROM ${servers} WHERE id = ${1} FOR UPDATE`;

  it("write one row without types, as the table has them", async () => {
    const { text } = await sent(onlyWhere(locked, [renamed("a"), told({ id: "1" })]));
    assert.equal(
      text,
      `WITH held AS (SELECT 1 FROM "cell1"."server" WHERE id = $1 FOR UPDATE), ` +
        `"renamed" AS (UPDATE "cell1"."server" SET name = $2 WHERE id = $3 AND EXISTS (SELECT 1 FROM held) RETURNING 1), ` +
        `"told" AS (INSERT INTO "cell1"."event" ("id") SELECT $4 FROM held RETURNING 1) SELECT 1 AS held FROM held`,
    );
  });
  it("write several rows by one insert, each value with its type", async () => {
    const row = { id: sql`${"1"}::uuid`, at: null, ended: null, body: Buffer.of(1), round: 0, text: "" };
    const { text, values } = await sent(onlyWhere(locked, [told(row, { ...row, at: 5n })]));
    assert.match(
      text,
      /INSERT INTO "cell1"."event" \("id", "at", "body", "round", "text"\) SELECT told\.\* FROM held, \(VALUES/,
    );
    const types = (from: number): string =>
      ["uuid", "timestamptz", "bytea", "int8", "text"].map((type, at) => `$${from + at}::${type}`).join(", ");
    assert.ok(text.includes(`(VALUES (${types(2)}), (${types(7)})) AS told RETURNING 1`), text);
    assert.deepEqual(values, [1, "1", null, Buffer.of(1), 0, "", "1", 5n, Buffer.of(1), 0, ""]);
  });
});
