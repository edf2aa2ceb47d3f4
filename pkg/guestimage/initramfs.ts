import { chmod, copyFile, cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createGzip } from "node:zlib";
import { pipeline } from "node:stream/promises";
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import type { Ctx } from "../kernel/index.js";
import { loadOrder, moduleDependencies, moduleKey, wantedModules } from "./kernel-modules.js";
import { run } from "./run.js";

/** Unpacked Debian packages the guest is made of. */
export interface Ingredients {
  /** Folder with `boot/` and `lib/modules/` of the kernel package. */
  readonly kernelDir: string;
  readonly busyboxDir: string;
  /** Folder with dropbear and its libraries; undefined leaves ssh out. */
  readonly sshDir: string | undefined;
  /** The guest's own files (`assetsDir()`). */
  readonly assets: string;
}

const emptyFolders = [
  "dev",
  "lib/modules",
  "mnt/config",
  "other",
  "persist",
  "proc",
  "root",
  "run",
  "sys",
  "tmp",
  "usr",
  "var/log",
];

/**
 * Builds the guest's root file system and packs it as a gzip-compressed cpio archive.
 * @param workDir  an empty scratch folder
 */
export async function buildInitramfs(
  ctx: Ctx,
  from: Ingredients,
  workDir: string,
  outFile: string,
): Promise<void> {
  const root = join(workDir, "root");
  for (const folder of emptyFolders) await mkdir(join(root, folder), { recursive: true });
  await cp(from.assets, root, { recursive: true });
  await makeScriptsExecutable(root);
  await addBusybox(ctx, from.busyboxDir, root);
  await addModules(ctx, from.kernelDir, root);
  if (from.sshDir !== undefined) await addSsh(from.sshDir, root);
  await pack(ctx, root, join(workDir, "root.cpio"), outFile);
}

/** Not every way of copying a source tree keeps file modes, so the first line decides what is a program. */
async function makeScriptsExecutable(root: string): Promise<void> {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const isScript = (await readFile(path)).subarray(0, 2).toString("latin1") === "#!";
    await chmod(path, isScript ? 0o755 : entry.name === "shadow" ? 0o600 : 0o644);
  }
}

async function addBusybox(ctx: Ctx, busyboxDir: string, root: string): Promise<void> {
  const bin = join(root, "bin");
  await mkdir(bin, { recursive: true });
  await copyFile(join(busyboxDir, "bin", "busybox"), join(bin, "busybox"));
  await chmod(join(bin, "busybox"), 0o755);
  await mkdir(join(root, "sbin"), { recursive: true });
  await symlink("../bin", join(root, "usr", "bin"));
  await symlink("../sbin", join(root, "usr", "sbin"));
  const applets = (await run(ctx, join(bin, "busybox"), ["--list"]))
    .split("\n")
    .filter((name) => name !== "" && name !== "busybox");
  for (const applet of applets) await symlink("busybox", join(bin, applet));
}

/**
 * Copies the wanted modules flat into one folder with a file `order`, so that the guest needs insmod only.
 */
async function addModules(ctx: Ctx, kernelDir: string, root: string): Promise<void> {
  const available = new Map<string, string>();
  for (const entry of await readdir(join(kernelDir, "lib", "modules"), {
    recursive: true,
    withFileTypes: true,
  })) {
    const name = /^(.*)\.ko(\.xz)?$/.exec(entry.name)?.[1];
    if (entry.isFile() && name !== undefined)
      available.set(moduleKey(name), join(entry.parentPath, entry.name));
  }
  const images = new Map<string, Buffer>();
  const unread = [...wantedModules.map(moduleKey)];
  for (let name = unread.pop(); name !== undefined; name = unread.pop()) {
    const path = available.get(name);
    if (path === undefined || images.has(name)) continue;
    const image = await readModule(ctx, path);
    images.set(name, image);
    unread.push(...moduleDependencies(image).map(moduleKey));
  }
  const order = loadOrder(wantedModules, (name) => {
    const image = images.get(name);
    return image && moduleDependencies(image);
  });
  for (const name of order)
    await writeFile(join(root, "lib", "modules", `${name}.ko`), images.get(name) ?? "");
  await writeFile(join(root, "lib", "modules", "order"), order.map((name) => `${name}.ko\n`).join(""));
}

async function readModule(ctx: Ctx, path: string): Promise<Buffer> {
  if (!path.endsWith(".xz")) return readFile(path);
  await run(ctx, "xz", ["--decompress", path]); // Debian 13 packs modules; the folder is our own scratch copy
  return readFile(path.slice(0, -".xz".length));
}

const sshPrograms = [
  ["usr/sbin/dropbear", "sbin/dropbear"],
  ["usr/bin/dropbearkey", "bin/dropbearkey"],
  ["usr/bin/dbclient", "bin/dbclient"],
] as const;
const sshLibraries = [
  "ld-linux-x86-64.so.2",
  "libc.so.6",
  "libcrypt.so.1",
  "libgmp.so.10",
  "libm.so.6",
  "libtomcrypt.so.1",
  "libtommath.so.1",
  "libz.so.1",
];

async function addSsh(sshDir: string, root: string): Promise<void> {
  for (const [source, target] of sshPrograms) {
    await copyFile(join(sshDir, source), join(root, target));
    await chmod(join(root, target), 0o755);
  }
  await symlink("dbclient", join(root, "bin", "ssh"));
  await mkdir(join(root, "lib64"), { recursive: true });
  const libraryDir = join(root, "lib", "x86_64-linux-gnu");
  await mkdir(libraryDir, { recursive: true });
  for (const entry of await readdir(sshDir, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory() || !sshLibraries.includes(entry.name)) continue;
    const target = entry.name.startsWith("ld-linux")
      ? join(root, "lib64", entry.name)
      : join(libraryDir, entry.name);
    await copyFile(join(entry.parentPath, entry.name), target); // follows the link to the versioned file
    await chmod(target, 0o755);
  }
}

async function pack(ctx: Ctx, root: string, archive: string, outFile: string): Promise<void> {
  const names = (await readdir(root, { recursive: true })).sort();
  const list = [".", ...names].map((name) => `${name}\0`).join("");
  await run(
    ctx,
    "cpio",
    ["--null", "--create", "--format=newc", "--owner=0:0", "--reproducible", "--quiet", `--file=${archive}`],
    { cwd: root, stdin: list },
  );
  await pipeline(createReadStream(archive), createGzip({ level: 9 }), createWriteStream(outFile), {
    signal: ctx.signal,
  });
}

/** The kernel image inside an unpacked kernel package. */
export async function kernelImage(kernelDir: string): Promise<string> {
  const name = (await readdir(join(kernelDir, "boot"))).find((file) => file.startsWith("vmlinuz-"));
  if (name === undefined) throw new Error(`no kernel image in ${kernelDir}/boot`);
  return join(kernelDir, "boot", name);
}
