import { constants, unlinkSync } from "node:fs";
import { chmod, chown, mkdtemp, open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Ctx } from "../../kernel/index.js";
import { makeFolder, syncPath } from "../../platform/files/index.js";
import type { ImagePhase, PreparedImage, Tell, WorkProgress } from "../driver.js";
import type { Isolation } from "../drivers/host/isolation.js";
import type { RunAs } from "../drivers/host/run-as.js";
import { convertedPart } from "../drivers/host/converted-part.js";
import { runTool } from "../drivers/host/run-tool.js";
import type { RunTool } from "../drivers/host/run-tool.js";
import type { AcceptedData } from "./accepted-data.js";
import { requireSameData } from "./accepted-data.js";
import { downloadImage, expectedHash, viewOf } from "./download.js";
import { ImageErrors } from "./errors.js";
import { converterOf, inspectImage, judgeImage } from "./inspect.js";
import type { Inspection } from "./inspect.js";
import type { ImageFacts, ImageSource } from "./ports.js";
import { SharedWork } from "./shared-work.js";

export interface ImageCacheOptions {
  /** Folder of this agent's base images; guests' user must be able to reach it. Not shared between agents. */
  readonly dir: string;
  readonly source: ImageSource;
  /** How qemu-img is shut in with a stranger's image. */
  readonly isolation: Pick<Isolation, "tool" | "uids">;
  readonly qemuImg?: string;
  /** Largest download, and largest disk after conversion; bytes. */
  readonly maxDownloadBytes?: number;
  readonly maxVirtualBytes?: number;
  readonly convertTimeoutMs?: number;
  readonly run?: RunTool;
}

const TIB = 1024 ** 4;
/** qemu-img needs some 100 MiB of address space; tables of large images some more. */
const CONVERT_ADDRESS_SPACE = 2 * 1024 ** 3;
const MIN_CPU_SECONDS = 60;
/** Slowest conversion that is still honest work. */
const BYTES_PER_CPU_SECOND = 10 * 1024 ** 2;

/**
 * Base images of one host: raw, checked, read-only, one file per image content. Whatever is under its final
 * name is whole and durable; everything else lies in `tmp/` and is thrown away at the next start.
 */
export class ImageCache {
  readonly #options: Required<ImageCacheOptions>;
  /** As whom tools run: a user of this cache alone. */
  #user: RunAs | undefined;
  readonly #work = new SharedWork<PreparedImage, WorkProgress<ImagePhase>>();
  readonly #lastAsked = new Map<string, number>();
  #evicting: Promise<unknown> = Promise.resolve();

  constructor(options: ImageCacheOptions) {
    this.#options = {
      qemuImg: "qemu-img",
      maxDownloadBytes: TIB,
      maxVirtualBytes: 4 * TIB,
      convertTimeoutMs: 3_600_000,
      run: runTool,
      ...options,
    };
  }

  /** Makes the folders and forgets what an earlier agent did not finish. Call before anything else. */
  async start(): Promise<void> {
    await rm(this.#tmp, { recursive: true, force: true });
    // Others may pass through to what they are told the name of.
    makeFolder(this.#options.dir, 0o711);
    makeFolder(this.#tmp, 0o711);
    this.#user = this.#options.isolation.uids?.take(this.#options.dir);
  }

  /**
   * Brings an image onto the host unless it is there: download, check, inspect, convert. Many callers share
   * the work. The base may be used for as long as it is in use by `evict`'s reckoning.
   *
   * @param accepted  what the data must still be
   * @param tell      how far it is, in bytes; nothing when the image is there
   * @throws IMAGE_REFUSED (facts.reasons has the codes), IMAGE_NOT_ACTIVE, IMAGE_REPLACED, IMAGE_DAMAGED,
   *   IMAGE_UNAVAILABLE, IMAGE_NOT_CONVERTIBLE, or what the source throws for an image that does not exist
   * @cost seconds to minutes the first time; one request to the Image service and a stat afterwards
   */
  async prepare(
    ctx: Ctx,
    imageId: string,
    accepted?: AcceptedData,
    tell?: Tell<ImagePhase>,
  ): Promise<PreparedImage> {
    const facts = await this.#options.source.get(ctx, imageId);
    if (accepted !== undefined) requireSameData(facts, accepted);
    if (facts.status !== "active") throw ImageErrors.IMAGE_NOT_ACTIVE({ imageId });
    const path = this.#basePath(facts);
    return (
      (await this.#existing(imageId, path)) ??
      (await this.#work.run(ctx, path, (shared, all) => this.#fetch(shared, facts, path, all), tell))
    );
  }

  /** Whether `prepare` would find it here. */
  async has(ctx: Ctx, imageId: string): Promise<boolean> {
    return await stat(this.#basePath(await this.#options.source.get(ctx, imageId))).then(
      () => true,
      () => false,
    );
  }

  /**
   * Removes bases that no guest uses, that none has used of late and nobody asked for. One that is in use
   * counts as used until now, so that it stays for a while after its last guest.
   *
   * @param usedBy the paths of bases in use now, asked for under the cache's lock. A guest that was prepared
   *                  but is not yet defined is safe because its base was asked for of late.
   * @param minAgeMs  since the last `prepare` or use; Nova's default is a day; may be infinite
   * @returns paths removed
   */
  evict(ctx: Ctx, usedBy: () => Promise<ReadonlySet<string>>, minAgeMs: number): Promise<readonly string[]> {
    const mine = this.#evicting.then(async () => {
      const removed: string[] = [];
      const used = await usedBy();
      for (const name of await readdir(this.#options.dir)) {
        const path = join(this.#options.dir, name);
        if (!name.endsWith(".raw")) continue;
        if (used.has(path)) {
          const now = new Date();
          await utimes(path, now, now);
          continue;
        }
        const { mtimeMs } = await stat(path);
        if (Date.now() - Math.max(mtimeMs, this.#lastAsked.get(path) ?? 0) < minAgeMs) continue;
        // In one go with the look before: a `prepare` in between would hand out what is gone.
        unlinkSync(path);
        this.#lastAsked.delete(path);
        removed.push(path);
        ctx.log.info("compute.image.evicted", { file: name });
      }
      return removed;
    });
    this.#evicting = mine.catch(() => undefined);
    return mine;
  }

  get #tmp(): string {
    return join(this.#options.dir, "tmp");
  }

  #basePath(facts: ImageFacts): string {
    const hash = expectedHash(facts)?.hex ?? `size${facts.sizeBytes ?? 0}`;
    const safe = (text: string): string => text.replace(/[^\w-]/g, "_").slice(0, 64);
    return join(this.#options.dir, `${safe(facts.id)}-${safe(hash).slice(0, 16)}.raw`);
  }

  async #existing(imageId: string, path: string): Promise<PreparedImage | undefined> {
    const now = new Date();
    this.#lastAsked.set(path, now.getTime());
    try {
      // The time of change is the time of last use, also for the next agent; it fails when an eviction was
      // faster.
      await utimes(path, now, now);
      return { imageId, path, virtualSizeBytes: (await stat(path)).size };
    } catch {
      return undefined;
    }
  }

  async #fetch(ctx: Ctx, facts: ImageFacts, path: string, tell: Tell<ImagePhase>): Promise<PreparedImage> {
    const { source, maxDownloadBytes, maxVirtualBytes } = this.#options;
    const started = performance.now();
    const folder = await mkdtemp(join(this.#tmp, "image-"));
    try {
      const data = join(folder, "data");
      await downloadImage(ctx, source, facts, { path: data, maxBytes: maxDownloadBytes, tell });
      const inspection = inspectImage(await viewOf(data));
      const refusals = judgeImage(inspection, facts, { virtualBytes: maxVirtualBytes });
      if (refusals.length > 0) {
        throw ImageErrors.IMAGE_REFUSED({
          imageId: facts.id,
          reasons: refusals.map((r) => r.code).join(","),
          detail: refusals.map((r) => r.text).join("; "),
        });
      }
      const format = converterOf(inspection, facts);
      const raw =
        format === undefined
          ? data
          : await this.#convert(ctx, facts, { ...inspection, format }, { folder, data, tell });
      const sizeBytes = await settle(raw, path);
      ctx.log.info("compute.image.cached", {
        imageId: facts.id,
        format: inspection.format,
        sizeBytes,
        durationMs: Math.round(performance.now() - started),
      });
      return { imageId: facts.id, path, virtualSizeBytes: sizeBytes };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /**
   * The only place where a tool opens a stranger's file: format said, size, memory and time limited, no
   * rights, and nothing else to see. The folder stays ours, so that the tool can put nothing else there.
   */
  async #convert(
    ctx: Ctx,
    facts: ImageFacts,
    inspection: Pick<Inspection, "format" | "virtualSizeBytes">,
    {
      folder,
      data,
      tell,
    }: { readonly folder: string; readonly data: string; readonly tell: Tell<ImagePhase> },
  ): Promise<string> {
    const { qemuImg, run, convertTimeoutMs, maxVirtualBytes, isolation } = this.#options;
    const user = this.#user;
    const raw = join(folder, "raw");
    await (await open(raw, "wx", 0o600)).close();
    if (user) {
      await chmod(folder, 0o711);
      for (const path of [data, raw]) await chown(path, user.uid, user.gid);
    }
    const bytes = (inspection.virtualSizeBytes ?? maxVirtualBytes) + (facts.sizeBytes ?? 0);
    try {
      await run(ctx, [qemuImg, "convert", "-f", inspection.format, "-O", "raw", "-p", data, raw], {
        timeoutMs: convertTimeoutMs,
        onOutput: (text) => {
          const part = convertedPart(text);
          const total = inspection.virtualSizeBytes ?? 0;
          if (part !== undefined) tell({ phase: "image_conversion", done: part * total, total });
        },
        within: isolation.tool({ user, readable: [data], writable: [raw] }),
        limits: {
          addressSpaceBytes: CONVERT_ADDRESS_SPACE,
          fileBytes: maxVirtualBytes,
          cpuSeconds: Math.ceil(MIN_CPU_SECONDS + bytes / BYTES_PER_CPU_SECOND),
        },
      });
    } catch (error) {
      ctx.signal.throwIfAborted();
      throw ImageErrors.IMAGE_NOT_CONVERTIBLE({ imageId: facts.id }, { cause: error });
    }
    return raw;
  }
}

/**
 * Gives a finished file its final name: durable, read-only, owned by the agent. Works on the open file only,
 * so that whatever a tool may have put in its place is found out: a link, or a file with other names.
 * @returns its size
 */
async function settle(file: string, path: string): Promise<number> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size, nlink } = await handle.stat();
    if (nlink !== 1) throw new Error("the converted image has other names");
    if (process.getuid?.() === 0) await handle.chown(0, 0);
    await handle.chmod(0o444);
    const now = new Date();
    await handle.utimes(now, now);
    await handle.sync();
    await rename(file, path);
    await syncPath(dirname(path));
    return size;
  } finally {
    await handle.close();
  }
}
