/** What CockroachDB lacks or refuses, by how it is written. What it refuses only sometimes is not here. */
const ABSENT: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["advisory locks", /\bpg_(try_)?advisory_/i],
  ["LISTEN and NOTIFY", /^\s*(un)?(listen|notify)\b/i],
  ["deferrable constraints", /\b(not\s+)?deferrable\b|\bset\s+constraints\b/i],
  ["triggers and procedures", /\bcreate\s+(or\s+replace\s+)?(constraint\s+)?(trigger|function|procedure)\b/i],
  ["code blocks", /^\s*do\s+\$/i],
  ["columns of the system", /\b(xmin|xmax|cmin|cmax|ctid)\b/i],
  ["exclusion constraints", /\bexclude\s+using\b/i],
  ["table locks", /^\s*lock\s+(table\s+)?[\w"]/i],
  ["temporary and unlogged tables", /\bcreate\s+(temp|temporary|unlogged)\b/i],
  ["sequences for ids", /\b(small|big)?serial\b|\bnextval\s*\(/i],
  ["extensions, domains and rules", /\bcreate\s+(extension|domain|rule)\b/i],
  ["MERGE", /^\s*(with\b[^]*\)\s*)?merge\s+into\b/i],
  ["two-phase commits", /^\s*prepare\s+transaction\b/i],
];

const NAME = `(?:"[^"]+"|\\w+)`;

/** A part that changes a table. `FOR UPDATE` and `DO UPDATE` are none. */
const CHANGE = new RegExp(
  `(?<!\\b(?:for|do|on|key)\\s+)\\b(?:insert\\s+into|update|delete\\s+from)\\s+(${NAME}(?:\\.${NAME})*)`,
  "gi",
);

const withoutTexts = (sql: string): string => sql.replace(/'(?:[^']|'')*'/g, "''").replace(/--.*$/gm, "");

/**
 * Why CockroachDB would refuse a text, as far as the text tells; several statements may be in it.
 * PostgreSQL takes a statement that changes one table in two parts; CockroachDB does not.
 */
export const notShared = (text: string): readonly string[] =>
  withoutTexts(text)
    .split(";")
    .flatMap((statement) => [
      ...ABSENT.filter(([, pattern]) => pattern.test(statement)).map(([what]) => what),
      ...changedTwice(statement).map((table) => `${table} is changed twice`),
    ]);

function changedTwice(statement: string): readonly string[] {
  const tables = [...statement.matchAll(CHANGE)].map(([, table = ""]) => table.replaceAll('"', ""));
  return [...new Set(tables.filter((table, index) => tables.indexOf(table) !== index))];
}
