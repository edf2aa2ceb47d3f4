/** A check as written: what is left of it after parsing. */
export type Check =
  | { readonly type: "always" }
  | { readonly type: "never" }
  | { readonly type: "not"; readonly of: Check }
  | { readonly type: "and" | "or"; readonly of: readonly Check[] }
  | { readonly type: "rule"; readonly name: string }
  | { readonly type: "role"; readonly match: string }
  | { readonly type: "compare"; readonly left: string; readonly match: string };

/**
 * Parses oslo.policy's language: `@`, `!`, `kind:match`, `not`, `and`, `or`, parentheses; `not` binds
 * strongest, `or` weakest. `kind` is `rule`, `role`, a credential (`user_id`, `project_id`, `is_admin`,
 * `system_scope` …) or a quoted literal; `%(name)s` in `match` stands for the target's attribute. The empty
 * text always holds.
 * @throws SyntaxError telling what is wrong with it
 */
export function parseCheck(text: string): Check {
  const tokens = tokenize(text);
  if (tokens.length === 0) return { type: "always" };
  const cursor = { tokens, at: 0 };
  const check = parseOr(cursor);
  if (cursor.at < tokens.length) throw new SyntaxError(`unexpected "${tokens[cursor.at]}"`);
  return check;
}

interface Cursor {
  readonly tokens: readonly string[];
  at: number;
}

/** Words are separated by spaces; parentheses count only at a word's ends, as `%(x)s` has them inside. */
function tokenize(text: string): string[] {
  const tokens: string[] = [];
  for (const word of text.split(/\s+/)) {
    const opening = /^\(*/.exec(word)?.[0].length ?? 0;
    const body = word.slice(opening);
    const closing = /\)*$/.exec(body)?.[0].length ?? 0;
    tokens.push(...Array<string>(opening).fill("("));
    const core = body.slice(0, body.length - closing);
    if (core !== "") tokens.push(core);
    tokens.push(...Array<string>(closing).fill(")"));
  }
  return tokens;
}

const parseOr = (cursor: Cursor): Check => parseList(cursor, "or", parseAnd);
const parseAnd = (cursor: Cursor): Check => parseList(cursor, "and", parseNot);

function parseList(cursor: Cursor, word: "and" | "or", parseItem: (cursor: Cursor) => Check): Check {
  const first = parseItem(cursor);
  const of = [first];
  while (cursor.tokens[cursor.at]?.toLowerCase() === word) {
    cursor.at++;
    of.push(parseItem(cursor));
  }
  return of.length === 1 ? first : { type: word, of };
}

function parseNot(cursor: Cursor): Check {
  if (cursor.tokens[cursor.at]?.toLowerCase() !== "not") return parseOne(cursor);
  cursor.at++;
  return { type: "not", of: parseNot(cursor) };
}

function parseOne(cursor: Cursor): Check {
  const token = cursor.tokens[cursor.at++];
  if (token === undefined) throw new SyntaxError("it ends too early");
  if (token === "(") {
    const inner = parseOr(cursor);
    if (cursor.tokens[cursor.at++] !== ")") throw new SyntaxError("a closing parenthesis is missing");
    return inner;
  }
  if (token === "@") return { type: "always" };
  if (token === "!") return { type: "never" };
  return parseKind(token);
}

function parseKind(token: string): Check {
  const colon = token.indexOf(":");
  if (colon <= 0) throw new SyntaxError(`"${token}" is no check`);
  const kind = token.slice(0, colon);
  const match = token.slice(colon + 1);
  if (kind === "rule") return { type: "rule", name: match };
  if (kind === "role") return { type: "role", match };
  if (kind === "http" || kind === "https") throw new SyntaxError("remote checks are not supported");
  return { type: "compare", left: kind, match };
}
