// Static checks: generated code is fresh, contracts lint and stay compatible, types, lint, dead code, layers.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
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
const checks = [
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
  ["generated code", generatedIsFresh],
  ["types of the SDK", sdkTypesAreMade],
  ["types", () => call(bin("tsc"), ["--noEmit", "-p", "tsconfig.json"])],
  ["oxlint", () => call(bin("oxlint"), ["--quiet", "--type-aware"])],
  ["nothing unused", () => call(bin("knip"), ["--no-progress"])],
  ["layers", () => call(bin("depcruise"), ["pkg", "cmd", "--config", ".dependency-cruiser.cjs"])],
];

let failed = 0;
for (const [name, check] of checks) {
  const ok = check();
  console.log(`${ok ? "✔" : "✖"} ${name}`);
  if (!ok) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);

function call(command, args, cwd = root) {
  const result = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (result.status !== 0) console.log(`${result.stdout}${result.stderr}`.slice(0, 8000));
  return result.status === 0;
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
  return inFolder((folder) => {
    exportCommit(found.commit, folder, ["proto", "third_party/proto", "buf.yaml"]);
    const before = join(folder, "before.binpb");
    const areas = ["cells", "compute", "conductor", "placement", "scheduler", "type"];
    return call(bin("buf"), ["build", "proto", "-o", before], folder) && contractsHold("WIRE", before, areas);
  });
}

/** Compares packages with an image of their earlier state. */
function contractsHold(category, before, areas) {
  return inFolder((folder) => {
    const now = join(folder, "now.binpb");
    return (
      call(bin("buf"), ["build", "proto", "-o", now]) &&
      call(bin("buf"), [
        ...["breaking", now, "--against", before, "--exclude-imports"],
        ...["--config", JSON.stringify({ version: "v2", breaking: { use: [category] } })],
        ...areas.flatMap((area) => ["--path", `kilonova/${area}`]),
      ])
    );
  });
}

function inFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), "kilonova-contracts-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The formatter leaves comments as they are: these too end at its width. */
function commentsFit() {
  const { printWidth } = JSON.parse(readFileSync(join(root, ".prettierrc.json"), "utf8"));
  const listed = spawnSync(
    "git",
    ["ls-files", "-co", "--exclude-standard", "*.ts", "*.mjs", "*.cjs", "*.proto"],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  const wide = listed.stdout
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
  return listed.status === 0 && wide.length === 0;
}

/** Generates again and compares with what was there. */
function generatedIsFresh() {
  return inFolder((copy) => {
    for (const path of generated) cpSync(join(root, path), join(copy, path), { recursive: true });
    if (!call(process.execPath, ["scripts/gen.mjs"])) return false;
    return generated.every((path) => call("diff", ["-r", join(copy, path), join(root, path)]));
  });
}

/** As `npm run pack:sdk` makes them: the package compiles by itself. */
function sdkTypesAreMade() {
  return inFolder((folder) => call(bin("tsc"), ["-p", "pkg/sdk", "--outDir", folder]));
}
