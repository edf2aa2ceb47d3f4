import assert from "node:assert/strict";
import { tryAll } from "./every-command/lanes.js";
import { novaTable } from "./every-command/nova.js";
import { openstackTable } from "./every-command/openstack.js";
import { assertTold, isRefused } from "./every-command/row.js";
import type { Row } from "./every-command/row.js";
import { Stage } from "./every-command/stage.js";

/** `COMMAND_ROWS` tries only rows whose title it matches: for who works on some of them. */
const chosen = new RegExp(process.env["COMMAND_ROWS"] ?? "");
const rows = (client: string, table: readonly Row[]): readonly Row[] =>
  table.filter((row) => chosen.test(`${client} ${titleOf(row)}`));
const TABLES = { openstack: rows("openstack", openstackTable), nova: rows("nova", novaTable) } as const;

/** Every command of the unmodified clients about servers, one by one. */
describe("every command", function () {
  this.timeout(600_000);
  const stage = new Stage();
  let results: ReadonlyMap<Row, Promise<void>> = new Map();

  before(async () => {
    await stage.open();
    results = tryAll(stage, TABLES);
  });
  after(async () => {
    await Promise.allSettled(results.values());
    await stage.close();
  });

  it("that the openstack client knows about compute is in the table", async () => {
    const groups = await stage
      .openstack("demo", undefined)
      .json<{ Commands: string[] }[]>("command", "list", "--group", "openstack.compute.v2");
    assert.deepEqual(commandsOf(openstackTable), groups.flatMap(({ Commands }) => Commands).sort());
  });

  it("that the nova client knows is in the table", async () => {
    const { out } = await stage.nova("demo").run(["bash-completion"]);
    const known = out
      .trim()
      .split(/\s+/)
      .filter((word) => !word.startsWith("-"));
    // It tells of all but itself.
    assert.deepEqual(commandsOf(novaTable), [...known, "bash-completion"].sort());
  });

  for (const client of ["openstack", "nova"] as const)
    describe(client, () => {
      for (const row of TABLES[client])
        it(titleOf(row), () => {
          assertTold(row);
          return results.get(row);
        });
    });
});

function commandsOf(table: readonly Row[]): string[] {
  return [...new Set(table.map(({ command }) => command))].sort();
}

function titleOf(row: Row): string {
  return [
    row.command,
    ...row.args,
    ...(row.at ? [`(${row.at})`] : []),
    ...(row.by ? [`by ${row.by}`] : []),
    ...(row.from && row.from !== "NONE" ? [`from ${row.from}`] : []),
    ...(isRefused(row) ? ["is refused"] : []),
  ].join(" ");
}
