/** The classes of _resources.py. */
export function pythonOf(services) {
  const classes = services.map(classOf).join("\n\n");
  const table = services.map(({ name }) => `        self.${snake(name)} = ${name}(caller)`).join("\n");
  return `# Written by scripts/gen-sdk.mjs from proto/kilonova/api/v1. Do not edit.
"""One class for each service of kilonova.api.v1."""

from ._resource import Resource


${classes}

class Resources:
    """One client for each service."""

    def __init__(self, caller):
${table}
`;
}

/** What can be given by name; `timeout` is always that of the call. */
export const fieldsOf = (desc) => desc.fields.filter(({ name }) => name !== "timeout");

function classOf({ desc, name, methods, comment }) {
  const body = methods.map((method) => methodOf(desc, method)).join("");
  return `class ${name}(Resource):
${docstring(comment, "    ")}
${body}`;
}

function methodOf(service, { desc, name, comment, manner, items, operations }) {
  const [extra, call] = waysOf(`"/${service.typeName}/${desc.name}"`, items, operations)[manner]();
  const names = fieldsOf(desc.input).map((field) => field.name);
  const fields = names.length > 0 ? `Fields: ${names.join(", ")}.` : "";
  return `
    def ${snake(name)}(self, ${extra}**fields):
${docstring([...comment, fields], "        ")}
        return ${call}
`;
}

/** By manner: what else can be said, and what is done. */
function waysOf(path, items, operations = []) {
  const timeout = "*, timeout=None, ";
  const started = operations.map((one) => `"${one.name}"`).join(", ");
  return {
    call: () => [timeout, `self._call(${path}, fields, timeout)`],
    starts: () => [timeout, `self._start(${path}, [${started}], fields, timeout)`],
    pages: () => [timeout, `self._list(${path}, "${items.name}", fields, timeout)`],
    watches: () => ["", `self._follow(${path}, fields)`],
  };
}

export function docstring(comment, indent) {
  const lines = comment.join("\n").trim().split("\n");
  const [only] = lines;
  if (lines.length === 1) return `${indent}"""${only}"""`;
  return `${indent}"""${lines.map((line, at) => (at === 0 || line === "" ? line : indent + line)).join("\n")}\n${indent}"""`;
}

export const snake = (name) =>
  name.replace(/(?<=[a-z])[A-Z]|^[A-Z]/g, (letter, at) => (at === 0 ? "" : "_") + letter.toLowerCase());
