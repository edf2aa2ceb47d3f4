import { E } from "../errors.js";
import type { Change } from "./attributes.js";

const OPERATIONS = ["add", "replace", "remove"] as const;
const MAX_CHANGES = 512;

/**
 * Reads the body of a PATCH: a list of changes, each of one whole attribute or property.
 * @param draft4  the older media type (v2.0) writes `{"replace": "/name", "value": …}`
 * @throws INVALID
 */
export function readPatch(body: unknown, draft4: boolean): Change[] {
  if (!Array.isArray(body))
    throw E.INVALID({ problem: "Request body must be a JSON array of operation objects." });
  if (body.length > MAX_CHANGES) throw E.INVALID({ problem: "Too many operations in one request." });
  return body.map((entry: unknown) => {
    if (typeof entry !== "object" || entry === null || Array.isArray(entry))
      throw E.INVALID({ problem: "Operations must be JSON objects." });
    const fields = entry as Readonly<Record<string, unknown>>;
    const op = draft4
      ? OPERATIONS.find((name) => name in fields)
      : OPERATIONS.find((name) => name === fields["op"]);
    if (op === undefined) throw E.INVALID({ problem: "Operations must be one of add, replace, remove." });
    const name = readPath(draft4 ? fields[op] : fields["path"]);
    if (op === "remove") return { op, name };
    if (!("value" in fields))
      throw E.INVALID({ problem: `Operation "${op}" requires a member named "value".` });
    return { op, name, value: fields["value"] };
  });
}

function readPath(path: unknown): string {
  if (typeof path !== "string" || !path.startsWith("/"))
    throw E.INVALID({ problem: 'Pointer does not start with "/".' });
  const name = path.slice(1);
  if (name === "" || name.includes("/"))
    throw E.INVALID({ problem: `Pointer ${JSON.stringify(path)} does not name an attribute of the image.` });
  if (/~(?![01])/.test(name))
    throw E.INVALID({ problem: 'Pointer contains "~" not part of a recognized escape sequence.' });
  return name.replaceAll("~1", "/").replaceAll("~0", "~");
}
