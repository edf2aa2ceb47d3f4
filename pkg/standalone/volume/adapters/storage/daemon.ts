import { chmod, chown, mkdir, readFile, rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Ctx } from "../../../../kernel/index.js";
import { whenAborted } from "../../../../kernel/index.js";
import { ifThere, writeFileAtomic } from "../../../../platform/files/index.js";
import { E } from "../../errors.js";
import type { CagedIdentity, CagedPrograms, CagedRoom, CagedUser, Monitor } from "../../ports.js";
import { foldersOf } from "./places.js";
import type { Places } from "./places.js";

const NODE = "disk";
/** It opens its file before it speaks, which takes as long as the disk needs. */
const START_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 10_000;

/** What a daemon is kept by. */
export interface DaemonTools {
  readonly programs: CagedPrograms;
  readonly places: Places;
  readonly program: string;
}

const recordShape = z.object({
  version: z.literal(1),
  identity: z.object({ pid: z.number().int(), startTicks: z.string(), bootId: z.string() }),
});

/** One volume's `qemu-storage-daemon`: the only process that has the volume's file open. */
export class VolumeDaemon {
  readonly #tools: DaemonTools;
  readonly #volumeId: string;
  readonly #identity: CagedIdentity;
  readonly #monitor: Monitor;
  /** Names of exports and their ids in the daemon. */
  readonly #exports = new Map<string, { readonly id: string; readonly readOnly: boolean }>();
  #count = 0;
  #run = "";

  private constructor(tools: DaemonTools, volumeId: string, identity: CagedIdentity, monitor: Monitor) {
    this.#tools = tools;
    this.#volumeId = volumeId;
    this.#identity = identity;
    this.#monitor = monitor;
    this.#run = Date.now().toString(36);
  }

  /** Resolves when it went away. */
  get closed(): Promise<void> {
    return this.#monitor.closed;
  }

  get served(): ReadonlyMap<string, { readonly readOnly: boolean }> {
    return this.#exports;
  }

  /**
   * Starts one, serving nothing yet. What an earlier one left is taken away.
   * @throws STORAGE_FAILED
   */
  static async start(ctx: Ctx, tools: DaemonTools, volumeId: string): Promise<VolumeDaemon> {
    const { places, programs, program } = tools;
    const user = programs.userFor(places.volume(volumeId));
    for (const [path, mode] of foldersOf(places, volumeId)) await ownFolder(path, mode, user);
    for (const path of [places.socket(volumeId), places.monitor(volumeId)]) await rm(path, { force: true });
    const room: CagedRoom = {
      user,
      writable: foldersOf(places, volumeId).map(([path]) => path),
    };
    const argv = [
      program,
      // It waits for us: one that is connected to while its monitor's thread starts may lose what it is told.
      ...["--chardev", `socket,id=qmp0,path=${places.monitor(volumeId)},server=on,wait=on`],
      ...["--monitor", "chardev=qmp0"],
      ...["--blockdev", blockdev(places.disk(volumeId))],
    ];
    const started = await programs.start(argv, room, places.log(volumeId));
    try {
      await writeFileAtomic(
        places.record(volumeId),
        JSON.stringify({ version: 1, identity: started.identity }),
      );
      const monitor = await connected(ctx, programs, places.monitor(volumeId), started.exited);
      programs.assertHolds(started.identity, {
        ...room,
        writable: [...(room.writable ?? []), places.disk(volumeId)],
      });
      const daemon = new VolumeDaemon(tools, volumeId, started.identity, monitor);
      await monitor.execute("nbd-server-start", {
        addr: { type: "unix", data: { path: places.socket(volumeId) } },
        "max-connections": 0,
      });
      // Hosts' processes are users of their own; what is above the socket's folder keeps others out.
      await chmod(places.socket(volumeId), 0o666);
      return daemon;
    } catch (error) {
      started.end();
      await started.exited;
      throw E.STORAGE_FAILED({ step: "serve a volume" }, { cause: error });
    }
  }

  /** Finds the one that an earlier run of the service left; ends one that does not answer. */
  static async find(ctx: Ctx, tools: DaemonTools, volumeId: string): Promise<VolumeDaemon | undefined> {
    const { places, programs } = tools;
    const text = await ifThere(readFile(places.record(volumeId), "utf8"));
    const record = recordShape.safeParse(parsed(text ?? ""));
    const marks = [blockdev(places.disk(volumeId))];
    if (!record.success || !programs.isAlive(record.data.identity, marks)) return undefined;
    try {
      const monitor = await connected(ctx, programs, places.monitor(volumeId), undefined);
      const daemon = new VolumeDaemon(tools, volumeId, record.data.identity, monitor);
      await daemon.#clear();
      return daemon;
    } catch (error) {
      ctx.log.warn("volume.daemon.unusable", { volumeId, error });
      programs.kill(record.data.identity, marks);
      return undefined;
    }
  }

  /**
   * Serves the volume under a name, or goes on. An export of the same name with other rights is replaced.
   */
  async serve(name: string, readOnly: boolean): Promise<void> {
    const known = this.#exports.get(name);
    if (known?.readOnly === readOnly) return;
    if (known) await this.endServing(name);
    const id = `${readOnly ? "ro" : "rw"}.${name}.${this.#run}.${this.#count++}`;
    await this.#monitor.execute("block-export-add", {
      type: "nbd",
      id,
      "node-name": NODE,
      name,
      writable: !readOnly,
    });
    this.#exports.set(name, { id, readOnly });
  }

  /** Ends it; whoever is connected is cut off. Repeatable. */
  async endServing(name: string): Promise<void> {
    const known = this.#exports.get(name);
    if (!known) return;
    const gone = this.#event("BLOCK_EXPORT_DELETED", (data) => data["id"] === known.id);
    try {
      await this.#monitor.execute("block-export-del", { id: known.id, mode: "hard" });
      await gone.arrived;
      this.#exports.delete(name);
    } finally {
      gone.forget();
    }
  }

  /** Makes the volume larger. Clients are cut off for that, and see the new size when they come again. */
  async grow(size: number): Promise<void> {
    const served = [...this.#exports].map(([name, { readOnly }]) => ({ name, readOnly }));
    for (const { name } of served) await this.endServing(name);
    try {
      await this.#monitor.execute("block_resize", { "node-name": NODE, size });
    } finally {
      for (const { name, readOnly } of served) await this.serve(name, readOnly);
    }
  }

  /**
   * Copies the volume's content of one moment, the last one of the copying, into an existing empty file of
   * its size. Writes go on meanwhile.
   * @throws STORAGE_FAILED, and when the caller gives up; nothing of the job is left then
   */
  async copyTo(ctx: Ctx, path: string): Promise<void> {
    const job = `copy.${this.#run}.${this.#count++}`;
    const execute = this.#monitor.execute.bind(this.#monitor);
    await execute("blockdev-add", { driver: "file", filename: path, "node-name": job, discard: "unmap" });
    const ours = (data: Readonly<Record<string, unknown>>): boolean => data["device"] === job;
    const ready = this.#event("BLOCK_JOB_READY", ours);
    const ended = this.#event("BLOCK_JOB_COMPLETED", ours, ctx.signal);
    try {
      await execute("blockdev-mirror", {
        "job-id": job,
        device: NODE,
        target: job,
        sync: "full",
        // Also a busy writer lets it come to its end.
        "copy-mode": "write-blocking",
      });
      const first = await Promise.race([ready.arrived, ended.arrived]);
      if (first["error"] === undefined) await execute("block-job-cancel", { device: job });
      const last = await ended.arrived;
      const error = first["error"] ?? last["error"];
      if (error !== undefined) throw new Error(String(error));
    } catch (error) {
      await this.#cancel(job, ours);
      throw E.STORAGE_FAILED({ step: "copy a volume" }, { cause: error });
    } finally {
      ready.forget();
      ended.forget();
      await execute("blockdev-del", { "node-name": job }).catch(() => undefined); // it died with the daemon
    }
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    const { programs, places } = this.#tools;
    await this.#monitor.execute("quit").catch(() => undefined); // it closes the line instead of answering
    await Promise.race([this.#monitor.closed, delay(END_TIMEOUT_MS, undefined, { ref: false })]);
    programs.kill(this.#identity, [blockdev(places.disk(this.#volumeId))]);
    this.#monitor.close();
    await rm(places.record(this.#volumeId), { force: true });
  }

  /** Lets go of it without ending it. */
  leave(): void {
    this.#monitor.close();
  }

  /** Learns what it serves, and ends the jobs of the run that left it. */
  async #clear(): Promise<void> {
    const jobs = z.array(z.looseObject({ id: z.string() })).parse(await this.#monitor.execute("query-jobs"));
    for (const { id } of jobs) {
      await this.#cancel(id, (data) => data["device"] === id);
      await this.#monitor.execute("blockdev-del", { "node-name": id }).catch(() => undefined); // gone already
    }
    const exports = z
      .array(z.looseObject({ id: z.string() }))
      .parse(await this.#monitor.execute("query-block-exports"));
    for (const { id } of exports) {
      const [rights = "", name = ""] = id.split(".");
      this.#exports.set(name, { id, readOnly: rights === "ro" });
    }
  }

  async #cancel(job: string, ours: (data: Readonly<Record<string, unknown>>) => boolean): Promise<void> {
    const ended = this.#event("BLOCK_JOB_COMPLETED", ours);
    const cancelled = this.#event("BLOCK_JOB_CANCELLED", ours);
    try {
      await this.#monitor.execute("block-job-cancel", { device: job, force: true });
      await Promise.race([ended.arrived, cancelled.arrived]);
    } catch {
      // There is no such job any more, or no daemon.
    } finally {
      ended.forget();
      cancelled.forget();
    }
  }

  /** Waits for an event from now on; ends with an error when the daemon goes away or the caller gives up. */
  #event(
    name: string,
    matches: (data: Readonly<Record<string, unknown>>) => boolean,
    signal?: AbortSignal,
  ): { readonly arrived: Promise<Readonly<Record<string, unknown>>>; forget(): void } {
    let forget = (): void => {};
    const arrived = new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
      const off = this.#monitor.onEvent(({ event, data }) => {
        if (event === name && matches(data)) resolve(data);
      });
      const give = (): void => reject(new Error("given up"));
      const leave = signal === undefined ? undefined : whenAborted(signal, give);
      void this.#monitor.closed.then(() => reject(new Error("the daemon went away")));
      forget = () => {
        off();
        leave?.();
      };
    });
    arrived.catch(() => undefined); // told to whoever waits; the other of two may not be waited for
    return { arrived, forget: () => forget() };
  }
}

/** Mark of the process, too: it names the volume's file. */
const blockdev = (path: string): string =>
  JSON.stringify({ driver: "file", filename: path, "node-name": NODE, discard: "unmap" });

async function ownFolder(path: string, mode: number, user: CagedUser | undefined): Promise<void> {
  await mkdir(path, { recursive: true, mode });
  if (user) await chown(path, user.uid, user.gid);
  await chmod(path, mode);
}

async function connected(
  ctx: Ctx,
  programs: CagedPrograms,
  path: string,
  exited: Promise<unknown> | undefined,
): Promise<Monitor> {
  let ended = false;
  void exited?.then(() => {
    ended = true;
  });
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (let waitMs = 5; ; waitMs = Math.min(waitMs * 1.5, 50)) {
    try {
      return await programs.monitor(path, START_TIMEOUT_MS);
    } catch (error) {
      const code = String((error as NodeJS.ErrnoException).code);
      if (ended || performance.now() > deadline || !["ENOENT", "ECONNREFUSED"].includes(code)) throw error;
    }
    await delay(waitMs, undefined, { signal: ctx.signal });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
