import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** The unprivileged user as whom guests and image tools run when the agent itself is root. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/**
 * `auto`: `kilonova-qemu`, `libvirt-qemu` or `nobody` when the agent is root and they can reach the folders;
 * `self`: as the agent.
 */
export type RunAsChoice = "auto" | "self" | RunAs;

/**
 * Decides as whom to run. Only root can choose.
 * @param folders  what the user must be able to reach; the first it cannot reach is returned as `obstacle`
 */
export function chooseRunAs(
  choice: RunAsChoice,
  folders: readonly string[],
): { readonly runAs?: RunAs; readonly obstacle?: string } {
  if (choice === "self" || process.getuid?.() !== 0) return {};
  const runAs = choice === "auto" ? findUser(["kilonova-qemu", "libvirt-qemu", "nobody"]) : choice;
  if (runAs === undefined) return { obstacle: "/etc/passwd" };
  const obstacle = folders.map((folder) => unreachable(resolve(folder), runAs)).find((o) => o !== undefined);
  return obstacle === undefined ? { runAs } : { obstacle };
}

/** The command line that runs `argv` as the user, with no capability and no way to gain one. */
export function asUser(runAs: RunAs | undefined, argv: readonly string[]): readonly string[] {
  if (runAs === undefined) return argv;
  return [
    "setpriv",
    `--reuid=${runAs.uid}`,
    `--regid=${runAs.gid}`,
    "--clear-groups",
    "--no-new-privs",
    "--bounding-set=-all",
    "--",
    ...argv,
  ];
}

function findUser(names: readonly string[]): RunAs | undefined {
  const users = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  for (const name of names) {
    const user = users.find((fields) => fields[0] === name);
    if (user) return { uid: Number(user[2]), gid: Number(user[3]) };
  }
  return undefined;
}

/** @returns the first folder on the way (itself included) that the user may not search */
function unreachable(folder: string, runAs: RunAs): string | undefined {
  const parent = dirname(folder);
  const above = parent === folder ? undefined : unreachable(parent, runAs);
  if (above !== undefined) return above;
  const { mode, uid, gid } = statSync(folder);
  const bit = uid === runAs.uid ? 0o100 : gid === runAs.gid ? 0o010 : 0o001;
  return mode & bit ? undefined : folder;
}
