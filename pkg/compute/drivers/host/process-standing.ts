import { readFileSync, readlinkSync } from "node:fs";

/** Kinds of Linux namespaces that a caged process has for itself. */
const cagedNamespaces = ["mnt", "pid", "ipc", "net", "uts"] as const;
export type CagedNamespace = (typeof cagedNamespaces)[number];

/** What the kernel lets a process do, as /proc tells it. */
export interface Standing {
  /** Real, effective, saved and file system. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  readonly groups: readonly number[];
  /** Hexadecimal sets by their names in /proc: Prm, Eff, Bnd, Inh, Amb. */
  readonly capabilities: Readonly<Record<string, string>>;
  readonly noNewPrivs: boolean;
  /** Whether a seccomp filter is in force. */
  readonly filtered: boolean;
  /** Namespaces that it shares with us. */
  readonly shared: readonly CagedNamespace[];
}

/** @throws ENOENT when the process is gone */
export function standingOf(pid: number): Standing {
  const lines = new Map(
    readFileSync(`/proc/${pid}/status`, "utf8")
      .split("\n")
      .map((line): [string, string] => [line.split(":")[0] ?? "", line.slice(line.indexOf(":") + 1).trim()]),
  );
  const numbers = (name: string): number[] =>
    (lines.get(name) ?? "").split(/\s+/).filter(Boolean).map(Number);
  const namespace = (of: number | "self", kind: string): string => readlinkSync(`/proc/${of}/ns/${kind}`);
  return {
    uids: numbers("Uid"),
    gids: numbers("Gid"),
    groups: numbers("Groups"),
    capabilities: Object.fromEntries(
      ["Prm", "Eff", "Bnd", "Inh", "Amb"].map((set) => [set, lines.get(`Cap${set}`) ?? "unknown"]),
    ),
    noNewPrivs: lines.get("NoNewPrivs") === "1",
    filtered: lines.get("Seccomp") === "2",
    shared: cagedNamespaces.filter((kind) => namespace(pid, kind) === namespace("self", kind)),
  };
}

/** What must hold for a process. */
export interface WantedStanding {
  /** The user that it must be, with nobody's groups; undefined: whoever we are. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly memberOf: readonly number[];
  readonly ownNamespaces: boolean;
  /** Whether its bounding set can be emptied: not by an ordinary user outside of a user namespace. */
  readonly bounded: boolean;
}

/** @returns in words what does not hold; nothing when all does */
export function shortcomings(found: Standing, wanted: WantedStanding): readonly string[] {
  const { user, memberOf } = wanted;
  const out: string[] = [];
  if (user !== undefined) {
    const all = (ids: readonly number[], id: number): boolean => ids.length > 0 && ids.every((x) => x === id);
    if (!all(found.uids, user.uid) || !all(found.gids, user.gid)) out.push("the user");
    // Its own group may be listed or not.
    if (found.groups.some((group) => group !== user.gid && !memberOf.includes(group)))
      out.push("other groups");
  }
  const sets = ["Prm", "Eff", "Inh", "Amb", ...(wanted.bounded ? ["Bnd"] : [])];
  if (sets.some((set) => !/^0+$/.test(found.capabilities[set] ?? ""))) out.push("capabilities");
  if (!found.noNewPrivs) out.push("no_new_privs");
  if (!found.filtered) out.push("seccomp");
  if (wanted.ownNamespaces && found.shared.length > 0) out.push(`namespaces (${found.shared.join(", ")})`);
  return out;
}
