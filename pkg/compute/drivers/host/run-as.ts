import { statSync } from "node:fs";
import { dirname } from "node:path";

/** The unprivileged user as whom a guest, or a tool that works for it, runs when the agent itself is root. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** The group that may use /dev/kvm where not everybody may. */
export function kvmGroups(): readonly number[] {
  const node = statSync("/dev/kvm", { throwIfNoEntry: false });
  return node === undefined || (node.mode & 0o006) === 0o006 ? [] : [node.gid];
}

/**
 * The command line that runs `argv` as the user (as ourselves when undefined), with no capability and no way
 * to gain one.
 */
export function withoutRights(
  user: RunAs | undefined,
  argv: readonly string[],
  memberOf: readonly number[] = [],
): readonly string[] {
  const identity =
    user === undefined
      ? []
      : [
          `--reuid=${user.uid}`,
          `--regid=${user.gid}`,
          memberOf.length === 0 ? "--clear-groups" : `--groups=${memberOf.join(",")}`,
          "--inh-caps=-all",
          "--bounding-set=-all",
        ];
  return ["setpriv", ...identity, "--no-new-privs", "--", ...argv];
}

/** @returns the first folder on the way (itself included) that the user may not search */
export function unreachable(folder: string, user: RunAs): string | undefined {
  const parent = dirname(folder);
  const above = parent === folder ? undefined : unreachable(parent, user);
  if (above !== undefined) return above;
  const { mode, uid, gid } = statSync(folder);
  const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  return mode & bit ? undefined : folder;
}
