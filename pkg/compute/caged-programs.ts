import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ctx } from "../kernel/index.js";
import { Isolation } from "./drivers/host/isolation.js";
import type { IsolationOptions } from "./drivers/host/isolation.js";
import {
  endChild,
  identify,
  isSameProcess,
  listProcesses,
  signalProcess,
  spawnDetached,
} from "./drivers/host/linux-process.js";
import type { ProcessIdentity } from "./drivers/host/linux-process.js";
import type { RunAs } from "./drivers/host/run-as.js";
import { runTool } from "./drivers/host/run-tool.js";
import { QmpClient } from "./drivers/qemu/qmp-client.js";

/** What a caged program sees. */
interface ProgramRoom {
  readonly user: RunAs | undefined;
  readonly readable?: readonly string[];
  readonly writable?: readonly string[];
}

/** A daemon that was just started. */
interface StartedProgram {
  readonly identity: ProcessIdentity;
  readonly exited: Promise<unknown>;
  /** Also while it is still on its way into its cage, and nobody could know it by its arguments. */
  end(): void;
}

/** Programs that are shut in as guests are, for another service of this machine. */
export interface CagedPrograms {
  readonly hidesFolders: boolean;
  userFor(path: string): RunAs | undefined;
  releaseUser(path: string): void;
  run(
    ctx: Ctx,
    argv: readonly string[],
    room: ProgramRoom,
    limits: { readonly timeoutMs: number; readonly fileBytes: number },
  ): Promise<void>;
  start(argv: readonly string[], room: ProgramRoom, logPath: string): Promise<StartedProgram>;
  assertHolds(identity: ProcessIdentity, room: ProgramRoom): void;
  isAlive(identity: ProcessIdentity, marks: readonly string[]): boolean;
  kill(identity: ProcessIdentity, marks: readonly string[]): void;
  monitor(socket: string, greetingTimeoutMs: number): Promise<QmpClient>;
}

const ADDRESS_SPACE = 4 * 2 ** 30;
const CPU_SECONDS = 6 * 3_600;

/**
 * Finds out how programs can be shut in on this machine.
 * @throws ISOLATION_INCOMPLETE as for guests
 */
export async function cagedPrograms(options: IsolationOptions): Promise<CagedPrograms> {
  const isolation = await Isolation.open(options);
  const users = new Map<string, RunAs>();
  return {
    hidesFolders: isolation.hasNamespaces,
    userFor: (path) => {
      const known = users.get(path) ?? isolation.uids?.take(resolve(path));
      if (known) users.set(path, known);
      return known;
    },
    releaseUser: (path) => {
      const known = users.get(path);
      users.delete(path);
      if (known) isolation.uids?.release(resolve(path), known.uid);
    },
    run: async (ctx, argv, room, { timeoutMs, fileBytes }) => {
      await runTool(ctx, argv, {
        timeoutMs,
        within: isolation.tool(room),
        limits: { addressSpaceBytes: ADDRESS_SPACE, cpuSeconds: CPU_SECONDS, fileBytes },
      });
    },
    start: async (argv, room, logPath) => {
      const caged = isolation.enter(argv, { ...room, dies: false, reaches: "sockets" });
      const started = await spawnDetached(caged, logPath);
      return { ...started, end: () => endChild(started) };
    },
    assertHolds: ({ pid }, room) => isolation.assertHolds(pid, { ...room, reaches: "sockets" }),
    isAlive: isSameProcess,
    kill: (identity, marks) => {
      signalProcess(identity, marks, "SIGKILL");
    },
    monitor: (socket, greetingTimeoutMs) => QmpClient.connect(socket, { greetingTimeoutMs }),
  };
}

const GONE_WITHIN_MS = 30_000;

/**
 * Kills every daemon that serves volumes whose files lie below a folder, for an operator who forgets a whole
 * installation.
 * @throws when one is still there after half a minute
 */
export async function endVolumeDaemonsBelow(dir: string): Promise<void> {
  const found = listProcesses().flatMap(({ pid, args: all }) => {
    const args = [...all];
    const mark = args.find((arg) => arg.includes(`${dir}/`));
    const isDaemon = /(^|\/)qemu-storage-daemon$/.test(args[0] ?? "");
    const identity = isDaemon && mark !== undefined ? identify(pid) : undefined;
    return identity === undefined || mark === undefined ? [] : [{ identity, mark }];
  });
  for (const { identity, mark } of found) signalProcess(identity, [mark], "SIGKILL");
  const deadline = performance.now() + GONE_WITHIN_MS;
  while (found.some(({ identity, mark }) => isSameProcess(identity, [mark]))) {
    if (performance.now() > deadline) throw new Error("a volume's daemon outlives SIGKILL");
    await sleep(20);
  }
}
