import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { expectedIds } from "./expected-ids.js";

const row = z.strictObject({
  /** A finding that has several parts has a row for each: `S14 reflection`. */
  id: z.string().min(1),
  what: z.string().min(1),
  tests: z
    .array(z.strictObject({ file: z.string().min(1), title: z.string().min(1) }))
    .min(1)
    .optional(),
  spoil: z.strictObject({ file: z.string(), from: z.string().min(1), to: z.string() }).optional(),
  unserved: z.string().min(1).optional(),
});

/** A finding and the tests that hold it, or why it belongs to a part that is not served yet. */
export type Row = z.infer<typeof row>;

/** A row's own tests. */
export type HoldingTest = NonNullable<Row["tests"]>[number];

/**
 * All rows of the table: every YAML file beside this one.
 * @throws a sentence for each row that is wrong or missing
 */
export function readRows(root: string): readonly Row[] {
  const folder = join(root, "test", "findings");
  const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
  const rows = files.flatMap((name) => {
    const read = z.array(row).safeParse(parse(readFileSync(join(folder, name), "utf8")));
    if (!read.success) throw new Error(`test/findings/${name}: ${z.prettifyError(read.error)}`);
    return read.data;
  });
  const faults = [
    ...rows.flatMap((entry) => faultsOf(root, entry)),
    ...rows
      .filter(({ id }, at) => rows.findIndex((other) => other.id === id) !== at)
      .map(({ id }) => `${id} stands twice`),
    ...expectedIds
      .filter((id) => !rows.some((entry) => entry.id === id || entry.id.startsWith(`${id} `)))
      .map((id) => `${id} is missing`),
  ];
  if (faults.length > 0) throw new Error(`test/findings: ${faults.join("; ")}`);
  return rows;
}

function faultsOf(root: string, { id, tests, spoil, unserved }: Row): string[] {
  const faults: string[] = [];
  if ((tests === undefined) === (unserved === undefined))
    faults.push(`${id} needs either tests or the reason why it is unserved`);
  if (id.startsWith("T:") && spoil === undefined) faults.push(`${id} does not say what to spoil`);
  for (const { file } of tests ?? [])
    if (!existsSync(join(root, file))) faults.push(`${id}: there is no ${file}`);
  if (spoil) {
    const text = existsSync(join(root, spoil.file)) ? readFileSync(join(root, spoil.file), "utf8") : "";
    const count = text.split(spoil.from).length - 1;
    if (count !== 1) faults.push(`${id}: the text to spoil stands ${count} times in ${spoil.file}`);
  }
  return faults;
}
