// `npm run mutations [id …]`: spoils each line that the findings name, one at a time, in a copy of the tree,
// runs the tests of its row there, and wants one of them to fail.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { packageRoot } from "../../pkg/platform/service/index.js";
import { readRows } from "./rows.js";
import { runFiles } from "./runs.js";

const root = packageRoot();
const wanted = process.argv.slice(2);
const rows = readRows(root).flatMap(({ id, what, spoil, tests }) =>
  spoil && tests && (wanted.length === 0 || wanted.includes(id)) ? [{ id, what, spoil, tests }] : [],
);
const copy = mkdtempSync(join(tmpdir(), "kilonova-mutations-"));
let caught = 0;
try {
  copyTree();
  for (const { id, what, spoil, tests } of rows) {
    const path = join(copy, spoil.file);
    const sound = readFileSync(path, "utf8");
    writeFileSync(
      path,
      sound.replace(spoil.from, () => spoil.to),
    );
    const files = [...new Set(tests.map(({ file }) => file))];
    const only = tests.map(({ title }) => title);
    const { ok } = await runFiles(copy, files, { only, quiet: true, timeoutMs: 60_000 });
    writeFileSync(path, sound);
    caught += ok ? 0 : 1;
    console.log(`${ok ? "✖" : "✔"} ${id}: ${what}`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(`mutations caught: ${caught}/${rows.length}`);
process.exitCode = caught === rows.length ? 0 : 1;

/** The files that git knows or would take, and the installed packages by a link. */
function copyTree(): void {
  const listed = execFileSync("git", ["ls-files", "-coz", "--exclude-standard"], { cwd: root });
  for (const file of listed.toString().split("\0").filter(Boolean)) {
    mkdirSync(join(copy, dirname(file)), { recursive: true });
    cpSync(join(root, file), join(copy, file), { verbatimSymlinks: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
}
