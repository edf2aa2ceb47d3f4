import { lowerFirst } from "./services.mjs";

/** The classes of resources.gen.ts. */
export function typescriptOf(services) {
  const imports = new Map();
  const runtime = new Set(services.map(({ desc }) => desc.name));
  const use = (name, file) => {
    const path = `./gen/${file.name}_pb.js`;
    imports.set(path, (imports.get(path) ?? new Set()).add(name));
    return name;
  };
  const classes = services.map((service) => classOf(service, use)).join("\n");
  const lines = [...imports]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([path, names]) => {
      const all = [...names].sort();
      const values = all.filter((name) => runtime.has(name));
      const types = all.filter((name) => !values.includes(name));
      return [
        ...(types.length > 0 ? [`import type { ${types.join(", ")} } from "${path}";`] : []),
        ...(values.length > 0 ? [`import { ${values.join(", ")} } from "${path}";`] : []),
      ];
    });
  return `// Written by scripts/gen-sdk.mjs from proto/kilonova/api/v1. Do not edit.
import type { MessageInitShape } from "@bufbuild/protobuf";
${lines.join("\n")}
import type { Item, Started } from "./answers.js";
import type { CallOptions, Caller } from "./calls.js";
import type { Pages } from "./pages.js";
import { Resource, ask, begin, follow, pages } from "./resource.js";
import type { Watch, WatchOptions } from "./watch.js";

${classes}
/** One client for each service. */
export class Resources {
${services.map(({ name, comment }) => `${doc(comment, "  ")}  readonly ${lowerFirst(name)}: ${name};`).join("\n")}

  constructor(caller: Caller) {
${services.map(({ name }) => `    this.${lowerFirst(name)} = new ${name}(caller);`).join("\n")}
  }
}
`;
}

/** messages.gen.ts: everything that users may name. */
export function messagesOf(set) {
  const files = set.file.map(({ name }) => name.replace(/\.proto$/, "_pb.js"));
  const lines = files
    .filter((name) => /^kilonova\/(api|type)\//.test(name) && !/\/(options|actor)_pb/.test(name))
    .sort()
    .map((name) => `export * from "./gen/${name}";`);
  return `// Written by scripts/gen-sdk.mjs from proto/kilonova. Do not edit.\n${lines.join("\n")}\n`;
}

function classOf({ desc, name, methods, comment }, use) {
  use(desc.name, desc.file);
  return `${doc(comment, "")}export class ${name} extends Resource {
${methods.map((method) => methodOf(desc, method, use)).join("\n\n")}
}
`;
}

function methodOf(service, { desc, name, comment, manner, items }, use) {
  const method = `${service.name}.method.${desc.localName}`;
  const request = `MessageInitShape<typeof ${use(`${desc.input.name}Schema`, desc.input.file)}>`;
  const answer = use(desc.output.name, desc.output.file);
  // What can be asked with nothing said may be asked with nothing said.
  const wish = manner === "pages" || manner === "watches" || desc.input.fields.length === 0;
  const first = `request: ${request}${wish ? " = {}" : ""}`;
  const [options, type, call] = waysOf(method, answer, items, use)[manner]();
  return `${doc(comment, "  ")}  ${name}(${first}, options: ${options} = {}): ${type} {
    return ${call};
  }`;
}

/** By manner: the type of the options, the type of the answer, and what is done. */
function waysOf(method, answer, items, use) {
  return {
    call: () => ["CallOptions", `Promise<${answer}>`, `ask(this.caller, ${method}, request, options)`],
    starts: () => ["CallOptions", `Started<${answer}>`, `begin(this.caller, ${method}, request, options)`],
    watches: () => ["WatchOptions", `Watch<${answer}>`, `follow(this.caller, ${method}, request, options)`],
    pages: () => [
      "CallOptions",
      `Pages<Item<${use(items.message.name, items.message.file)}>, ${answer}>`,
      `pages(this.caller, ${method}, "${items.localName}", request, options)`,
    ],
  };
}

function doc(comment, indent) {
  const lines = comment.join("\n").trim().split("\n");
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
}
