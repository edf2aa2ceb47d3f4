// Static checks: generated code is fresh, contracts lint and stay compatible, types, lint, dead code, layers.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./lib/paths.mjs";

const bin = (name) => join(root, "node_modules", ".bin", name);
const checks = [
  ["layout", () => call(bin("prettier"), ["--check", "--log-level", "warn", "."])],
  ["layout of contracts", () => call(bin("buf"), ["format", "--diff", "--exit-code", "proto"])],
  ["width of comments", commentsFit],
  ["buf lint", () => call(bin("buf"), ["lint"])],
  [
    "buf breaking",
    () => call(bin("buf"), ["breaking", "proto", "--exclude-imports", "--against", "proto/released.binpb"]),
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
  ["generated code", generatedIsFresh],
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

function call(command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  if (result.status !== 0) console.log(`${result.stdout}${result.stderr}`.slice(0, 8000));
  return result.status === 0;
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
      (file) => file !== "" && !/^gen\/|\.gen\.ts$|^third_party\//.test(file) && existsSync(join(root, file)),
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
  const copy = mkdtempSync(join(tmpdir(), "kilonova-gen-"));
  try {
    cpSync(join(root, "gen"), join(copy, "gen"), { recursive: true });
    if (!call(process.execPath, ["scripts/gen.mjs"])) return false;
    return call("diff", ["-r", join(copy, "gen"), join(root, "gen")]);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
