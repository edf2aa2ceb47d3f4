import { execFile } from "node:child_process";
import type { Ctx } from "../kernel/index.js";
import { GuestImageErrors } from "./errors.js";

export interface RunOptions {
  readonly cwd?: string;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** `PATH` with the system folders that an ordinary user's lacks (mkfs.fat and sfdisk live there). */
export const toolPath = (): string => `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin:/usr/bin:/bin`;

/**
 * Runs a tool to its end; never through a shell.
 * @returns its standard output
 * @throws TOOL_FAILED with the last lines of its error output
 */
export async function run(
  ctx: Ctx,
  tool: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      tool,
      [...args],
      {
        cwd: options.cwd,
        signal: ctx.signal,
        maxBuffer: 64 << 20,
        encoding: "utf8",
        env: { ...process.env, LC_ALL: "C", ...options.env, PATH: toolPath() },
      },
      (error, stdout, stderr) => {
        if (!error) {
          resolve(stdout);
          return;
        }
        if (ctx.signal.aborted) {
          reject(ctx.signal.reason instanceof Error ? ctx.signal.reason : error);
          return;
        }
        const detail = stderr.trim().split("\n").slice(-5).join(" | ") || error.message;
        reject(GuestImageErrors.TOOL_FAILED({ tool, detail }, { cause: error }));
      },
    );
    // a tool that ends early closes its input; its exit status tells why
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.stdin ?? "");
  });
}
