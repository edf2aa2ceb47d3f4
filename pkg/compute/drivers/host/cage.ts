import { existsSync, lstatSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";
import { FIRST_INPUT, TOLD_AT, plain } from "./command.js";
import type { Command } from "./command.js";
import { toolFilter } from "./tool-seccomp.js";
import { withoutRights } from "./run-as.js";
import type { RunAs } from "./run-as.js";

/** What a caged process is and sees; everything else of the machine is not there for it. */
export interface Room {
  /** Undefined: as the agent itself, which is not root then. */
  readonly user: RunAs | undefined;
  /** Groups beside the user's own, by number. */
  readonly memberOf?: readonly number[];
  /** Files and folders, each under its own absolute path. */
  readonly readable?: readonly string[];
  readonly writable?: readonly string[];
  /** Nodes of /dev, beside `null` and `urandom`. */
  readonly devices?: readonly string[];
  /** Control groups to enter first. */
  readonly groups?: readonly string[];
  /** Whether it ends when the agent's child that started it does: tools do, guests do not. */
  readonly dies: boolean;
  /**
   * For what connects to others: by UNIX sockets that it sees, or also over the host's network. It gets our
   * filter of system calls then, too. Undefined: a tool that makes no sockets, or a guest.
   */
  readonly reaches?: "sockets" | "network";
}

/** Where programs, their libraries and their data are; and the little of /etc that they read. */
const systemFolders = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
const systemFiles = ["/etc/ld.so.cache", "/etc/mke2fs.conf"];
/** By which names of other hosts become addresses. */
const networkFiles = ["resolv.conf", "hosts", "nsswitch.conf", "host.conf", "gai.conf", "services"].map(
  (name) => `/etc/${name}`,
);
export const usualDevices = ["/dev/null", "/dev/urandom"];
/** Where the caged command line stands inside. */
const SCRIPT = "/cage";

/**
 * The command that runs `argv` in a room of its own: own mount, PID, IPC, network and UTS namespaces, no
 * capability, no way to gain one. Bubblewrap makes the room from outside; the last thing inside is setpriv,
 * which becomes the user and then the program. The command line is handed in by a file, so that only the
 * program itself has it in /proc.
 *
 * @param more  a folder of programs outside of the system's (ADR 0005)
 */
export function caged(argv: readonly string[], room: Room, more: readonly string[] = []): Command {
  const [argsFd, scriptFd, filterFd] = [FIRST_INPUT, FIRST_INPUT + 1, FIRST_INPUT + 2];
  // A guest's QEMU sets a filter of its own, and is looked at whether it did.
  const { reaches } = room;
  const filter = room.dies || reaches !== undefined ? toolFilter(reaches !== undefined) : undefined;
  const files = [...systemFiles, ...(reaches === "network" ? networkFiles : []), ...more];
  const shown = [
    ...systemFolders.flatMap(systemFolder),
    ...files.filter((path) => existsSync(path)).flatMap(bind("--ro-bind")),
    ...[...usualDevices, ...(room.devices ?? [])].flatMap(bind("--dev-bind")),
    ...(room.readable ?? []).flatMap(bind("--ro-bind")),
    ...(room.writable ?? []).flatMap(bind("--bind")),
  ];
  const options = [
    ...["--unshare-pid", "--unshare-ipc", "--unshare-uts"],
    ...(reaches === "network" ? [] : ["--unshare-net"]),
    // A guest is the first process of its namespace: nothing of root's lives beside it in there.
    ...(room.dies ? ["--die-with-parent"] : ["--as-pid-1"]),
    ...shown,
    ...(filter === undefined ? [] : ["--seccomp", String(filterFd)]),
    ...["--ro-bind-data", String(scriptFd), SCRIPT],
    ...["--remount-ro", "/", "--chdir", "/", "--info-fd", String(TOLD_AT)],
  ];
  return {
    argv: entering(room.groups ?? [], ["bwrap", "--args", String(argsFd), "--", "sh", SCRIPT]),
    inputs: [
      options.map((option) => `${option}\0`).join(""),
      `exec ${withoutRights(room.user, argv, room.memberOf).map(quoted).join(" ")}\n`,
      ...(filter === undefined ? [] : [filter]),
    ],
    tellsChild: true,
  };
}

/** The same without namespaces, where the kernel or the lack of bubblewrap forbids them. */
export const uncaged = (argv: readonly string[], { user, memberOf, groups = [] }: Room): Command =>
  plain(entering(groups, withoutRights(user, argv, memberOf)));

/**
 * Before anything else: whatever comes of the command stays in the groups. Fails when it cannot enter one.
 */
function entering(groups: readonly string[], argv: readonly string[]): readonly string[] {
  if (groups.length === 0) return argv;
  const script = groups.map((group) => `echo 0 > ${quoted(`${group}/cgroup.procs`)} || exit 125`).join("\n");
  return ["sh", "-c", `${script}\nexec "$@"`, "cage", ...argv];
}

function systemFolder(path: string): readonly string[] {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  return found.isSymbolicLink() ? ["--symlink", readlinkSync(path), path] : ["--ro-bind", path, path];
}

/** Bubblewrap closes the folders that it makes on the way to everybody but root, unless it is told. */
const bind =
  (how: "--bind" | "--ro-bind" | "--dev-bind") =>
  (path: string): readonly string[] => [...ancestors(path), how, path, path];

function ancestors(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === "/" ? [] : [...ancestors(parent), "--perms", "0755", "--dir", parent];
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
