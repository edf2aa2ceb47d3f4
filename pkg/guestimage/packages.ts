import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Ctx } from "../kernel/index.js";
import { GuestImageErrors } from "./errors.js";
import { run } from "./run.js";

/** The meta package whose dependency is Debian's current kernel for virtual machines. */
const kernelMetaPackage = "linux-image-cloud-amd64";

/** dropbear and every shared library it is linked with. */
export const sshPackages = [
  "dropbear-bin",
  "libc6",
  "libcrypt1",
  "libgmp10",
  "libtomcrypt1",
  "libtommath1",
  "zlib1g",
] as const;

/**
 * Where apt keeps its lists: the system's own, or private ones made because the system has none (as in
 * container images).
 */
interface Apt {
  readonly options: readonly string[];
}

/**
 * Fetches Debian packages into a folder; what is there already is not fetched again, so a filled cache works
 * offline.
 */
export interface PackageSource {
  /** The name of the current kernel's package, e.g. `linux-image-6.1.0-56-cloud-amd64`. */
  kernelPackage(): Promise<string>;
  /** @returns the path of the package's .deb file */
  fetch(name: string): Promise<string>;
}

/** @param cacheDir  writable; keeps .deb files and, if needed, private apt lists */
export function debianPackages(ctx: Ctx, cacheDir: string): PackageSource {
  let apt: Promise<Apt> | undefined;
  const ready = (): Promise<Apt> => (apt ??= findApt(ctx, cacheDir));
  return {
    kernelPackage: async () => {
      const cached = (await debNames(cacheDir))
        .map((file) => /^(linux-image-[0-9][^_]*)_/.exec(file)?.[1])
        .find((name) => name !== undefined);
      return cached ?? kernelOf(ctx, await ready());
    },
    fetch: async (name) => {
      const cached = await findDeb(cacheDir, name);
      return cached ?? download(ctx, await ready(), cacheDir, name);
    },
  };
}

/**
 * Downloads packages with everything that they depend on, whatever this machine has installed.
 * @param cacheDir  as for `debianPackages`; nothing is kept there but apt's lists
 * @param dir  an empty folder for the .deb files
 * @returns their paths
 * @throws PACKAGE_UNAVAILABLE
 */
export async function fetchWithDependencies(
  ctx: Ctx,
  cacheDir: string,
  names: readonly string[],
  dir: string,
): Promise<readonly string[]> {
  const { options } = await findApt(ctx, cacheDir);
  await mkdir(join(dir, "partial"), { recursive: true });
  await run(ctx, "apt-get", [
    ...options,
    "-o",
    "Dir::State::status=/dev/null",
    "-o",
    `Dir::Cache::archives=${dir}`,
    "-o",
    "APT::Install-Recommends=false",
    "-q",
    "-y",
    "--download-only",
    "install",
    ...names,
  ]).catch((error: unknown) => {
    throw GuestImageErrors.PACKAGE_UNAVAILABLE(
      { name: names.join(" "), detail: "apt-get install --download-only failed" },
      { cause: error },
    );
  });
  return (await debNames(dir)).map((file) => join(dir, file));
}

async function kernelOf(ctx: Ctx, apt: Apt): Promise<string> {
  const text = await run(ctx, "apt-cache", [...apt.options, "depends", kernelMetaPackage]);
  const name = /^\s*Depends: (linux-image-\S+)$/m.exec(text)?.[1];
  if (name === undefined)
    throw GuestImageErrors.PACKAGE_UNAVAILABLE({ name: kernelMetaPackage, detail: "apt does not know it" });
  return name;
}

async function findApt(ctx: Ctx, cacheDir: string): Promise<Apt> {
  // Downloading as root, apt would switch to a user who may not write to the cache folder.
  const common = ["-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=1"];
  const known = await run(ctx, "apt-cache", ["policy", kernelMetaPackage]);
  if (/Candidate: (?!\(none\))\S/.test(known)) return { options: common };
  const state = join(cacheDir, "apt");
  await mkdir(join(state, "lists", "partial"), { recursive: true });
  await mkdir(join(state, "cache", "archives", "partial"), { recursive: true });
  const options = [
    ...common,
    "-o",
    `Dir::State::Lists=${join(state, "lists")}`,
    "-o",
    `Dir::Cache=${join(state, "cache")}`,
  ];
  await run(ctx, "apt-get", [...options, "-q", "update"]).catch((error: unknown) => {
    throw GuestImageErrors.PACKAGE_UNAVAILABLE(
      { name: kernelMetaPackage, detail: "apt-get update failed" },
      { cause: error },
    );
  });
  return { options };
}

async function download(ctx: Ctx, apt: Apt, cacheDir: string, name: string): Promise<string> {
  // Into a folder of its own first: a download cut short must not look like a cached package.
  const partial = await mkdtemp(join(cacheDir, "partial-"));
  try {
    await run(ctx, "apt-get", [...apt.options, "-q", "download", name], { cwd: partial });
    const file = (await debNames(partial))[0];
    if (file === undefined)
      throw GuestImageErrors.PACKAGE_UNAVAILABLE({ name, detail: "apt-get download left no file" });
    await rename(join(partial, file), join(cacheDir, file));
    return join(cacheDir, file);
  } catch (error) {
    throw GuestImageErrors.PACKAGE_UNAVAILABLE({ name, detail: "apt-get download failed" }, { cause: error });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function findDeb(dir: string, name: string): Promise<string | undefined> {
  const file = (await debNames(dir)).find((candidate) => candidate.startsWith(`${name}_`));
  return file === undefined ? undefined : join(dir, file);
}

const debNames = async (dir: string): Promise<string[]> =>
  (await readdir(dir))
    .filter((file) => file.endsWith(".deb"))
    .sort()
    .reverse();
