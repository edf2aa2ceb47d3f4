import assert from "node:assert/strict";
import { notShared } from "./shared-sql.js";

describe("SQL that CockroachDB refuses", () => {
  for (const [text, why] of [
    [`WITH a AS (INSERT INTO "c"."op" (id) VALUES ($1)) UPDATE "c"."op" SET x = 1`, "c.op is changed twice"],
    [`with a as (delete from c.op where x), b as (update c.op set y = 1) select 1`, "c.op is changed twice"],
    [`WITH a AS (INSERT INTO t VALUES (1)), b AS (INSERT INTO t VALUES (2)) SELECT 1`, "t is changed twice"],
    ["SELECT pg_advisory_xact_lock(1)", "advisory locks"],
    ["BEGIN; NOTIFY bell", "LISTEN and NOTIFY"],
    ["CREATE TABLE t (a int8 REFERENCES u (a) DEFERRABLE)", "deferrable constraints"],
    ["CREATE OR REPLACE FUNCTION f() RETURNS trigger", "triggers and procedures"],
    ["DO $$ BEGIN END $$", "code blocks"],
    ["SELECT xmin FROM t", "columns of the system"],
    ["ALTER TABLE t ADD EXCLUDE USING gist (a WITH &&)", "exclusion constraints"],
    ["LOCK TABLE t", "table locks"],
    ["CREATE TEMPORARY TABLE t (a int8)", "temporary and unlogged tables"],
    ["CREATE TABLE t (a bigserial)", "sequences for ids"],
    ["CREATE EXTENSION pg_trgm", "extensions, domains and rules"],
    ["MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE", "MERGE"],
    ["PREPARE TRANSACTION 'x'", "two-phase commits"],
  ] as const)
    it(text, () => assert.deepEqual(notShared(text), [why]));

  for (const text of [
    `WITH a AS (INSERT INTO "c"."op" (id) VALUES ($1)), b AS (UPDATE "c"."inst" SET x = 1) DELETE FROM "d"."op"`,
    `WITH held AS (SELECT 1 FROM t FOR UPDATE SKIP LOCKED) UPDATE t SET x = 1`,
    `INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET x = excluded.x`,
    `UPDATE t SET x = 1; UPDATE t SET y = 2`,
    `UPDATE t SET note = 'UPDATE t SET x' WHERE serial_number = 1 -- UPDATE t`,
  ])
    it(`takes ${text}`, () => assert.deepEqual(notShared(text), []));
});
