// The methods of the public contract that nothing implements yet → the table in docs/status.md. `--check`
// fails when it is out of date.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { anApi } from "../pkg/api/testing/an-api.js";
import { packageRoot } from "../pkg/platform/service/index.js";

const BEGIN = "<!-- unserved methods: written by `npm run gen` -->";
const END = "<!-- end of unserved methods -->";

function table(): string {
  const rows = anApi().service.bindings.flatMap(({ definition, methods }) => {
    const of = (served: boolean): string[] =>
      methods.filter((method) => method.served === served).map(({ method }) => `\`${method}\``);
    const missing = of(false);
    return missing.length === 0
      ? []
      : [
          `| \`${definition.fullName.replace(/^.*\./, "")}\` | ${of(true).length} of ${methods.length} | ${missing.join(", ")} |`,
        ];
  });
  return ["| service | served | not served |", "|---|---|---|", ...rows].join("\n");
}

const path = join(packageRoot(), "docs", "status.md");
const before = readFileSync(path, "utf8");
const [begin, end] = [before.indexOf(BEGIN), before.indexOf(END)];
if (begin < 0 || end < begin)
  throw new Error("docs/status.md has lost the marks around the table of unserved methods");
const wanted = `${before.slice(0, begin)}${BEGIN}\n${table()}\n${before.slice(end)}`;
if (!process.argv.includes("--check")) writeFileSync(path, wanted);
else if (before !== wanted) {
  console.error("docs/status.md is out of date: run npm run gen");
  process.exitCode = 1;
}
