// `npm run findings [id …]`: runs the tests that hold the findings and prints which are held. With
// `--outcomes FILE` it judges by what a run of `npm test` left there, and runs nothing.
import { packageRoot } from "../../pkg/platform/service/index.js";
import type { HoldingTest, Row } from "./rows.js";
import { readRows } from "./rows.js";
import type { Outcome } from "./runs.js";
import { readOutcomes, runFiles } from "./runs.js";

const root = packageRoot();
const args = process.argv.slice(2);
const outcomesFile = args[0] === "--outcomes" ? args[1] : undefined;
const wanted = outcomesFile === undefined ? args : [];
const rows = readRows(root).filter(({ id }) => wanted.length === 0 || wanted.includes(id));
const files = [...new Set(rows.flatMap(({ tests }) => (tests ?? []).map(({ file }) => file)))].sort();
const outcomes =
  outcomesFile === undefined
    ? files.length === 0
      ? []
      : (await runFiles(root, files)).outcomes
    : readOutcomes(outcomesFile, root);

const unserved = rows.filter((row) => row.unserved !== undefined);
const lacking = rows.flatMap((row) => {
  const missing = (row.tests ?? []).filter((test) => !holds(test, outcomes));
  return missing.length === 0 ? [] : [{ row, missing }];
});
for (const { row, missing } of lacking) print(row, missing);
for (const { id, unserved: why } of unserved) console.log(`unserved: ${id}: ${why ?? ""}`);
const counted = rows.length - unserved.length;
console.log(`findings held: ${counted - lacking.length}/${counted}, ${unserved.length} unserved`);
process.exitCode = lacking.length === 0 ? 0 : 1;

function holds({ file, title }: HoldingTest, all: readonly Outcome[]): boolean {
  const found = all.filter(
    (outcome) => outcome.file === file && (outcome.title === title || outcome.title.endsWith(` ${title}`)),
  );
  return found.length > 0 && found.every(({ passed }) => passed);
}

function print({ id, what }: Row, missing: readonly HoldingTest[]): void {
  console.log(`not held: ${id}: ${what}`);
  for (const { file, title } of missing) console.log(`    ${file}: ${title}`);
}
