import { RegexProblem } from "./regex-problem.js";

/** PostgreSQL's limit of one repetition. */
const MOST_REPEATS = 255;

/** Classes in RE2's meaning: ASCII, whatever the locale of the database is. */
const CLASSES: Readonly<Record<string, string>> = { d: "0-9", w: "0-9A-Za-z_", s: "\\t\\n\\f\\r " };
/** POSIX classes that both know. */
const POSIX = new Set("alnum alpha blank cntrl digit graph lower print punct space upper xdigit".split(" "));
/** Escapes of one character that mean the same in both. */
const SAME = new Set(["a", "f", "t", "n", "r", "v"]);
/** In groups of their own: PostgreSQL lets no repetition follow a bare constraint. */
const CONSTRAINTS: Readonly<Record<string, string>> = {
  b: "(?:\\y)",
  B: "(?:\\Y)",
  A: "(?:\\A)",
  z: "(?:\\Z)",
};

/**
 * Writes a pattern that RE2 takes as one of PostgreSQL's with the same meaning. Every piece is written anew:
 * what is not known here is refused, so nothing that only PostgreSQL understands can slip through.
 * @throws RegexProblem
 */
export function toPostgres(pattern: string): string {
  return new Translation(pattern).run();
}

class Translation {
  readonly #text: readonly string[];
  #at = 0;
  #out = "";

  constructor(pattern: string) {
    this.#text = [...pattern];
  }

  run(): string {
    while (this.#at < this.#text.length) this.#out += this.#piece(this.#take());
    return this.#out;
  }

  #take(): string {
    return this.#text[this.#at++] ?? "";
  }

  #follows(text: string): boolean {
    return this.#text.slice(this.#at, this.#at + text.length).join("") === text;
  }

  /** The text of a match right here, which is then behind us. */
  #match(regex: RegExp): RegExpExecArray | undefined {
    const match = regex.exec(this.#text.slice(this.#at, this.#at + 300).join(""));
    if (match === null) return undefined;
    this.#at += [...match[0]].length;
    return match;
  }

  #piece(c: string): string {
    switch (c) {
      case "\\":
        return this.#escape();
      case "[":
        return this.#class();
      case "(":
        return this.#group();
      case ")":
      case "|":
        return c;
      case "*":
      case "+":
      case "?":
        return this.#quantifier(c);
      case "{":
        return this.#repetition();
      case ".":
        return "[^\\n]";
      case "^":
      case "$":
        return `(?:${c})`;
      default:
        return literal(c);
    }
  }

  /** Whether the least or the most is wanted decides about captures only, of which there are none. */
  #quantifier(quantifier: string): string {
    if (this.#follows("?")) this.#at++;
    return quantifier;
  }

  /** A brace that begins no repetition is one; so RE2 reads `{,2}`. */
  #repetition(): string {
    const match = this.#match(/^(\d+)(,?)(\d*)\}/);
    if (match === undefined) return literal("{");
    const [, low = "", comma = "", high = ""] = match;
    for (const bound of [low, high])
      if (Number(bound) > MOST_REPEATS) throw new RegexProblem(`at most ${MOST_REPEATS} repetitions`);
    return this.#quantifier(`{${low}${comma}${high}}`);
  }

  #group(): string {
    if (!this.#follows("?")) return "(?:";
    if (this.#match(/^\?:/) ?? this.#match(/^\?P?<\w+>/)) return "(?:";
    const flags = this.#match(/^\?i([:)])/);
    if (flags === undefined) throw new RegexProblem("of the flags only (?i), which always holds");
    return flags[1] === ":" ? "(?:" : "";
  }

  #escape(): string {
    const c = this.#take();
    const inClass = CLASSES[c];
    if (inClass !== undefined) return `[${inClass}]`;
    const outOfClass = CLASSES[c.toLowerCase()];
    if (outOfClass !== undefined) return `[^${outOfClass}]`;
    if (c === "Q") return this.#quoted();
    return CONSTRAINTS[c] ?? this.#character(c);
  }

  /** `\Q…\E`, the end may be missing. */
  #quoted(): string {
    let out = "";
    while (this.#at < this.#text.length) {
      if (this.#match(/^\\E/)) break;
      out += literal(this.#take());
    }
    return out;
  }

  /** An escape that stands for one character. */
  #character(c: string): string {
    if (SAME.has(c)) return `\\${c}`;
    if (c === "x") return this.#hex();
    if (c === "" || /[0-9A-Za-z]/.test(c) || c > "~") throw new RegexProblem(`\\${c} is not served`);
    return literal(c);
  }

  #hex(): string {
    const match = this.#match(/^(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))/);
    const code = Number.parseInt(match?.[1] ?? match?.[2] ?? "", 16);
    if (!(code > 0 && code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff))
      throw new RegexProblem("\\x must name a character");
    return `\\U${code.toString(16).padStart(8, "0")}`;
  }

  #class(): string {
    let out = this.#follows("^") ? `[${this.#take()}` : "[";
    for (let first = true; first || !this.#follows("]"); first = false) out += this.#classItem();
    this.#at++;
    return `${out}]`;
  }

  #classItem(): string {
    const posix = this.#match(/^\[:(\^?\w+):\]/)?.[1];
    if (posix === "word") return CLASSES["w"] ?? "";
    if (posix !== undefined) {
      if (!POSIX.has(posix)) throw new RegexProblem(`[:${posix}:] is not served`);
      return `[:${posix}:]`;
    }
    const low = this.#classCharacter();
    // A hyphen before the end is one; before anything else it makes a range.
    if (!this.#follows("-") || this.#text[this.#at + 1] === "]") return low;
    if (low in CLASS_NAMES) return low;
    this.#at++;
    return `${low}-${this.#classCharacter()}`;
  }

  #classCharacter(): string {
    const c = this.#take();
    if (c === "") throw new RegexProblem("a class does not end");
    if (c !== "\\") return literal(c);
    const escaped = this.#take();
    const named = CLASSES[escaped];
    if (named !== undefined) return named;
    if (CLASSES[escaped.toLowerCase()] !== undefined || escaped === "Q")
      throw new RegexProblem(`\\${escaped} in a class is not served`);
    return this.#character(escaped);
  }
}

/** What stands for several characters in a class, and so never begins a range. */
const CLASS_NAMES: Readonly<Record<string, true>> = Object.fromEntries(
  Object.values(CLASSES).map((text) => [text, true]),
);

/** One character as itself, inside and outside of classes. */
const literal = (c: string): string => (/[ -/:-@[-`{-~]/.test(c) ? `\\${c}` : c);
