import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ctx, Logger } from "../kernel/index.js";
import { KilonovaError } from "../kernel/index.js";
import { assetsDir } from "./assets.js";
import { buildDisk } from "./disk.js";
import { GuestImageErrors } from "./errors.js";
import { buildInitramfs, kernelImage } from "./initramfs.js";
import type { Ingredients } from "./initramfs.js";
import type { PackageSource } from "./packages.js";
import { debianPackages, sshPackages } from "./packages.js";
import { run } from "./run.js";
import { missingTools } from "./tools.js";

/**
 * Raise when the way of building changes, so that existing images are built anew. The guest's own files count
 * by themselves.
 */
const recipeVersion = 2;

export interface GuestImageOptions {
  /** Gets `manifest.json` and a folder with the image's three files. */
  readonly outDir: string;
  /** Keeps downloaded packages; may be shared between builds. */
  readonly cacheDir: string;
  readonly log: Logger;
  /** Called at each step with words for a person, e.g. `fetching linux-image-…`. */
  readonly onProgress?: (step: string) => void;
}

export interface GuestImage {
  readonly qcow2Path: string;
  /** For images that boot with kernel_id and ramdisk_id instead of their own loader. */
  readonly kernelPath: string;
  readonly ramdiskPath: string;
  /** Size of the qcow2 file; its virtual disk is under 64 MiB and fits any flavor. */
  readonly sizeBytes: number;
  /** Hex digest of the qcow2 file. Two builds of the same inputs differ, so publish it but never pin it. */
  readonly sha512: string;
}

/**
 * Builds the small Linux guest (kernel, busybox and dropbear from Debian packages, own init) that Kilonova
 * boots in its demo cloud and its tests; returns the earlier result when nothing that goes into it has
 * changed.
 * @throws TOOLS_MISSING, PACKAGE_UNAVAILABLE, TOOL_FAILED
 * @cost  5 s and 32 MB of downloads the first time, some milliseconds after that; needs no root rights
 */
export async function buildGuestImage(ctx: Ctx, options: GuestImageOptions): Promise<GuestImage> {
  const assets = assetsDir();
  const inputs = await inputsDigest(assets);
  const earlier = await findEarlier(options.outDir, inputs);
  if (earlier) return earlier;
  const missing = missingTools();
  if (missing.length > 0) {
    throw GuestImageErrors.TOOLS_MISSING({
      tools: missing.map((tool) => tool.name).join(", "),
      packages: [...new Set(missing.map((tool) => tool.debianPackage))].join(" "),
    });
  }
  await mkdir(options.outDir, { recursive: true });
  await mkdir(options.cacheDir, { recursive: true });
  // Beside the results, so that moving them into place is one rename on one file system.
  const work = await mkdtemp(join(options.outDir, "build-"));
  try {
    return await build(ctx, options, { assets, inputs, work });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function build(
  ctx: Ctx,
  options: GuestImageOptions,
  at: { assets: string; inputs: string; work: string },
): Promise<GuestImage> {
  const started = Date.now();
  const say = options.onProgress ?? (() => undefined);
  const from = await unpackIngredients(ctx, debianPackages(ctx, options.cacheDir), at, {
    say,
    log: options.log,
  });
  const result = join(at.work, "result");
  await mkdir(result);
  say("packing the root file system");
  const kernel = join(result, "vmlinuz");
  const initrd = join(result, "initrd.img");
  await copyFile(await kernelImage(from.kernelDir), kernel);
  await buildInitramfs(ctx, from, at.work, initrd);
  say("making the disk");
  const qcow2 = join(result, "guest.qcow2");
  await buildDisk(ctx, { kernel, initrd }, at.work, qcow2);
  const image = await publish(options.outDir, at, {
    sizeBytes: (await stat(qcow2)).size,
    sha512: await sha512Of(qcow2),
  });
  options.log.info("guestimage.build.done", {
    sizeBytes: image.sizeBytes,
    ssh: from.sshDir !== undefined,
    durationMs: Date.now() - started,
  });
  return image;
}

/**
 * Moves the result into a folder named by its digest and points the manifest at it. Processes that build at
 * the same time thus never mix their files; the last manifest wins.
 */
async function publish(
  outDir: string,
  at: { inputs: string; work: string },
  facts: { sizeBytes: number; sha512: string },
): Promise<GuestImage> {
  const before = await readManifest(outDir);
  const manifest: Manifest = { inputs: at.inputs, folder: facts.sha512.slice(0, 16), ...facts };
  await rename(join(at.work, "result"), join(outDir, manifest.folder));
  const draft = join(at.work, "manifest.json");
  await writeFile(draft, `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(draft, join(outDir, "manifest.json"));
  if (before && before.folder !== manifest.folder)
    await rm(join(outDir, before.folder), { recursive: true, force: true });
  return imageOf(outDir, manifest);
}

async function unpackIngredients(
  ctx: Ctx,
  packages: PackageSource,
  at: { assets: string; work: string },
  out: { say: (step: string) => void; log: Logger },
): Promise<Ingredients> {
  const unpack = async (names: readonly string[], folder: string): Promise<string> => {
    const dir = join(at.work, folder);
    await mkdir(dir);
    for (const name of names) {
      out.say(`fetching ${name}`);
      await run(ctx, "dpkg", ["-x", await packages.fetch(name), dir]);
    }
    return dir;
  };
  const kernelDir = await unpack([await packages.kernelPackage()], "kernel");
  const busyboxDir = await unpack(["busybox-static"], "busybox");
  const sshDir = await unpack(sshPackages, "ssh").catch((error: unknown) => {
    if (!(error instanceof KilonovaError && error.reason === "PACKAGE_UNAVAILABLE")) throw error;
    out.log.warn("guestimage.ssh.left_out", { error }); // the guest is still useful without its ssh server
    return undefined;
  });
  return { kernelDir, busyboxDir, sshDir, assets: at.assets };
}

/** What the last build left behind. */
interface Manifest {
  readonly inputs: string;
  /** Name of the folder beside the manifest that holds the files. */
  readonly folder: string;
  readonly sizeBytes: number;
  readonly sha512: string;
}

function imageOf(outDir: string, manifest: Manifest): GuestImage {
  const at = (name: string): string => join(outDir, manifest.folder, name);
  return {
    qcow2Path: at("guest.qcow2"),
    kernelPath: at("vmlinuz"),
    ramdiskPath: at("initrd.img"),
    sizeBytes: manifest.sizeBytes,
    sha512: manifest.sha512,
  };
}

/** The earlier result, if it was made of the same inputs and its files are still there. */
async function findEarlier(outDir: string, inputs: string): Promise<GuestImage | undefined> {
  const manifest = await readManifest(outDir);
  if (manifest?.inputs !== inputs) return undefined;
  const image = imageOf(outDir, manifest);
  const sizes = await Promise.all([image.qcow2Path, image.kernelPath, image.ramdiskPath].map(sizeOf));
  return sizes[0] === manifest.sizeBytes && !sizes.includes(undefined) ? image : undefined;
}

const sizeOf = async (path: string): Promise<number | undefined> =>
  (await stat(path).catch(() => undefined))?.size;

/** @returns undefined when there is none or it is damaged: both mean to build anew */
async function readManifest(outDir: string): Promise<Manifest | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(join(outDir, "manifest.json"), "utf8"));
    return isManifest(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== "object" || value === null) return false;
  const { inputs, folder, sizeBytes, sha512 } = value as Partial<Record<keyof Manifest, unknown>>;
  return (
    typeof inputs === "string" &&
    typeof folder === "string" &&
    /^[0-9a-f]{16}$/.test(folder) &&
    typeof sizeBytes === "number" &&
    typeof sha512 === "string"
  );
}

/**
 * Names the inputs that are ours. Package versions are left out on purpose: a kernel update upstream is no
 * reason to rebuild.
 */
async function inputsDigest(assets: string): Promise<string> {
  const hash = createHash("sha256").update(`recipe ${recipeVersion}\0`);
  for (const name of (await readdir(assets, { recursive: true })).sort()) {
    const path = join(assets, name);
    if ((await stat(path)).isFile())
      hash
        .update(`${name}\0`)
        .update(await readFile(path))
        .update("\0");
  }
  return hash.digest("hex");
}

async function sha512Of(path: string): Promise<string> {
  const hash = createHash("sha512");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
