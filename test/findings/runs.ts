import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

/** What one test came to. */
export interface Outcome {
  readonly file: string;
  readonly title: string;
  readonly passed: boolean;
}

/** Reads what the counting reporter wrote. @param root the folder that file names are relative to */
export function readOutcomes(file: string, root: string): Outcome[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .flatMap((line) => (JSON.parse(line) as { tests: Outcome[] }).tests)
    .map((outcome) => ({ ...outcome, file: relative(root, outcome.file) }));
}

/**
 * Runs test files in a process of mocha's.
 * @param options.only  text of the titles to run; all when absent
 * @param options.quiet keeps mocha's own words back
 * @param options.timeoutMs  for each test
 */
export async function runFiles(
  root: string,
  files: readonly string[],
  options: { readonly only?: readonly string[]; readonly quiet?: boolean; readonly timeoutMs?: number } = {},
): Promise<{ readonly outcomes: readonly Outcome[]; readonly ok: boolean }> {
  const folder = mkdtempSync(join(tmpdir(), "kilonova-findings-"));
  const counts = join(folder, "counts");
  const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const args = [
    join(root, "node_modules", "mocha", "bin", "mocha.js"),
    ...["--no-config", "--node-option", "import=tsx", "--extension", "ts", "--exit"],
    ...[
      "--timeout",
      `${options.timeoutMs ?? 300_000}`,
      "--reporter",
      join(root, "scripts", "lib", "counting-reporter.cjs"),
    ],
    ...(options.only ? ["--grep", `(${options.only.map(escape).join("|")})$`] : []),
    ...files,
  ];
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      const child = spawn(process.execPath, args, {
        cwd: root,
        env: { ...process.env, KILONOVA_TEST_COUNTS: counts },
        stdio: ["ignore", options.quiet ? "ignore" : "inherit", options.quiet ? "ignore" : "inherit"],
      });
      child.once("error", reject);
      child.once("exit", resolve);
    });
    return { outcomes: readOutcomes(counts, root), ok: code === 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
