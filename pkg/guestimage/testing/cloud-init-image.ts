import { createHash } from "node:crypto";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Ctx } from "../../kernel/index.js";
import { rootCtx } from "../../kernel/index.js";
import { fetchWithDependencies } from "../packages.js";
import { run } from "../run.js";
import { testGuestImage } from "./test-image.js";

/**
 * A small Debian with Debian's own cloud-init, booted with kernel and ramdisk of the test guest
 * (`root=/dev/vda`).
 */
export interface CloudInitImage {
  readonly qcow2Path: string;
  readonly kernelPath: string;
  readonly ramdiskPath: string;
}

/** Raise when the way of building changes; the files in `cloud-init/` count by themselves. */
const recipeVersion = 1;
const assets = join(dirname(fileURLToPath(import.meta.url)), "cloud-init");
const ownFiles = [
  ["init", "usr/sbin/init"],
  ["90_test_guest.cfg", "etc/cloud/cloud.cfg.d/90_test_guest.cfg"],
] as const;

/** cloud-init, what it calls, and what a Debian without an installer's help needs to run a script. */
const packages = [
  "cloud-init",
  "base-files",
  "base-passwd",
  "bash",
  "coreutils",
  "dash",
  "e2fsprogs",
  "findutils",
  "grep",
  "hostname",
  "ifupdown",
  "iproute2",
  "isc-dhcp-client",
  "libc-bin",
  "login",
  "mawk",
  "mount",
  "net-tools",
  "openssh-client",
  "passwd",
  "procps",
  "python3-minimal",
  "sed",
  "util-linux",
  "util-linux-extra",
];
const left = [
  "./usr/share/doc",
  "./usr/share/man",
  "./usr/share/locale",
  "./usr/share/i18n",
  "./usr/share/perl",
  "./usr/lib/x86_64-linux-gnu/perl",
];
const IMAGE_BYTES = 320 << 20;

let building: Promise<CloudInitImage> | undefined;

/**
 * The image, built once into the project's `.cache/guestimage/cloud-init`. Packages are unpacked, never
 * installed: nothing of them is left on this machine, and no root rights are needed.
 * @cost the first time 55 MB of downloads and half a minute
 */
export const cloudInitImage = (): Promise<CloudInitImage> =>
  (building ??= findOrBuild(rootCtx({ requestId: "req-test" })));

async function findOrBuild(ctx: Ctx): Promise<CloudInitImage> {
  const { kernelPath, ramdiskPath } = await testGuestImage();
  const cache = dirname(dirname(kernelPath));
  const dir = join(cache, "cloud-init");
  await mkdir(dir, { recursive: true });
  const qcow2Path = join(dir, `${await inputsDigest()}.qcow2`);
  if (
    await stat(qcow2Path).then(
      () => false,
      () => true,
    )
  )
    await build(ctx, join(cache, "packages"), dir, qcow2Path);
  return { qcow2Path, kernelPath, ramdiskPath };
}

async function inputsDigest(): Promise<string> {
  const hash = createHash("sha256").update(`${recipeVersion} ${packages.join(" ")}`);
  for (const [name] of ownFiles) hash.update(await readFile(join(assets, name)));
  return hash.digest("hex").slice(0, 16);
}

async function build(ctx: Ctx, cacheDir: string, dir: string, qcow2Path: string): Promise<void> {
  const work = await mkdtemp(join(dir, "build-"));
  try {
    const root = join(work, "root");
    await makeMergedRoot(root);
    for (const deb of await fetchWithDependencies(ctx, cacheDir, packages, join(work, "debs"))) {
      const tar = join(work, "fs.tar");
      await run(ctx, "sh", ["-c", 'exec dpkg-deb --fsys-tarfile "$1" > "$2"', "sh", deb, tar]);
      await run(ctx, "tar", [
        "-x",
        "-f",
        tar,
        "-C",
        root,
        "--keep-directory-symlink",
        "--no-same-owner",
        ...left.map((path) => `--exclude=${path}`),
      ]);
    }
    await configure(root);
    await compilePython(ctx, root);
    const raw = join(work, "root.raw");
    await open(raw, "w").then(async (file) => {
      await file.truncate(IMAGE_BYTES);
      await file.close();
    });
    await run(ctx, "mke2fs", [
      "-q",
      "-F",
      "-t",
      "ext4",
      "-O",
      "^has_journal",
      "-E",
      "nodiscard,root_owner=0:0",
      "-d",
      root,
      raw,
    ]);
    await run(ctx, "qemu-img", ["convert", "-c", "-f", "raw", "-O", "qcow2", raw, join(work, "root.qcow2")]);
    await rename(join(work, "root.qcow2"), qcow2Path);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** `/bin` and its like are links into `/usr`, as in every Debian since 12. */
async function makeMergedRoot(root: string): Promise<void> {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    await mkdir(join(root, "usr", name), { recursive: true });
    await symlink(`usr/${name}`, join(root, name));
  }
}

/**
 * What the packages' own scripts would have done: accounts, PAM, name service, alternatives, a loopback
 * interface.
 */
async function configure(root: string): Promise<void> {
  const at = (path: string): string => join(root, path);
  for (const name of ["passwd", "group"] as const) {
    const master = await readFile(at(`usr/share/base-passwd/${name}.master`), "utf8");
    await writeFile(at(`etc/${name}`), master);
    const shadow = name === "passwd" ? ":*:19000:0:99999:7:::" : ":*::";
    await writeFile(
      at(name === "passwd" ? "etc/shadow" : "etc/gshadow"),
      master.replaceAll(/^([^:\n]+):.*$/gm, `$1${shadow}`),
      { mode: 0o600 },
    );
  }
  for (const kind of ["auth", "account", "password", "session", "session-noninteractive"]) {
    await writeFile(at(`etc/pam.d/common-${kind}`), `${kind.split("-")[0] ?? ""} sufficient pam_permit.so\n`);
  }
  await symlink("mawk", at("usr/bin/awk"));
  await mkdir(at("etc/network/interfaces.d"), { recursive: true });
  await mkdir(at("var/lib/dhcp"), { recursive: true });
  await writeFile(
    at("etc/network/interfaces"),
    "auto lo\niface lo inet loopback\nsource /etc/network/interfaces.d/*\n",
  );
  await writeFile(at("etc/hostname"), "localhost\n");
  await writeFile(at("etc/hosts"), "127.0.0.1 localhost\n");
  await writeFile(at("etc/nsswitch.conf"), "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n");
  await writeFile(at("etc/fstab"), "");
  await rm(at("usr/sbin/init"), { force: true });
  for (const [from, to] of ownFiles) await copyFile(join(assets, from), at(to));
  await chmod(at("usr/sbin/init"), 0o755);
}

/**
 * With the image's own Python, whatever this machine has: an emulated guest would take longer to compile than
 * to run.
 */
async function compilePython(ctx: Ctx, root: string): Promise<void> {
  const library = join(root, "usr", "lib");
  const versions = (await readdir(library))
    .filter((name) => name.startsWith("python3"))
    .map((name) => join(library, name));
  await run(
    ctx,
    join(root, "usr/lib64/ld-linux-x86-64.so.2"),
    [
      "--library-path",
      join(library, "x86_64-linux-gnu"),
      join(root, "usr/bin/python3"),
      "-m",
      "compileall",
      "-q",
      "-s",
      root,
      ...versions,
    ],
    { env: { PYTHONHOME: join(root, "usr") } },
  );
}
