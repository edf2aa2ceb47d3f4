import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { Place } from "./http.js";
import type { TokenName } from "./stage.js";

/** By version: `v75` holds from 2.75 on. A plain value holds at all. */
type ByVersion<T> = T | Readonly<Record<`v${number}`, T>>;

/**
 * One malformed request; what it leaves out is its table's. docs/contributor/bad-input.md explains each key.
 */
export interface RestRow {
  readonly what: string;
  readonly method?: string;
  readonly path?: string;
  readonly as?: TokenName | "nobody";
  readonly token?: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: ByVersion<unknown>;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly drop?: readonly string[];
  readonly raw?: unknown;
  readonly bytes?: unknown;
  readonly at?: readonly string[];
  readonly expect: ByVersion<string | number>;
  /** Members that the answer must not have, whatever its status. */
  readonly without?: string;
}

export interface RestTable extends Omit<RestRow, "what" | "expect"> {
  readonly service?: Place;
  readonly rows: readonly RestRow[];
}

export interface WireRow {
  readonly what: string;
  readonly service?: Place;
  readonly send: unknown;
  readonly stay?: boolean;
  readonly expect: string | number;
  readonly withinMs?: number;
}

export interface GrpcRow {
  readonly what: string;
  readonly method?: string;
  readonly as?: TokenName | "nobody";
  readonly token?: string;
  readonly request?: unknown;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly drop?: readonly string[];
  /** Hexadecimal bytes in the place of a message. */
  readonly bytes?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly expect: string;
  readonly fields?: readonly string[];
}
export interface GrpcTable extends Omit<GrpcRow, "what" | "expect"> {
  readonly rows: readonly GrpcRow[];
}

const folder = fileURLToPath(new URL("table", import.meta.url));

/** The tables of a kind, by file name. @throws for a file that is not YAML, or that gives a key twice */
export function tablesOf<T>(kind: "rest" | "wire" | "grpc"): ReadonlyMap<string, T> {
  const files = readdirSync(`${folder}/${kind}`)
    .filter((name) => name.endsWith(".yaml"))
    .sort();
  return new Map(
    files.map((name) => [
      name.replace(".yaml", ""),
      parse(readFileSync(`${folder}/${kind}/${name}`, "utf8")) as T,
    ]),
  );
}

/** What holds at a minor version, of a value that may depend on it. */
export function atVersion<T>(value: ByVersion<T> | undefined, minor: number): T | undefined {
  const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
  if (keys.length === 0 || !keys.every((key) => /^v\d+$/.test(key))) return value as T | undefined;
  const spans = Object.entries(value as Record<string, T>).map(([key, held]) => ({
    from: Number(key.slice(1)),
    held,
  }));
  return spans.filter(({ from }) => from <= minor).sort((a, b) => b.from - a.from)[0]?.held;
}
