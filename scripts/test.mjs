// `npm test [suite …]`: installs what is missing, then runs the suites: static checks, unit, integration,
// crash, e2e.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./lib/build.mjs";
import { endWithChildren, runGroup } from "./lib/children.mjs";
import { missingPackages } from "./lib/debian.mjs";
import { runSuite } from "./lib/lanes/suite.mjs";
import { root } from "./lib/paths.mjs";
import { prepare } from "./lib/prepare.mjs";

const suites = {
  static: { needs: [], run: () => node("scripts/check.mjs") },
  unit: { needs: ["tests"], run: () => inOwnTmp((env) => mocha(".mocharc.json", env)) },
  integration: {
    needs: ["hypervisor", "guestImage", "tests"],
    run: () => withGuestImage(() => mocha("test/integration/.mocharc.json")),
  },
  crash: { needs: ["tests"], run: () => mocha("test/crash/.mocharc.json") },
  e2e: {
    needs: ["hypervisor", "guestImage", "client", "tests", "browser"],
    run: () => withGuestImage(() => mocha("test/e2e/.mocharc.json")),
  },
};
const wanted = process.argv.slice(2).length > 0 ? process.argv.slice(2) : Object.keys(suites);
for (const name of wanted)
  if (!(name in suites)) fail(`There is no suite "${name}"; there are: ${Object.keys(suites).join(", ")}.`);

/** Lines that what a test ran told of itself, for each failed test at the end. */
const MOST_TOLD = 12;
endWithChildren();
const countsFolder = mkdtempSync(join(tmpdir(), "kilonova-test-"));
const counts = join(countsFolder, "counts");
await prepare([...new Set(wanted.flatMap((name) => suites[name].needs))]).catch((error) =>
  fail(error.message),
);

const failedSuites = [];
const skippedSuites = [];
for (const name of wanted) {
  const missing = missingPackages(suites[name].needs);
  if (missing.length > 0) {
    skippedSuites.push(`suite ${name}: ${missing.join(" ")} missing`);
    continue;
  }
  console.log(`\n=== ${name} ===`);
  const started = Date.now();
  const ok = await suites[name].run();
  console.log(`=== ${name}: ${ok ? "ok" : "FAILED"} (${((Date.now() - started) / 1000).toFixed(0)} s) ===`);
  if (!ok) failedSuites.push(name);
}
const everything = wanted.length === Object.keys(suites).length && skippedSuites.length === 0;
if (everything && !(await findingsHeld())) failedSuites.push("findings");
summary();

/** What was found once stays mended: judged by the outcomes of this very run. */
function findingsHeld() {
  return runGroup(
    process.execPath,
    ["--import", "tsx", join(root, "test/findings/main.ts"), "--outcomes", counts],
    { cwd: root },
  );
}

/** At the very end, so that a log that is cut in its middle still says what failed. */
function summary() {
  const lines = existsSync(counts)
    ? readFileSync(counts, "utf8")
        .trim()
        .split("\n")
        .filter(Boolean)
        .map((l) => JSON.parse(l))
    : [];
  const passed = lines.reduce((sum, l) => sum + l.passes, 0);
  const failures = lines.reduce((sum, l) => sum + l.failures, 0);
  const skipped = [...skippedSuites, ...lines.flatMap((l) => l.skipped)];
  for (const name of skipped) console.log(`skipped: ${name}`);
  for (const { title, error, told } of lines.flatMap((l) => l.failed)) {
    console.log(`\nfailed: ${title}\n${error.split("\n").slice(0, 25).join("\n").slice(0, 3000)}`);
    for (const line of told.slice(-MOST_TOLD)) console.log(line.slice(0, 1000));
  }
  if (failedSuites.length > 0) console.log(`\nFailed: ${failedSuites.join(", ")}`);
  rmSync(countsFolder, { recursive: true, force: true });
  console.log(
    `\n${passed} passed, ${Math.max(failures, failedSuites.length)} failed, ${skipped.length} skipped`,
  );
  process.exit(failedSuites.length === 0 ? 0 : 1);
}

function node(script, options = []) {
  return runGroup(process.execPath, [...options, join(root, script)], { cwd: root });
}

/** Where it cannot be built, the tests that want it say so. */
async function withGuestImage(work) {
  await node("test/prepare/guest-image.ts", ["--import", "tsx"]);
  return work();
}

/** With a temporary folder of its own, so that nothing of the run stays behind. */
async function inOwnTmp(work) {
  const folder = mkdtempSync(join(tmpdir(), "kn-"));
  const ok = await work({ TMPDIR: folder });
  const left = readdirSync(folder).filter((name) => name.startsWith("kilonova-"));
  if (left.length > 0) console.log(`Left in the temporary folder, and removed: ${left.length}`);
  rmSync(folder, { recursive: true, force: true });
  return ok;
}

/** @returns whether all went well; what keeps the suite from running at all is said, and is a failure */
async function mocha(config, env = {}) {
  const folder = mkdtempSync(join(countsFolder, "lanes-"));
  try {
    // The static checks have generated code anew: clouds that start at once must not all build it.
    await build();
    return await runSuite(config, { counts, folder, env });
  } catch (error) {
    console.error(error.message);
    return false;
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
