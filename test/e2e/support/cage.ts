import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./cloud.js";

/** What /proc says of a process, by the names it has there. */
export function procStatus(pid: number): ReadonlyMap<string, string> {
  return new Map(
    readFileSync(`/proc/${pid}/status`, "utf8")
      .split("\n")
      .map((line): [string, string] => [line.split(":")[0] ?? "", line.slice(line.indexOf(":") + 1).trim()]),
  );
}

export const namespaceOf = (pid: number | "self", kind: string): string =>
  readlinkSync(`/proc/${pid}/ns/${kind}`);

export const cgroupsOf = (pid: number): string => readFileSync(`/proc/${pid}/cgroup`, "utf8");

/** What a process finds in a folder, by its own eyes; nothing where there is none. */
export function seenBy(pid: number, folder: string): readonly string[] {
  try {
    return readdirSync(join(`/proc/${pid}/root`, folder)).sort();
  } catch {
    return [];
  }
}

/** Tries to open files and to connect to sockets as some user. @returns `ok` or the error's code, by path */
export function tryAs(uid: number, paths: readonly string[]): Readonly<Record<string, string>> {
  const script = `
    const { openSync, closeSync, lstatSync, readdirSync } = require("node:fs");
    const { connect } = require("node:net");
    const reach = (path) => new Promise((resolve) => {
      try {
        const found = lstatSync(path);
        if (found.isSocket()) {
          const socket = connect(path, () => { socket.destroy(); resolve("ok"); });
          socket.on("error", (error) => resolve(error.code));
          return;
        }
        if (found.isDirectory()) readdirSync(path);
        else closeSync(openSync(path, "r"));
        resolve("ok");
      } catch (error) { resolve(error.code); }
    });
    (async () => {
      const results = {};
      for (const path of process.argv.slice(1)) results[path] = await reach(path);
      console.log(JSON.stringify(results));
    })();`;
  const user = [`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--no-new-privs"];
  const { stdout, stderr } = spawnSync("setpriv", [...user, process.execPath, "-e", script, ...paths], {
    encoding: "utf8",
    cwd: "/",
  });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, string>;
}

/** What the operator's tool prints. */
export function kilonovaStatus(home: string): string {
  return execFileSync(process.execPath, ["scripts/kilonova.mjs", "status", "--home", home], {
    cwd: projectRoot,
    encoding: "utf8",
  });
}
