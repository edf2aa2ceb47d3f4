import { execFile } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** What became of a call; `value` as JSON keeps it. */
export type Outcome =
  { readonly value: unknown } | { readonly code: string | undefined; readonly reason: string | undefined };

/**
 * Calls an exported function in a process that has no file descriptor left: whatever it opens fails with
 * EMFILE. It is called once before, with descriptors, so that what it loads is there.
 * @param module  URL of the module
 * @param path  of the export, dotted: `Journal.open`
 * @param args  as JSON keeps them
 */
export async function withoutFiles(module: URL, path: string, args: readonly unknown[]): Promise<Outcome> {
  const { stdout } = await promisify(execFile)("sh", [
    "-c",
    'ulimit -n 256; exec "$0" --import tsx "$@"',
    process.execPath,
    fileURLToPath(import.meta.url),
    module.href,
    path,
    JSON.stringify(args),
  ]);
  return JSON.parse(stdout) as Outcome;
}

async function main([module = "", path = "", args = "[]"]: readonly string[]): Promise<void> {
  const names = path.split(".");
  const last = names.pop() ?? "";
  let owner = (await import(module)) as Record<string, unknown>;
  for (const name of names) owner = owner[name] as Record<string, unknown>;
  const call = async (): Promise<Outcome> => {
    try {
      return {
        value: await (owner[last] as (...a: unknown[]) => unknown)(...(JSON.parse(args) as unknown[])),
      };
    } catch (error) {
      const { code, cause, reason } = error as NodeJS.ErrnoException & { readonly reason?: string };
      return { code: code ?? (cause as NodeJS.ErrnoException | undefined)?.code, reason };
    }
  };
  await call();
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {
    // That was the last one.
  }
  const outcome = await call();
  for (const file of taken) closeSync(file);
  process.stdout.write(JSON.stringify(outcome));
  process.exit(0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
