// Folders of one default export per file → index.gen.ts in each: adding a file is all it takes to add a rule.
// Services of a contract → one list of them. `--check` fails when a committed index is out of date.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./lib/paths.mjs";

const registries = [
  { folder: "pkg/scheduler/filters", name: "filters", type: "HostFilter", from: "../domain/rules.js" },
  { folder: "pkg/scheduler/weighers", name: "weighers", type: "HostWeigher", from: "../domain/rules.js" },
  {
    folder: "pkg/model/operations",
    name: "operations",
    type: "OperationDeclaration",
    from: "../operation-declaration.js",
    each: "anyOperation",
  },
  {
    folder: "pkg/api/actions",
    name: "actions",
    type: "Action",
    from: "./action.js",
    not: ["action.ts"],
  },
  {
    folder: "pkg/compute/commands",
    name: "commands",
    type: "Command",
    from: "./command.js",
    not: ["command.ts", "give-volumes.ts", "record-of.ts"],
    each: "listed",
  },
  {
    folder: "pkg/gateway/resources/servers/actions",
    name: "actionBodies",
    type: "ActionBody",
    from: "./action.js",
    not: ["action.ts"],
  },
  { folder: "pkg/conductor/ops", name: "kindFactories", type: "KindFactory", from: "../kind-factory.js" },
  {
    folder: "pkg/gateway/testing/translations",
    name: "translations",
    type: "Translation",
    from: "./translation.js",
    not: ["translation.ts"],
    lists: true,
  },
];

const camel = (file) => file.replace(/\.ts$/, "").replace(/-(\w)/g, (_, letter) => letter.toUpperCase());

/** @param lists  whether each file has a list of them */
function contents({ folder, name, type, from, not = [], each, lists = false }) {
  const files = readdirSync(join(root, folder))
    .filter((file) => file.endsWith(".ts") && !/\.(test|gen)\.ts$/.test(file) && !not.includes(file))
    .sort();
  return [
    `// Written by scripts/gen-registries.mjs from the files in ${folder}. Do not edit.`,
    `import type { ${type} } from "${from}";`,
    ...(each === undefined ? [] : [`import { ${each} } from "${from}";`]),
    ...files.map((file) => `import ${camel(file)} from "./${file.replace(/\.ts$/, ".js")}";`),
    "",
    `/** Everything in this folder, by file name. */`,
    `export const ${name}: readonly ${type}[] = [`,
    ...files.map(
      (file) => `  ${lists ? "..." : ""}${each === undefined ? camel(file) : `${each}(${camel(file)})`},`,
    ),
    "];",
    "",
  ].join("\n");
}

const contracts = [
  {
    folder: "gen/kilonova/api/v1",
    name: "publicContract",
    to: "pkg/api/contract.gen.ts",
    comment: "Every service of `kilonova.api.v1`.",
  },
];

function contractContents({ folder, name, comment }) {
  const files = readdirSync(join(root, folder))
    .filter((file) => file.endsWith("_service.ts"))
    .sort();
  const found = files.map((file) => ({
    file,
    services: [
      ...readFileSync(join(root, folder, file), "utf8").matchAll(/^export const (\w+ServiceDefinition) =/gm),
    ].map((match) => match[1]),
  }));
  return [
    `// Written by scripts/gen-registries.mjs from the files in ${folder}. Do not edit.`,
    ...found.map(
      ({ file, services }) =>
        `import { ${services.join(", ")} } from "../../${folder}/${file.replace(/\.ts$/, ".js")}";`,
    ),
    `import type { ServiceDefinition } from "../platform/rpc/index.js";`,
    "",
    `/** ${comment} */`,
    `export const ${name}: readonly ServiceDefinition[] = [`,
    ...found.flatMap(({ services }) => services.map((service) => `  ${service},`)),
    "];",
    "",
  ].join("\n");
}

const outputs = [
  ...registries.map((registry) => ({ path: `${registry.folder}/index.gen.ts`, wanted: contents(registry) })),
  ...contracts.map((contract) => ({ path: contract.to, wanted: contractContents(contract) })),
];

let stale = 0;
for (const { path, wanted } of outputs) {
  let have = "";
  try {
    have = readFileSync(join(root, path), "utf8");
  } catch {
    /* not written yet */
  }
  if (have === wanted) continue;
  if (process.argv.includes("--check")) {
    console.error(`${path} is out of date: run npm run gen`);
    stale++;
  } else {
    writeFileSync(join(root, path), wanted);
    console.log(`wrote ${path}`);
  }
}
process.exitCode = stale > 0 ? 1 : 0;
