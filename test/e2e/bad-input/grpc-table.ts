import assert from "node:assert/strict";
import { mapLimit } from "../../../pkg/kernel/index.js";
import { GrpcClient } from "./grpc-client.js";
import { expand, put, textOf } from "./parts.js";
import { Protos, pathOf } from "./protos.js";
import type { Stage } from "./stage.js";
import type { GrpcRow, GrpcTable } from "./tables.js";
import { tablesOf } from "./tables.js";

const AT_ONCE = 8;

/** Every row of `table/grpc`, as its status is committed there. */
export function grpcTable(stage: Stage): void {
  const tables = tablesOf<GrpcTable>("grpc");
  const protos = new Protos();
  let client: GrpcClient;

  before(() => {
    client = new GrpcClient(stage.cloud.port(8770));
  });
  after(() => client.close());

  it("has at least 60 rows", () => {
    const rows = [...tables.values()].flatMap((table) => table.rows);
    assert.ok(rows.length >= 60, `${rows.length} rows`);
  });

  for (const [name, table] of tables) {
    it(`${name}: ${table.rows.length} calls`, async () => {
      const before = await stage.database.counts();
      const wrong = (
        await mapLimit(table.rows, AT_ONCE, (row) => judge(stage, protos, client, { ...table, ...row }))
      ).filter(Boolean);
      assert.equal(wrong.length, 0, `${wrong.length} statuses differ:\n${wrong.join("\n")}`);
      assert.deepEqual(await stage.database.counts(), before, "something was made, or half of it");
    });
  }
}

async function judge(stage: Stage, protos: Protos, client: GrpcClient, row: GrpcRow): Promise<string> {
  const { names } = stage;
  const known = (row.method ?? "").startsWith("/") ? undefined : protos.method(row.method ?? "");
  const request =
    row.bytes === undefined && known
      ? protos.encode(known, requestOf(stage, row))
      : Buffer.from((row.bytes ?? "").replaceAll(" ", ""), "hex");
  const as = row.as ?? "demo";
  const token =
    row.token === undefined ? (as === "nobody" ? undefined : stage.token(as)) : textOf(row.token, names);
  const metadata = {
    ...(token === undefined ? {} : { "x-auth-token": token }),
    ...(expand(row.metadata ?? {}, names) as Record<string, string>),
  };
  const outcome = await client.call(
    known ? pathOf(known) : (row.method ?? ""),
    request,
    metadata,
    known?.methodKind === "server_streaming",
  );
  const [code = "", reason = "", ...rest] = textOf(row.expect, names).split(" ");
  const leak = stage.leaks.look(
    outcome.text,
    `${row.method ?? ""}${request.toString("latin1")}${JSON.stringify(metadata)}`,
    { admin: as === "admin", foreign: as === "stranger" },
  );
  const right =
    outcome.code === code &&
    (reason === "" || outcome.reason === reason) &&
    outcome.message.includes(rest.join(" ")) &&
    leak === "" &&
    (row.fields === undefined ||
      [...new Set(outcome.fields)].sort().join() === [...row.fields].sort().join());
  return right
    ? ""
    : `- ${row.what}: ${outcome.code} ${outcome.reason} ${outcome.message.slice(0, 200)} [${outcome.fields.join()}] ${leak}, expected ${row.expect} [${row.fields?.join() ?? "any"}]`;
}

function requestOf({ names }: Stage, { request = {}, set = {}, drop = [] }: GrpcRow): unknown {
  const body = expand(request, names);
  for (const pointer of drop) put(body, pointer, undefined);
  for (const [pointer, value] of Object.entries(set)) put(body, pointer, expand(value, names));
  return body;
}
