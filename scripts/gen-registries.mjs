// Folders of one default export per file → index.gen.ts in each: adding a file is all it takes to add a rule.
// `--check` fails when a committed index is out of date.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./lib/paths.mjs";

const registries = [
  { folder: "pkg/scheduler/filters", name: "filters", type: "HostFilter", from: "../domain/rules.js" },
  { folder: "pkg/scheduler/weighers", name: "weighers", type: "HostWeigher", from: "../domain/rules.js" },
  { folder: "pkg/conductor/ops", name: "kindFactories", type: "KindFactory", from: "../kind-factory.js" },
];

const camel = (file) => file.replace(/\.ts$/, "").replace(/-(\w)/g, (_, letter) => letter.toUpperCase());

function contents({ folder, name, type, from }) {
  const files = readdirSync(join(root, folder)).filter((file) => file.endsWith(".ts") && !/\.(test|gen)\.ts$/.test(file)).sort();
  return [
    `// Written by scripts/gen-registries.mjs from the files in ${folder}. Do not edit.`,
    `import type { ${type} } from "${from}";`,
    ...files.map((file) => `import ${camel(file)} from "./${file.replace(/\.ts$/, ".js")}";`),
    "",
    `/** Everything in this folder, by file name. */`,
    `export const ${name}: readonly ${type}[] = [`,
    ...files.map((file) => `  ${camel(file)},`),
    "];",
    "",
  ].join("\n");
}

let stale = 0;
for (const registry of registries) {
  const path = join(root, registry.folder, "index.gen.ts");
  const wanted = contents(registry);
  let have = "";
  try { have = readFileSync(path, "utf8"); } catch { /* not written yet */ }
  if (have === wanted) continue;
  if (process.argv.includes("--check")) {
    console.error(`${registry.folder}/index.gen.ts is out of date: run npm run gen`);
    stale++;
  } else {
    writeFileSync(path, wanted);
    console.log(`wrote ${registry.folder}/index.gen.ts`);
  }
}
process.exitCode = stale > 0 ? 1 : 0;
