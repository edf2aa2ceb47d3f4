import type { Ctx } from "../../../kernel/index.js";
import { whenAborted } from "../../../kernel/index.js";
import { DriverErrors } from "../errors.js";
import { start } from "./command.js";
import type { Command } from "./command.js";

export interface ToolOptions {
  readonly timeoutMs: number;
  /**
   * How it is shut in: `Isolation.tool`. Never left out, so that no tool runs free by oversight; `plain` runs
   * it as the agent.
   */
  readonly within: (argv: readonly string[]) => Command;
  /** Told what the tool writes to its standard output, piece by piece as it comes. */
  readonly onOutput?: (text: string) => void;
  /** Hard limits by prlimit(1); for tools that read what tenants wrote. */
  readonly limits?: {
    readonly addressSpaceBytes: number;
    readonly cpuSeconds: number;
    readonly fileBytes: number;
  };
}

/** How tools are run; handed in so that tests can see what would be run. */
export type RunTool = (ctx: Ctx, argv: readonly string[], options: ToolOptions) => Promise<string>;

const OUTPUT_LIMIT = 64 * 1024;

/**
 * Runs a command to its end, with nothing of the agent's environment.
 * @returns its standard output, at most 64 KiB
 * @throws TOOL_FAILED when it exits otherwise than 0, outlives its time or the caller gives up; the process
 *   is gone then
 */
export const runTool: RunTool = (ctx, argv, options) =>
  new Promise((resolve, reject) => {
    const tool = argv[0] ?? "";
    const child = start(options.within(limited(argv, options.limits)), {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { out: "", err: "" };
    const keep =
      (which: "out" | "err") =>
      (chunk: Buffer): void => {
        if (output[which].length < OUTPUT_LIMIT) output[which] += chunk.toString("utf8");
      };
    child.stdout?.on("data", keep("out"));
    child.stdout?.on("data", (chunk: Buffer) => options.onOutput?.(chunk.toString("utf8")));
    child.stderr?.on("data", keep("err"));
    let why = "";
    const stop = (reason: string) => (): void => {
      why = reason;
      child.kill("SIGKILL");
    };
    const timer = setTimeout(stop("timed out"), options.timeoutMs);
    const leave = whenAborted(ctx.signal, stop("cancelled"));
    const settle = (error: Error | undefined): void => {
      clearTimeout(timer);
      leave();
      if (error) reject(DriverErrors.TOOL_FAILED({ tool: tool.split("/").at(-1) ?? "" }, { cause: error }));
      else resolve(output.out);
    };
    child.on("error", settle);
    child.on("close", (code, signal) =>
      settle(
        code === 0 && why === ""
          ? undefined
          : new Error(`${argv.join(" ")}: ${why || `exit ${code ?? signal}`}: ${output.err.trim()}`),
      ),
    );
  });

function limited(argv: readonly string[], limits: ToolOptions["limits"]): readonly string[] {
  if (limits === undefined) return argv;
  return [
    "prlimit",
    `--as=${limits.addressSpaceBytes}`,
    `--cpu=${limits.cpuSeconds}`,
    `--fsize=${limits.fileBytes}`,
    "--core=0",
    "--",
    ...argv,
  ];
}
