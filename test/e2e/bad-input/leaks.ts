/** What must never be read in an answer. */
export interface Guarded {
  readonly home: string;
  readonly project: string;
  /** The machine's name, after which the hosts are named. */
  readonly machine: string;
  readonly secrets: readonly string[];
  /** Ids and names of another project. */
  readonly foreign: readonly string[];
}

const PATTERNS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a stack", /\n\s+at \S+|\.(?:ts|js|mjs):\d+/],
  ["a path", /(?:^|[\s"'(])\/(?:tmp|root|home|var|run|usr|etc)\//],
  ["SQL", /\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM)\b[^"]{0,200}\b(?:FROM|SET|VALUES|WHERE)\b/],
  [
    "the database",
    /SQLSTATE|invalid input syntax|violates \S+ constraint|pg_catalog|out of range for type|invalid byte sequence/i,
  ],
  [
    "the runtime",
    /node_modules|TypeError|ReferenceError|RangeError|ECONNREFUSED|ENOENT|undefined is not|Cannot read prop/,
  ],
  ["the inside", /\bagent:|kilonova\.(?:cells|conductor|compute|placement|scheduler)\.v1/],
];

/** Looks through answers for what belongs to operators or to somebody else. */
export class LeakWatch {
  readonly #guarded: Guarded;

  constructor(guarded: Guarded) {
    this.#guarded = guarded;
  }

  /**
   * @param sent  all of the request: what the caller said himself may come back
   * @param rights  whether the caller may know hosts, and whether the foreign project is his
   * @returns what leaked, "" when nothing did
   */
  look(answer: string, sent: string, rights: { readonly admin: boolean; readonly foreign: boolean }): string {
    const { home, project, machine, secrets, foreign } = this.#guarded;
    const named = [
      [home, "the state folder"],
      [project, "the program's folder"],
      ...secrets.map((secret) => [secret, "a token"]),
    ] as [string, string][];
    if (!rights.admin) named.push([`${machine}-`, "a host"]);
    if (!rights.admin && !rights.foreign)
      named.push(...foreign.map((text): [string, string] => [text, `another project's ${text}`]));
    for (const [text, what] of named) if (answer.includes(text) && !sent.includes(text)) return what;
    for (const [what, pattern] of PATTERNS) {
      const found = pattern.exec(answer)?.[0];
      if (found !== undefined && !sent.includes(found.trim())) return `${what}: ${found}`;
    }
    return "";
  }
}
