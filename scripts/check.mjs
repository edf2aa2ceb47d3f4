// Static checks: generated code is fresh, contracts lint and stay compatible, types, lint, dead code, layers.
// As many at once as there are processors: most of them keep only one busy.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./lib/paths.mjs";
import { exportCommit, internalBreak, previousCommit } from "./lib/previous.mjs";

const bin = (name) => join(root, "node_modules", ".bin", name);
const generated = [
  "gen",
  "pkg/sdk/gen",
  "pkg/sdk/resources.gen.ts",
  "pkg/sdk/messages.gen.ts",
  "pkg/sdk-python/kilonova/_resources.py",
  "pkg/sdk-python/kilonova/_resources.pyi",
  "pkg/sdk-python/kilonova/types.pyi",
  "pkg/sdk-python/kilonova/descriptors.binpb",
];
// The longest ones first, so that none of them is left for the end.
const checks = [
  ["types", () => call(bin("tsc"), ["--noEmit", "-p", "tsconfig.json"])],
  ["layout", () => call(bin("prettier"), ["--check", "--log-level", "warn", "."])],
  ["layout of contracts", () => call(bin("buf"), ["format", "--diff", "--exit-code", "proto"])],
  ["width of comments", commentsFit],
  ["buf lint", () => call(bin("buf"), ["lint"])],
  ["public contract as released", publicContractHolds],
  ["internal contracts beside the previous commit's", internalContractsHold],
  [
    "error_reason.proto",
    () => call(process.execPath, ["--import", "tsx", "scripts/gen-error-reasons.ts", "--check"]),
  ],
  [
    "docs/config.md",
    () => call(process.execPath, ["--import", "tsx", "scripts/gen-config-docs.ts", "--check"]),
  ],
  [
    "docs/status.md",
    () => call(process.execPath, ["--import", "tsx", "scripts/gen-status-docs.ts", "--check"]),
  ],
  [
    "docs/operations.md",
    () => call(process.execPath, ["--import", "tsx", "scripts/gen-operations-docs.ts", "--check"]),
  ],
  [
    "docs/user/feature-support.md",
    () => call(process.execPath, ["--import", "tsx", "scripts/gen-feature-docs.ts", "--check"]),
  ],
  [
    "routes and methods are bound",
    () => call(process.execPath, ["--import", "tsx", "scripts/check-bindings.ts"]),
  ],
  ["types of the SDK", sdkTypesAreMade],
  ["oxlint", () => call(bin("oxlint"), ["--quiet", "--type-aware"])],
  ["nothing unused", () => call(bin("knip"), ["--no-progress"])],
  ["layers", () => call(bin("depcruise"), ["pkg", "cmd", "--config", ".dependency-cruiser.cjs"])],
];

/** More want more memory: a compiler takes over a gigabyte. */
const MOST_AT_ONCE = 4;

let failed = 0;
// By itself: it writes what the others read.
await judge("generated code", generatedIsFresh);
const left = [...checks];
const someone = async () => {
  for (let next = left.shift(); next !== undefined; next = left.shift()) await judge(...next);
};
await Promise.all(Array.from({ length: Math.min(MOST_AT_ONCE, availableParallelism()) }, someone));
process.exit(failed === 0 ? 0 : 1);

async function judge(name, check) {
  const ok = await check();
  console.log(`${ok ? "✔" : "✖"} ${name}`);
  if (!ok) failed += 1;
}

/** @returns whether it ended well; if not, what it said is printed */
async function call(command, args, cwd = root) {
  const { code, text } = await output(command, args, cwd);
  if (code !== 0) console.log(text.slice(0, 8000));
  return code === 0;
}

/** Runs a program to its end. `code` is undefined when it did not even start. */
function output(command, args, cwd = root) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    child.once("error", (error) => resolve({ code: undefined, text: error.message }));
    child.once("close", (code) => resolve({ code, text }));
  });
}

/** What people outside build on: nothing of it goes or changes. docs/contributor/mixed-versions.md */
function publicContractHolds() {
  return contractsHold("FILE", join(root, "proto", "released.binpb"), ["api", "type"]);
}

/**
 * What only our services say to each other, and what they store: the previous build's processes understand
 * it, and this one theirs. Names may change, and what nobody sends may go when its number is reserved.
 */
function internalContractsHold() {
  const found = previousCommit(["proto/*.proto"]);
  const why = found.none ?? internalBreak(found.commit);
  if (why !== undefined) {
    console.log(`not compared: ${why}`);
    return true;
  }
  return inFolder(async (folder) => {
    exportCommit(found.commit, folder, ["proto", "third_party/proto", "buf.yaml"]);
    const before = join(folder, "before.binpb");
    const areas = ["cells", "compute", "conductor", "placement", "scheduler", "type"];
    const built = await call(bin("buf"), ["build", "proto", "-o", before], folder);
    return built && contractsHold("WIRE", before, areas);
  });
}

/** Compares packages with an image of their earlier state. */
function contractsHold(category, before, areas) {
  return inFolder(async (folder) => {
    const now = join(folder, "now.binpb");
    return (
      (await call(bin("buf"), ["build", "proto", "-o", now])) &&
      call(bin("buf"), [
        ...["breaking", now, "--against", before, "--exclude-imports"],
        ...["--config", JSON.stringify({ version: "v2", breaking: { use: [category] } })],
        ...areas.flatMap((area) => ["--path", `kilonova/${area}`]),
      ])
    );
  });
}

async function inFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), "kilonova-contracts-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The formatter leaves comments as they are: these too end at its width. */
async function commentsFit() {
  const { printWidth } = JSON.parse(readFileSync(join(root, ".prettierrc.json"), "utf8"));
  const kinds = ["*.ts", "*.mjs", "*.cjs", "*.proto"];
  const listed = await output("git", ["ls-files", "-co", "--exclude-standard", ...kinds]);
  const wide = listed.text
    .split("\n")
    .filter(
      (file) =>
        file !== "" && !/(^|\/)gen\/|\.gen\.ts$|^third_party\//.test(file) && existsSync(join(root, file)),
    )
    .flatMap((file) =>
      readFileSync(join(root, file), "utf8")
        .split("\n")
        .flatMap((line, at) =>
          line.length > printWidth && /^\s*(\/\/|\/?\*)/.test(line) && !/https?:\/\/\S{60}/.test(line)
            ? [`${file}:${at + 1}`]
            : [],
        ),
    );
  if (wide.length > 0) console.log(`comments wider than ${printWidth}: ${wide.join(" ")}`);
  return listed.code === 0 && wide.length === 0;
}

/** Generates again and compares with what was there. */
function generatedIsFresh() {
  return inFolder(async (copy) => {
    for (const path of generated) cpSync(join(root, path), join(copy, path), { recursive: true });
    if (!(await call(process.execPath, ["scripts/gen.mjs"]))) return false;
    const same = await Promise.all(
      generated.map((path) => call("diff", ["-r", join(copy, path), join(root, path)])),
    );
    return same.every(Boolean);
  });
}

/** As `npm run pack:sdk` makes them: the package compiles by itself. */
function sdkTypesAreMade() {
  return inFolder((folder) => call(bin("tsc"), ["-p", "pkg/sdk", "--outDir", folder]));
}
