import { readdir, rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Ctx, Logger } from "../../../../kernel/index.js";
import { KeyedLock, rootCtx } from "../../../../kernel/index.js";
import type { Served } from "../../ports.js";
import { VolumeDaemon } from "./daemon.js";
import type { DaemonTools } from "./daemon.js";

/** One volume's daemon and what it is there for. */
interface Entry {
  daemon: VolumeDaemon | undefined;
  /** Attachments to serve, and whether read-only. */
  readonly wanted: Map<string, boolean>;
  /** Copies under way. */
  copies: number;
}

const RESTART_MS = [100, 500, 2_000, 5_000, 15_000];

/**
 * The daemons of all volumes that are used: started when they are needed, ended when not, started again when
 * they died.
 */
export class VolumeDaemons {
  readonly #tools: DaemonTools;
  readonly #log: Logger;
  readonly #entries = new Map<string, Entry>();
  readonly #lock = new KeyedLock();
  readonly #closing = new AbortController();

  constructor(tools: DaemonTools, log: Logger) {
    this.#tools = tools;
    this.#log = log;
  }

  serve(ctx: Ctx, { volumeId, attachmentId, readOnly }: Served): Promise<void> {
    return this.#lock.run(volumeId, async () => {
      const entry = this.#entry(volumeId);
      entry.wanted.set(attachmentId, readOnly);
      try {
        await (await this.#running(ctx, volumeId, entry)).serve(attachmentId, readOnly);
      } catch (error) {
        entry.wanted.delete(attachmentId);
        await this.#endUnused(volumeId, entry);
        throw error;
      }
    });
  }

  endServing(volumeId: string, attachmentId: string): Promise<void> {
    return this.#lock.run(volumeId, async () => {
      const entry = this.#entries.get(volumeId);
      if (!entry) return;
      entry.wanted.delete(attachmentId);
      await entry.daemon?.endServing(attachmentId).catch((error: unknown) => this.#lost(volumeId, error));
      await this.#endUnused(volumeId, entry);
    });
  }

  /** Copies a volume as `VolumeDaemon.copyTo` does; exports may come and go meanwhile. */
  async copy(ctx: Ctx, volumeId: string, path: string): Promise<void> {
    const { entry, daemon } = await this.#lock.run(volumeId, async () => {
      const found = this.#entry(volumeId);
      const running = await this.#running(ctx, volumeId, found);
      found.copies += 1;
      return { entry: found, daemon: running };
    });
    try {
      await daemon.copyTo(ctx, path);
    } finally {
      await this.#lock.run(volumeId, async () => {
        entry.copies -= 1;
        await this.#endUnused(volumeId, entry);
      });
    }
  }

  /** @returns false when nobody has the volume open */
  grow(volumeId: string, size: number): Promise<boolean> {
    return this.#lock.run(volumeId, async () => {
      const daemon = this.#entries.get(volumeId)?.daemon;
      await daemon?.grow(size);
      return daemon !== undefined;
    });
  }

  /** Ends whatever there is of a volume's. */
  end(volumeId: string): Promise<void> {
    return this.#lock.run(volumeId, async () => {
      const entry = this.#entries.get(volumeId);
      this.#entries.delete(volumeId);
      await entry?.daemon?.stop();
    });
  }

  /**
   * Takes over the daemons of an earlier run, and serves exactly these. Those that nobody needs are ended.
   * One volume that cannot be served does not keep the others from it.
   */
  async restore(ctx: Ctx, served: readonly Served[]): Promise<void> {
    const volumes = new Set(served.map(({ volumeId }) => volumeId));
    const { places } = this.#tools;
    const recorded = (await readdir(places.records))
      .filter((name) => name.endsWith(".json"))
      .map((name) => name.slice(0, -".json".length));
    for (const volumeId of new Set([...recorded, ...volumes])) {
      const daemon = await VolumeDaemon.find(ctx, this.#tools, volumeId);
      if (daemon && !volumes.has(volumeId)) {
        await daemon.stop();
        continue;
      }
      if (!volumes.has(volumeId)) {
        await rm(places.record(volumeId), { force: true });
        continue;
      }
      const entry = this.#entry(volumeId);
      for (const one of served.filter((wish) => wish.volumeId === volumeId))
        entry.wanted.set(one.attachmentId, one.readOnly);
      if (daemon) this.#adopt(volumeId, entry, daemon);
      await this.#lock
        .run(volumeId, () => this.#bring(ctx, volumeId, entry))
        .catch((error: unknown) => {
          this.#lost(volumeId, error);
          void this.#again(volumeId);
        });
    }
  }

  /** Lets go of the daemons; they go on serving. */
  close(): void {
    this.#closing.abort();
    for (const { daemon } of this.#entries.values()) daemon?.leave();
    this.#entries.clear();
  }

  #entry(volumeId: string): Entry {
    const known = this.#entries.get(volumeId);
    if (known) return known;
    const entry: Entry = { daemon: undefined, wanted: new Map(), copies: 0 };
    this.#entries.set(volumeId, entry);
    return entry;
  }

  async #running(ctx: Ctx, volumeId: string, entry: Entry): Promise<VolumeDaemon> {
    this.#closing.signal.throwIfAborted();
    if (!entry.daemon) this.#adopt(volumeId, entry, await VolumeDaemon.start(ctx, this.#tools, volumeId));
    if (!entry.daemon) throw new Error("the daemon went away at once");
    return entry.daemon;
  }

  /** Starts it again when it goes away while it is needed. */
  #adopt(volumeId: string, entry: Entry, daemon: VolumeDaemon): void {
    entry.daemon = daemon;
    void daemon.closed.then(() => {
      if (entry.daemon !== daemon) return;
      entry.daemon = undefined;
      if (this.#closing.signal.aborted || entry.wanted.size === 0) return;
      this.#lost(volumeId, new Error("the daemon went away"));
      void this.#again(volumeId);
    });
  }

  async #again(volumeId: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await delay(RESTART_MS[Math.min(attempt, RESTART_MS.length - 1)], undefined, {
          signal: this.#closing.signal,
          ref: false,
        });
      } catch {
        return; // closed
      }
      const entry = this.#entries.get(volumeId);
      if (!entry || entry.wanted.size === 0) return;
      const ctx = rootCtx({ requestId: `req-volume-${volumeId}`, log: this.#log });
      try {
        await this.#lock.run(volumeId, () => this.#bring(ctx, volumeId, entry));
        return;
      } catch (error) {
        this.#lost(volumeId, error);
      }
    }
  }

  /** Serves what is wanted and nothing else. */
  async #bring(ctx: Ctx, volumeId: string, entry: Entry): Promise<void> {
    if (entry.wanted.size === 0) return this.#endUnused(volumeId, entry);
    const daemon = await this.#running(ctx, volumeId, entry);
    for (const name of [...daemon.served.keys()]) if (!entry.wanted.has(name)) await daemon.endServing(name);
    for (const [name, readOnly] of entry.wanted) await daemon.serve(name, readOnly);
  }

  async #endUnused(volumeId: string, entry: Entry): Promise<void> {
    if (entry.wanted.size > 0 || entry.copies > 0) return;
    const { daemon } = entry;
    entry.daemon = undefined;
    if (this.#entries.get(volumeId) === entry) this.#entries.delete(volumeId);
    await daemon?.stop();
  }

  #lost(volumeId: string, error: unknown): void {
    this.#log.warn("volume.daemon.lost", { volumeId, error });
  }
}
