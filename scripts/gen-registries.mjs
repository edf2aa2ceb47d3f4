// Folders of one default export per file → index.gen.ts in each: adding a file is all it takes to add a rule.
// Services of a contract → one list of them. `--check` fails when a committed index is out of date.
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
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
  const files = readdirSync(join(root, folder))
    .filter((file) => file.endsWith(".ts") && !/\.(test|gen)\.ts$/.test(file))
    .sort();
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

/** Fields of requests that the contract marks `debug_redact`, by the request's name. */
function sealedContents() {
  const { file } = fromBinary(FileDescriptorSetSchema, readFileSync(join(root, "gen", "descriptors.binpb")));
  const sealed = file
    .filter((one) => one.package === "kilonova.api.v1")
    .flatMap(({ messageType }) => messageType)
    .map(({ name, field }) => ({
      name,
      fields: field.filter(({ options }) => options?.debugRedact === true).map(({ jsonName }) => jsonName),
    }))
    .filter(({ name, fields }) => name.endsWith("Request") && fields.length > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    "// Written by scripts/gen-registries.mjs from the contract's `debug_redact`. Do not edit.",
    "",
    "/** Fields of requests that are secret, by the request's name: they are stored sealed. */",
    "export const sealedFields: ReadonlyMap<string, readonly string[]> = new Map([",
    ...sealed.map(({ name, fields }) => `  [${JSON.stringify(name)}, ${JSON.stringify(fields)}],`),
    "]);",
    "",
  ].join("\n");
}

const outputs = [
  ...registries.map((registry) => ({ path: `${registry.folder}/index.gen.ts`, wanted: contents(registry) })),
  ...contracts.map((contract) => ({ path: contract.to, wanted: contractContents(contract) })),
  { path: "pkg/api/sealed-fields.gen.ts", wanted: sealedContents() },
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
