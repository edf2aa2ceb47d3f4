import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../pkg/platform/service/index.js";
import { novaTable } from "../../e2e/every-command/nova.js";
import { openstackTable } from "../../e2e/every-command/openstack.js";
import { pageOf } from "../../e2e/every-command/page.js";
import { assertTold } from "../../e2e/every-command/row.js";

const [BEGIN, END] = ["<!-- commands: from test/e2e/every-command -->\n", "\n<!-- end of commands -->"];

describe("docs/user/clients.md", () => {
  const file = join(packageRoot(), "docs", "user", "clients.md");

  it("tells what test/e2e/every-command.test.ts tries", () => {
    const text = readFileSync(file, "utf8");
    const [before, rest = ""] = text.split(BEGIN);
    const [told, after] = rest.split(END);
    const wanted = pageOf({ openstack: openstackTable, nova: novaTable });
    if (process.env["KILONOVA_UPDATE_GOLDEN"] === "1")
      writeFileSync(file, before + BEGIN + wanted + END + after);
    else assert.equal(told, wanted);
  });

  it("has no row that says nothing that could fail", () => {
    for (const row of [...openstackTable, ...novaTable]) assertTold(row);
  });
});
