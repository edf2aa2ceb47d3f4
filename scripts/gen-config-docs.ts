// Every option of every program → docs/config.md. `--check` fails when the committed page is out of date.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sections as upSections } from "../cmd/kilonova/up/config.js";
import { programs } from "../cmd/shared/programs.js";
import { configDocs } from "../pkg/platform/config/index.js";
import type { Sections } from "../pkg/platform/config/index.js";
import { packageRoot } from "../pkg/platform/service/index.js";

const readers: Readonly<Record<string, Sections>> = { ...programs, "kilonova up": upSections };

/** Sections by name, each once: programs that share a section share its schema. */
function allSections(): Sections {
  const all: Record<string, Sections[string]> = {};
  for (const [program, sections] of Object.entries(readers)) {
    for (const [name, schema] of Object.entries(sections)) {
      if (all[name] !== undefined && all[name] !== schema)
        throw new Error(`section ${name} of ${program} is another one than elsewhere`);
      all[name] = schema;
    }
  }
  return Object.fromEntries(Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function page(): string {
  const sections = allSections();
  const intro = [
    "# Configuration",
    "",
    "Written by `npm run gen` from the schemas in the code. Do not edit.",
    "",
    "Each program reads, strongest last: its defaults, a YAML file (`--config <file>` or `KILONOVA_CONFIG`; one mapping per section), environment variables, and",
    "`--set <section>.<option>=<value>`. Lists and mappings in variables and flags are written as YAML. An unknown section, option or variable with the prefix",
    "`KILONOVA_` stops the program, and so does a bad value: all problems are listed at once. Secrets print as `***` in reports.",
    "",
    "| program | sections |",
    "|---|---|",
    ...Object.entries(readers).map(
      ([program, own]) =>
        `| ${program} | ${Object.keys(own)
          .map((name) => `[${name}](#${name.toLowerCase()})`)
          .join(", ")} |`,
    ),
    "",
  ];
  return `${intro.join("\n")}\n${configDocs(sections)}`;
}

const path = join(packageRoot(), "docs", "config.md");
const wanted = page();
if (!process.argv.includes("--check")) writeFileSync(path, wanted);
else if (readFileSync(path, "utf8") !== wanted) {
  console.error("docs/config.md is out of date: run npm run gen");
  process.exitCode = 1;
}
