import { spawn, spawnSync } from "node:child_process";

/**
 * Runs a program to its end. Output is kept, and part of the error when it fails; `onLine` sees each line as
 * it comes.
 */
export function run(command, args, { cwd, env, onLine } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const take = (chunk) => {
      output = (output + chunk).slice(-20_000);
      const line = chunk.toString().trim().split("\n").at(-1);
      if (line) onLine?.(line.slice(0, 70));
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0
        ? resolve(output)
        : reject(
            new Error(
              `${command} ${args.slice(0, 3).join(" ")} failed (exit ${code}):\n${output.split("\n").slice(-15).join("\n")}`,
            ),
          ),
    );
  });
}

/** Whether a program ends well; says nothing. */
export const succeeds = (command, args) => spawnSync(command, args, { stdio: "ignore" }).status === 0;
