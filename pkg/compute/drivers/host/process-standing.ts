import { readFileSync, readdirSync, readlinkSync, statSync } from "node:fs";

/** Kinds of Linux namespaces that a caged process has for itself. */
export const cagedNamespaces = ["mnt", "pid", "ipc", "net", "uts"] as const;
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
  /** What it has open, above 2, and nobody gave to it: `250 /root/secret`. */
  readonly foreign: readonly string[];
}

/**
 * @param own  files and devices that it may have open
 * @throws ENOENT when the process is gone
 */
export function standingOf(pid: number, own: readonly string[] = []): Standing {
  const lines = new Map(
    readFileSync(`/proc/${pid}/status`, "utf8")
      .split("\n")
      .map((line): [string, string] => [line.split(":")[0] ?? "", line.slice(line.indexOf(":") + 1).trim()]),
  );
  const numbers = (name: string): number[] =>
    (lines.get(name) ?? "").split(/\s+/).filter(Boolean).map(Number);
  const namespace = (of: number | "self", kind: string): string => readlinkSync(`/proc/${of}/ns/${kind}`);
  const shared = cagedNamespaces.filter((kind) => namespace(pid, kind) === namespace("self", kind));
  return {
    uids: numbers("Uid"),
    gids: numbers("Gid"),
    groups: numbers("Groups"),
    capabilities: Object.fromEntries(
      ["Prm", "Eff", "Bnd", "Inh", "Amb"].map((set) => [set, lines.get(`Cap${set}`) ?? "unknown"]),
    ),
    noNewPrivs: lines.get("NoNewPrivs") === "1",
    filtered: lines.get("Seccomp") === "2",
    shared,
    foreign: foreignDescriptors(pid, own, shared.includes("net")),
  };
}

/** The kernel's list of sockets leaves one out now and then, while others close: what is foreign stays so. */
const LOOKS = 5;

/** What is foreign however often one looks. */
function foreignDescriptors(pid: number, own: readonly string[], sharesNetwork: boolean): readonly string[] {
  let found = foreignAtALook(pid, own, sharesNetwork);
  for (let looks = 1; looks < LOOKS && found.length > 0; looks++) {
    const again = new Set(foreignAtALook(pid, own, sharesNetwork));
    found = found.filter((one) => again.has(one));
  }
  return found;
}

/**
 * Its own are the files that it was given, by device and number and not by name, what has no name (events,
 * memory), and sockets that were made in its network namespace. Pipes it makes none.
 */
function foreignAtALook(pid: number, own: readonly string[], sharesNetwork: boolean): readonly string[] {
  const identity = (path: string): string | undefined => {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    return found && `${found.dev}:${found.ino}`;
  };
  const given = new Set(own.map(identity));
  const open = readdirSync(`/proc/${pid}/fd`)
    .filter((fd) => Number(fd) > 2)
    .map((fd) => ({ fd, path: `/proc/${pid}/fd/${fd}`, link: linkOf(`/proc/${pid}/fd/${fd}`) }));
  // After what is open: a connection that is accepted in between is in both.
  const sockets = sharesNetwork ? undefined : socketsOf(pid, own);
  return open.flatMap(({ fd, path, link }) => {
    if (link === undefined || /^anon_inode:|^\/memfd:/.test(link)) return [];
    const socket = /^socket:\[(\d+)\]$/.exec(link)?.[1];
    const isOwn =
      socket === undefined
        ? given.has(identity(path))
        : sockets === undefined
          ? !ours().has(link)
          : sockets.has(socket);
    return isOwn ? [] : [`${fd} ${link}`];
  });
}

/** What we have open ourselves: where network namespaces are shared, that could have been handed on. */
const ours = (): ReadonlySet<string | undefined> =>
  new Set(readdirSync("/proc/self/fd").map((fd) => linkOf(`/proc/self/fd/${fd}`)));

/**
 * Numbers of the UNIX sockets that a process with a network namespace of its own has made there, and of the
 * connections that it accepted on its own addresses: those are in the namespace of who connected, us.
 */
function socketsOf(pid: number, own: readonly string[]): ReadonlySet<string> {
  const at = (address: string): boolean =>
    own.some((path) => address === path || address.startsWith(`${path}/`));
  return new Set([
    ...unixSockets(pid).map(([number]) => number),
    ...unixSockets("self").flatMap(([number, address]) => (at(address) ? [number] : [])),
  ]);
}

const unixSockets = (of: number | "self"): (readonly [number: string, address: string])[] =>
  readFileSync(`/proc/${of}/net/unix`, "utf8")
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .map((columns) => [columns[6] ?? "", columns[7] ?? ""]);

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // Closed meanwhile.
    return undefined;
  }
}

/** What must hold for a process. */
export interface WantedStanding {
  /** The user that it must be, with nobody's groups; undefined: whoever we are. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly memberOf: readonly number[];
  /** Those that it must have for itself. */
  readonly namespaces: readonly CagedNamespace[];
  /** Whether it must have a filter of system calls. */
  readonly filtered: boolean;
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
  if (wanted.filtered && !found.filtered) out.push("seccomp");
  if (found.foreign.length > 0) out.push(`descriptors that are not its own (${found.foreign.join(", ")})`);
  const shared = found.shared.filter((kind) => wanted.namespaces.includes(kind));
  if (shared.length > 0) out.push(`namespaces (${shared.join(", ")})`);
  return out;
}
