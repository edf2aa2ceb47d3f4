import { GatewayErrors } from "../errors.js";
import { assertStorableText } from "./json.js";

/** Values of a query string by name, in the order of the request; a name without `=` has the value "". */
export type Query = ReadonlyMap<string, readonly string[]>;

const none: Query = new Map();

/** @param text  what follows the `?` @throws UNDECODABLE_QUERY, UNSTORABLE_TEXT */
export function parseQuery(text: string): Query {
  if (text === "") return none;
  const found = new Map<string, string[]>();
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = decode(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? "" : decode(pair.slice(at + 1));
    assertStorableText(name, "the query string");
    assertStorableText(value, "the query string");
    const known = found.get(name);
    if (known) known.push(value);
    else found.set(name, [value]);
  }
  return found;
}

function decode(text: string): string {
  try {
    // A percent sign without two hex digits stands for itself, as in OpenStack.
    return decodeURIComponent(text.replaceAll("+", " ").replace(/%(?![0-9a-fA-F]{2})/g, "%25"));
  } catch (cause) {
    throw GatewayErrors.UNDECODABLE_QUERY({}, { cause });
  }
}

/** The last value of a parameter: what counts where only one does. */
export const last = (query: Query, name: string): string | undefined => query.get(name)?.at(-1);
/** The first value, for the few parameters where that one counts. */
export const first = (query: Query, name: string): string | undefined => query.get(name)?.[0];
