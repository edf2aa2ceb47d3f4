import assert from "node:assert/strict";
import { mapLimit } from "../../../pkg/kernel/index.js";
import { difference } from "./answers.js";
import type { Ask } from "./http.js";
import { expand, named, put, textOf } from "./parts.js";
import type { Stage } from "./stage.js";
import type { RestRow, RestTable } from "./tables.js";
import { atVersion, tablesOf } from "./tables.js";

/** Each row of the Compute API is sent at all of them. */
const VERSIONS = ["2.1", "2.37", "2.53", "2.79", "2.104"] as const;
const AT_ONCE = 8;

/** Every row of `table/rest`, as its answer is committed there. */
export function restTable(stage: Stage): void {
  const tables = tablesOf<RestTable>("rest");

  it("has at least 300 rows for the Compute API", () => {
    const rows = [...tables.values()]
      .filter((table) => (table.service ?? "compute") === "compute")
      .flatMap((table) => table.rows);
    assert.ok(rows.length >= 300, `${rows.length} rows`);
  });

  for (const [name, table] of tables) {
    it(`${name}: ${table.rows.length} requests`, async () => {
      const before = await stage.database.counts();
      const wrong = (await mapLimit(casesOf(table), AT_ONCE, (one) => judge(stage, table, one))).filter(
        (difference) => difference !== "",
      );
      assert.equal(wrong.length, 0, `${wrong.length} answers differ:\n${wrong.join("\n")}`);
      assert.deepEqual(await stage.database.counts(), before, "something was made, or half of it");
    });
  }
}

interface Case {
  readonly row: RestRow;
  readonly version: string;
}

const casesOf = (table: RestTable): Case[] =>
  table.rows.flatMap((row) => {
    const versions = row.at ?? table.at ?? ((table.service ?? "compute") === "compute" ? VERSIONS : [""]);
    return versions.map((version) => ({ row, version }));
  });

async function judge(stage: Stage, table: RestTable, { row, version }: Case): Promise<string> {
  const place = table.service ?? "compute";
  const ask = requestOf(stage, table, row, version);
  const answer = await stage.http(place).ask(ask);
  const expected = named(
    String(atVersion(row.expect, minorOf(version)) ?? "nothing at this version"),
    stage.names,
  );
  const leak = stage.leaks.look(
    answer.text,
    `${ask.path}${String(ask.body ?? "")}${JSON.stringify(ask.headers)}`,
    rightsOf(row.as ?? table.as),
  );
  const unwanted =
    row.without !== undefined && answer.text.includes(named(row.without, stage.names))
      ? `has ${row.without}`
      : "";
  const wrong = [difference(answer, expected, place), leak, unwanted].filter(Boolean).join("; ");
  return wrong === ""
    ? ""
    : `- ${row.what} at ${version}: ${wrong}: ${answer.status} ${answer.text.slice(0, 300)}`;
}

const minorOf = (version: string): number => Number(version.split(".")[1] ?? 0);
const rightsOf = (as: RestRow["as"]): { admin: boolean; foreign: boolean } => ({
  admin: as === "admin",
  foreign: as === "stranger",
});

function requestOf(stage: Stage, table: RestTable, row: RestRow, version: string): Ask {
  const place = table.service ?? "compute";
  const as = row.as ?? table.as ?? "demo";
  const token =
    row.token === undefined
      ? as === "nobody"
        ? undefined
        : stage.token(as)
      : textOf(row.token, stage.names);
  const body = bodyOf(stage, table, row, minorOf(version));
  const headers: Record<string, unknown> = {
    ...(token === undefined ? {} : { "x-auth-token": token }),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(version === "" ? {} : { "openstack-api-version": `${place} ${version}` }),
    ...table.headers,
    ...row.headers,
  };
  const sent = Object.entries(headers)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [
      name,
      Array.isArray(value)
        ? value.map((one) => String(expand(one, stage.names)))
        : String(expand(value, stage.names)),
    ]);
  return {
    method: row.method ?? table.method ?? "GET",
    path: textOf(row.path ?? table.path ?? "/", stage.names),
    headers: Object.fromEntries(sent) as Record<string, string>,
    ...(body === undefined ? {} : { body }),
  };
}

function bodyOf(
  { names }: Stage,
  table: RestTable,
  row: RestRow,
  minor: number,
): string | Buffer | undefined {
  if (row.raw !== undefined) return textOf(row.raw, names);
  if (row.bytes !== undefined) return Buffer.from(textOf(row.bytes, names), "latin1");
  const given = row.body === undefined ? table.body : row.body;
  const body = expand(atVersion(given, minor), names);
  if (body === undefined) return undefined;
  for (const pointer of row.drop ?? []) put(body, pointer, undefined);
  for (const [pointer, value] of Object.entries(row.set ?? {})) put(body, pointer, expand(value, names));
  return JSON.stringify(body);
}
