// What the SDKs need to know of the public services: how methods are called, and how each is to be called.
const OPERATION = "kilonova.type.v1.Operation";

/**
 * The services of kilonova.api.v1, by name. A method is one of
 * - "pages": answers a page and the token of the next one; `items` is the field with the rows,
 * - "starts": answers operations; `operations` are the fields with them,
 * - "watches": a stream that goes on from a resume token,
 * - "call": everything else.
 */
export function servicesOf(registry) {
  const found = [...registry].filter(
    (one) => one.kind === "service" && one.typeName.startsWith("kilonova.api.v1."),
  );
  return found.sort((a, b) => (a.name < b.name ? -1 : 1)).map(serviceOf);
}

function serviceOf(desc) {
  const name = desc.name.replace(/Service$/, "");
  const short = desc.methods.map((method) => shortName(method.name, name));
  const methods = desc.methods.map((method, at) => ({
    desc: method,
    // Two methods that would be called the same keep their whole names.
    name: short.filter((one) => one === short[at]).length === 1 ? short[at] : lowerFirst(method.name),
    comment: commentOf(desc.file, [6, desc.file.services.indexOf(desc), 2, at]),
    ...manner(method),
  }));
  const comment = commentOf(desc.file, [6, desc.file.services.indexOf(desc)]);
  return { desc, name, methods, comment };
}

/** "ConfirmServerResize" of "Servers" is "confirmResize". */
function shortName(method, resource) {
  for (const noun of [resource, resource.replace(/s$/, "")]) {
    const found = new RegExp(`^([A-Z][a-z]+.*?)${noun}(?![a-z])(.*)$`).exec(method);
    if (found) return lowerFirst(found[1] + found[2]);
  }
  return lowerFirst(method);
}

function manner(method) {
  if (method.methodKind === "server_streaming") {
    if (!method.input.field.resumeToken || !method.output.field.resumeToken)
      throw new Error(`${method.name} streams without a resume token`);
    return { manner: "watches" };
  }
  if (method.methodKind !== "unary") throw new Error(`${method.name} streams requests`);
  const items = method.output.fields.find(
    (field) => field.fieldKind === "list" && field.listKind === "message",
  );
  if (items !== undefined && method.output.field.nextPageToken) return { manner: "pages", items };
  const operations = method.output.fields.filter((field) => field.message?.typeName === OPERATION);
  return operations.length > 0 ? { manner: "starts", operations } : { manner: "call" };
}

/** The comment before what a path of a file's descriptor names. */
export function commentOf(file, path) {
  const at = file.proto.sourceCodeInfo?.location.find(
    (one) => one.path.length === path.length && one.path.every((step, i) => step === path[i]),
  );
  return (at?.leadingComments ?? "").split("\n").map((line) => line.trim());
}

export const lowerFirst = (text) => text.charAt(0).toLowerCase() + text.slice(1);
