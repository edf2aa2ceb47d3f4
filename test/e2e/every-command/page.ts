import { isRefused } from "./row.js";
import type { Row } from "./row.js";

/** The table of docs/user/clients.md: what works, and what is refused why. */
export function pageOf(tables: Readonly<Record<string, readonly Row[]>>): string {
  return Object.entries(tables)
    .map(([client, rows]) => `## \`${client}\`\n\n${tableOf(rows)}`)
    .join("\n\n");
}

function tableOf(rows: readonly Row[]): string {
  const commands = new Map<string, Row[]>();
  for (const row of rows) commands.set(row.command, [...(commands.get(row.command) ?? []), row]);
  const lines = new Map<string, string[]>();
  for (const [command, its] of [...commands].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const what = verdictOf(its);
    lines.set(what, [...(lines.get(what) ?? []), `\`${command}\``]);
  }
  const works = [...lines].sort(([a], [b]) => Number(b === WORKS) - Number(a === WORKS) || (a < b ? -1 : 1));
  return [
    "| | commands |",
    "|---|---|",
    ...works.map(([what, its]) => `| ${what} | ${its.join(", ")} |`),
  ].join("\n");
}

const WORKS = "works";

/** A command of which anything works, works; its refusals are then those of Nova. */
function verdictOf(rows: readonly Row[]): string {
  const [first, ...others] = rows.filter(isRefused);
  if (first === undefined || others.length + 1 < rows.length) return WORKS;
  return first.later ? `answers 501: ${first.because}` : `refused as by Nova: ${first.because}`;
}
