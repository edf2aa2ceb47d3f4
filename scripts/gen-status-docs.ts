// What nothing implements yet, as two tables in docs/status.md: routes of the REST API that answer 501, and
// methods of the public contract. `--check` fails when they are out of date.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { anApi } from "../pkg/api/testing/an-api.js";
import { allOperations } from "../pkg/gateway/resources/index.js";
import { parseRoutes } from "../pkg/gateway/routing/routes.js";
import type { Route } from "../pkg/gateway/routing/routes.js";
import { routeTable } from "../pkg/gateway/routing/table.js";
import { FragmentCache } from "../pkg/gateway/view/fragments.js";
import { packageRoot } from "../pkg/platform/service/index.js";

function unservedMethods(): string {
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

function unservedRoutes(): string {
  const served = new Set(
    allOperations({} as Parameters<typeof allOperations>[0], new FragmentCache(0)).map(({ route }) => route),
  );
  const families = new Map<string, Route[]>();
  // What was removed, or could only ever fail, answers as Nova does without anybody's serving it.
  for (const route of parseRoutes(routeTable).filter(({ kind }) => kind === "active")) {
    const family = familyOf(route.path);
    families.set(family, [...(families.get(family) ?? []), route]);
  }
  const rows = [...families].flatMap(([family, routes]) => {
    const missing = routes.filter(({ key }) => !served.has(key));
    return missing.length === 0
      ? []
      : [
          `| \`${family}\` | ${routes.length - missing.length} of ${routes.length} | ${missing.map(told).join(", ")} |`,
        ];
  });
  return ["| family | served | not served |", "|---|---|---|", ...rows].join("\n");
}

/** The first part of a path: what a controller is in Nova. */
const familyOf = (path: string): string => `/${path.split("/")[1] ?? ""}`;

const told = ({ key, span }: Route): string =>
  span.min === 1 && span.max === Infinity
    ? `\`${key}\``
    : `\`${key}\` (2.${span.min} ${span.max === Infinity ? "on" : `to 2.${span.max}`})`;

const tables = [
  ["unserved routes", unservedRoutes],
  ["unserved methods", unservedMethods],
] as const;

const path = join(packageRoot(), "docs", "status.md");
const before = readFileSync(path, "utf8");
let wanted = before;
for (const [name, table] of tables) {
  const [BEGIN, END] = [`<!-- ${name}: written by \`npm run gen\` -->`, `<!-- end of ${name} -->`];
  const [begin, end] = [wanted.indexOf(BEGIN), wanted.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/status.md has lost the marks around its ${name}`);
  wanted = `${wanted.slice(0, begin)}${BEGIN}\n${table()}\n${wanted.slice(end)}`;
}
if (!process.argv.includes("--check")) writeFileSync(path, wanted);
else if (before !== wanted) {
  console.error("docs/status.md is out of date: run npm run gen");
  process.exitCode = 1;
}
