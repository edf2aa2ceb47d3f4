import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "./paths.mjs";

const stamp = join(root, "dist", ".inputs");

/** Names, sizes and times of everything that goes into the build. @cost a stat per file, some 20 ms */
function fingerprint() {
  const hash = createHash("sha256").update(readFileSync(join(root, "package-lock.json")));
  const visit = (dir) => {
    for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts")) {
        const { size, mtimeMs } = statSync(path);
        hash.update(`${relative(root, path)}\0${size}\0${mtimeMs}\n`);
      }
    }
  };
  for (const dir of ["cmd", "pkg", "gen"]) visit(join(root, dir));
  return hash.digest("hex");
}

export const buildReady = () => existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint();

/** Bundles everything into `dist/` unless that is fresh already. */
export async function build() {
  if (buildReady()) return;
  const before = fingerprint();
  rmSync(join(root, "dist"), { recursive: true, force: true });
  await bundle("dist");
  writeFileSync(stamp, before);
}

/**
 * Bundles each program of `cmd/` and each worker into `outdir`, which must lie inside the project: npm
 * packages stay outside.
 */
export async function bundle(outdir) {
  const { build: esbuild, stop } = await import("esbuild");
  const programs = readdirSync(join(root, "cmd")).filter((name) =>
    existsSync(join(root, "cmd", name, "main.ts")),
  );
  await esbuild({
    absWorkingDir: root,
    entryPoints: [
      ...programs.map((name) => ({ in: `cmd/${name}/main.ts`, out: name })),
      ...workers().map(({ file, out }) => ({ in: file, out })),
    ],
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    sourcemap: true,
    chunkNames: "chunks/[name]-[hash]",
    logLevel: "warning",
  });
  // Else its process stays as long as ours, with all that it has read in memory: the cloud goes on in this
  // very process.
  await stop();
}

/**
 * Threads have entry files of their own: every `worker.ts` in a folder `worker/`, named after the folder
 * around it.
 */
function workers() {
  const found = [];
  const visit = (dir) => {
    for (const entry of readdirSync(join(root, dir), { withFileTypes: true })) {
      if (entry.isDirectory()) visit(`${dir}/${entry.name}`);
      else if (entry.name === "worker.ts")
        found.push({
          file: `${dir}/${entry.name}`,
          out: `${dir
            .replace(/\/worker$/, "")
            .split("/")
            .at(-1)}-worker`,
        });
    }
  };
  visit("pkg");
  return found;
}
