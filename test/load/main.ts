// `npm run load [-- name …]`: what an attacker does to the others. Prints a table; 1 beyond the limit.
import { readdirSync } from "node:fs";
import type { LoadResult } from "./result.js";

/** How many times slower a victim may become. */
const MOST = 3;

const SUFFIX = ".load.ts";
const wanted = process.argv.slice(2);
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length))
  .sort();
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`No such load: ${unknown.join(", ")}. There are: ${names.join(", ")}.`);
  process.exit(2);
}

const rows: string[][] = [];
const failures: string[] = [];
for (const name of wanted.length > 0 ? wanted : names) {
  const { run } = (await import(`./${name}${SUFFIX}`)) as { run(): Promise<LoadResult> };
  console.log(`${name} …`);
  try {
    note(await run());
  } catch (error) {
    failures.push(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}
print([["load", "alone p50", "p99", "attacked p50", "p99", "times p50", "p99", ""], ...rows]);
for (const failure of failures) console.error(`FAILED ${failure}`);
process.exit(failures.length > 0 ? 1 : 0);

function note({ name, victim: { alone, attacked }, facts = {}, failures: broken = [] }: LoadResult): void {
  const times = { p50: attacked.p50 / alone.p50, p99: attacked.p99 / alone.p99 };
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  rows.push([
    name,
    ms(alone.p50),
    ms(alone.p99),
    ms(attacked.p50),
    ms(attacked.p99),
    times.p50.toFixed(2),
    times.p99.toFixed(2),
    Object.entries(facts)
      .map(([key, value]) => `${key}: ${value}`)
      .join(", "),
  ]);
  for (const [which, value] of Object.entries(times))
    // Written so that NaN, of a victim that was never answered, fails too.
    if (!(value <= MOST))
      failures.push(`${name}: the victim's ${which} is ${value.toFixed(2)} times as long`);
  for (const one of broken) failures.push(`${name}: ${one}`);
}

function print(table: readonly string[][]): void {
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}
