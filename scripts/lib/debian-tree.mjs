// Debian packages for users who may not install any: downloaded, unpacked into a folder of the project, and
// run from there.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { root } from "./paths.mjs";
import { run } from "./run.mjs";

const base = join(root, ".cache", "debian");
const stamp = join(base, "packages");

const tree = join(base, "tree");
const wrappers = join(base, "bin");

const isDirectory = (path) => existsSync(path) && statSync(path).isDirectory();
const unpacked = () => (existsSync(stamp) ? readFileSync(stamp, "utf8").split("\n").filter(Boolean) : []);

/** Whether a package of that name was unpacked whole. */
export const inTree = (name) => unpacked().includes(name);

/** Lets this process and its children find what was unpacked. Does nothing where nothing was. */
export function useTree() {
  if (!existsSync(stamp)) return;
  process.env.PATH = `${wrappers}${delimiter}${process.env.PATH ?? "/usr/bin:/bin"}`;
  process.env.KILONOVA_DEBIAN = base;
}

/**
 * Unpacks Debian packages with all that they depend on and this machine lacks. Needs apt and dpkg, no rights,
 * and no maintainer script runs.
 */
export async function unpackPackages(names, note) {
  const archives = join(base, "archives");
  for (const dir of [join(base, "lists", "partial"), join(archives, "partial")])
    mkdirSync(dir, { recursive: true });
  const apt = (...args) =>
    run(
      "apt-get",
      [
        "-q",
        "-y",
        "-o",
        "Debug::NoLocking=1",
        "-o",
        `Dir::State::lists=${join(base, "lists")}`,
        "-o",
        `Dir::Cache=${base}`,
        "-o",
        `Dir::Cache::archives=${archives}`,
        "-o",
        "APT::Keep-Downloaded-Packages=true",
        ...args,
      ],
      { env: { DEBIAN_FRONTEND: "noninteractive" }, onLine: note },
    );
  const all = [...new Set([...unpacked(), ...names])];
  await apt("update");
  await apt("--no-install-recommends", "--download-only", "install", ...all);
  rmSync(stamp, { force: true });
  rmSync(tree, { recursive: true, force: true });
  for (const file of readdirSync(archives).filter((name) => name.endsWith(".deb"))) {
    note(file);
    await run("dpkg", ["-x", join(archives, file), tree]);
  }
  writeWrappers();
  writeFileSync(stamp, `${all.join("\n")}\n`);
  useTree();
}

/**
 * One small script per program, so that only the programs of the tree look for libraries and modules there.
 * QEMU and others find their data beside themselves.
 */
function writeWrappers() {
  rmSync(wrappers, { recursive: true, force: true });
  mkdirSync(wrappers, { recursive: true });
  const libraries = libraryFolders().join(":");
  const python = existsSync(join(tree, "usr/bin/python3"));
  for (const dir of programFolders()) {
    for (const name of readdirSync(dir)) {
      const program = join(dir, name);
      if (!existsSync(program) || !statSync(program).isFile() || (statSync(program).mode & 0o111) === 0)
        continue;
      const lines = ["#!/bin/sh", `LD_LIBRARY_PATH='${libraries}' export LD_LIBRARY_PATH`];
      if (isPython(program))
        lines.push(
          `PYTHONPATH='${join(tree, "usr/lib/python3/dist-packages")}' export PYTHONPATH`,
          `exec ${python ? `'${join(tree, "usr/bin/python3")}'` : "/usr/bin/python3"} '${program}' "$@"`,
        );
      // under the name it was called by: mtools and others go by it
      else lines.push(`exec '${program}' "$@"`);
      const wrapper = join(wrappers, name);
      writeFileSync(wrapper, `${lines.join("\n")}\n`);
      chmodSync(wrapper, 0o755);
    }
  }
}

/**
 * Where packages keep programs: Debian's PostgreSQL has a folder per version, and Chromium is in one of its
 * own, since what stands in usr/bin looks for it outside the tree.
 */
function programFolders() {
  const postgres = join(tree, "usr/lib/postgresql");
  const versions = isDirectory(postgres)
    ? readdirSync(postgres).map((version) => `usr/lib/postgresql/${version}/bin`)
    : [];
  return ["usr/sbin", "sbin", "usr/bin", "bin", "usr/lib/chromium", ...versions]
    .map((name) => join(tree, name))
    .filter(isDirectory);
}

function isPython(program) {
  const head = readFileSync(program).subarray(0, 64).toString("latin1");
  return /^#!.*python3/.test(head.split("\n")[0]);
}

/**
 * Every folder of the tree that holds shared libraries: some packages keep private ones below their own name.
 */
function libraryFolders() {
  const found = [];
  const visit = (dir, depth) => {
    const entries = readdirSync(dir, { withFileTypes: true });
    if (entries.some((entry) => /\.so(\.|$)/.test(entry.name))) found.push(dir);
    if (depth > 0)
      for (const entry of entries) if (entry.isDirectory()) visit(join(dir, entry.name), depth - 1);
  };
  for (const dir of ["lib", "usr/lib"].map((name) => join(tree, name)).filter(isDirectory)) {
    for (const entry of readdirSync(dir, { withFileTypes: true }))
      if (entry.isDirectory() && entry.name.includes("-linux-gnu")) visit(join(dir, entry.name), 1);
  }
  return found;
}
