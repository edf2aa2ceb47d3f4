import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { serverAccount } from "../../pkg/platform/postgres/account.js";
import { startOf } from "../../pkg/platform/process/lock-file.js";
import { startEntry } from "../../pkg/testkit/processes.js";
import type { EntryProcess } from "../../pkg/testkit/processes.js";
import { until } from "../../pkg/testkit/until.js";

interface Ready {
  ok: boolean;
  marks: number;
  /** Whether the role may do more than own its database. */
  mayMore: boolean;
  adopted: boolean;
  pid: number;
  connection: { host: string };
}
const PG_CLIENT = pathToFileURL(createRequire(import.meta.url).resolve("pg")).href;
const ENTRY = new URL("./entries/postgres-owner.ts", import.meta.url);
const amRoot = process.getuid?.() === 0;

interface Way {
  readonly name: string;
  readonly account?: { uid: number; gid: number };
  readonly mode: number;
}
/**
 * Root in a closed directory (the server's account cannot reach it), root in an open one, and an ordinary
 * user.
 */
const ways: readonly Way[] = amRoot
  ? [
      { name: "root, state directory closed to others", mode: 0o700 },
      { name: "root, state directory open", mode: 0o755 },
      { name: "an ordinary user", account: { uid: 65534, gid: 65534 }, mode: 0o700 },
    ]
  : [{ name: "an ordinary user", mode: 0o700 }];

for (const way of ways) {
  describe(`embedded PostgreSQL as ${way.name}`, () => {
    let dir: string;
    let stateDir: string;
    let owner: EntryProcess | undefined;
    const pids = new Set<number>();

    before(async () => {
      dir = await mkdtemp("/tmp/kilonova-embedded-");
      stateDir = join(dir, "state");
      await mkdir(stateDir);
      for (const path of [dir, stateDir]) {
        await chmod(path, way.mode);
        if (way.account !== undefined) await chown(path, way.account.uid, way.account.gid);
      }
    });

    afterEach(() => owner?.kill());

    after(async () => {
      for (const pid of pids) if ((await startOf(pid)) !== undefined) process.kill(pid, "SIGQUIT");
      await until(async () =>
        (await Promise.all([...pids].map(startOf))).every((started) => started === undefined),
      );
      const record = JSON.parse(await readFile(join(stateDir, "postgres.json"), "utf8")) as {
        base: string;
        socketDir: string;
      };
      for (const base of [record.base, `${record.base}.orphan`])
        await rm(base, { recursive: true, force: true });
      await rm(record.socketDir, { recursive: true, force: true });
      await rm(dir, { recursive: true });
    });

    async function start(): Promise<Ready> {
      owner = await startEntry(ENTRY, {
        args: [stateDir],
        ...(way.account === undefined ? {} : { account: way.account }),
      });
      const ready = JSON.parse(owner.readyLine) as Ready;
      pids.add(ready.pid);
      assert.equal(ready.ok, true);
      return ready;
    }

    async function stop(): Promise<void> {
      owner?.send("SIGTERM");
      assert.deepEqual(await owner?.ended, { code: 0, signal: null });
    }

    it("creates a database on the first start and stops without a trace of a process", async () => {
      const ready = await start();
      assert.deepEqual([ready.marks, ready.adopted], [1, false]);
      await stop();
      assert.equal(await startOf(ready.pid), undefined);
    });

    it("starts warm and finds the data again", async () => {
      const ready = await start();
      assert.equal(ready.marks, 2);
      await stop();
    });

    it("refuses a second owner while the first lives", async () => {
      await start();
      await assert.rejects(
        startEntry(ENTRY, {
          args: [stateDir],
          ...(way.account === undefined ? {} : { account: way.account }),
        }),
        /already using/,
      );
      await stop();
    });

    it("adopts the server that outlived a killed owner, and stops it in the end", async () => {
      const before = await start();
      await owner?.kill();
      assert.notEqual(await startOf(before.pid), undefined);
      const ready = await start();
      assert.deepEqual([ready.adopted, ready.pid, ready.marks], [true, before.pid, before.marks + 1]);
      await stop();
      assert.equal(await startOf(ready.pid), undefined);
    });

    it("recovers when server and owner were both killed", async () => {
      const before = await start();
      await owner?.kill();
      process.kill(before.pid, "SIGKILL");
      const ready = await start();
      assert.deepEqual([ready.adopted, ready.marks], [false, before.marks + 1]);
      await stop();
    });

    it("starts over the pid file of a number that now belongs to another process", async () => {
      const before = await start();
      await owner?.kill();
      process.kill(before.pid, "SIGKILL");
      await until(async () => (await startOf(before.pid)) === undefined);
      const record = JSON.parse(await readFile(join(stateDir, "postgres.json"), "utf8")) as { base: string };
      const file = join(record.base, "data", "postmaster.pid");
      await writeFile(file, (await readFile(file, "utf8")).replace(/^\d+/, String(process.pid)));
      assert.equal((await start()).marks, before.marks + 1);
      await stop();
    });

    it("starts the server again when it dies", async () => {
      const before = await start();
      process.kill(before.pid, "SIGKILL");
      const record = JSON.parse(await readFile(join(stateDir, "postgres.json"), "utf8")) as { base: string };
      const pid = await until(
        async () => {
          const [first, , , , , , , status] = (
            await readFile(join(record.base, "data", "postmaster.pid"), "utf8")
          ).split("\n");
          return Number(first) !== before.pid && status?.trim() === "ready" && Number(first);
        },
        { timeoutMs: 60_000, what: "the restarted server" },
      );
      pids.add(pid);
      await stop();
      assert.equal(await startOf(pid), undefined);
    });

    it("lets nobody else in, and nobody in as superuser", async () => {
      const ready = await start();
      assert.equal(ready.mayMore, false);
      if (way.account === undefined) assert.equal(await logsIn(ready.connection.host, {}, "postgres"), false);
      const { mode, uid } = await stat(ready.connection.host);
      assert.equal(mode & 0o777, 0o700);
      assert.equal(uid, way.account?.uid ?? serverAccount().uid);
      if (amRoot && way.account === undefined) {
        // The account that root lent can reach the socket, but the kernel tells the server that it is not
        // root.
        const { uid: lent, gid } = serverAccount();
        assert.equal(await logsIn(ready.connection.host, {}), true);
        assert.equal(await logsIn(ready.connection.host, { uid: lent, gid }), false);
      }
      await stop();
    });

    it("begins anew when the state directory was deleted", async () => {
      await rm(stateDir, { recursive: true });
      assert.deepEqual(await start().then(({ marks, adopted }) => [marks, adopted]), [1, false]);
      await stop();
    });

    it("goes on from a first start that was killed: the folder not given to the server's account, the database half made", async () => {
      const { base } = JSON.parse(await readFile(join(stateDir, "postgres.json"), "utf8")) as {
        base: string;
      };
      await rm(join(base, "data"), { recursive: true });
      const draft = join(base, "data.new-1");
      await mkdir(draft);
      await writeFile(join(draft, "PG_VERSION"), "18\n");
      if (way.account !== undefined) await chown(draft, way.account.uid, way.account.gid);
      if (amRoot && way.account === undefined) await chown(base, 0, 0);
      assert.deepEqual(await start().then(({ marks, adopted }) => [marks, adopted]), [1, false]);
      await stop();
      assert.deepEqual(
        (await readdir(base)).filter((name) => name.startsWith("data")),
        ["data"],
      );
    });

    it("leaves one lock file and no drafts behind", async () => {
      const names = await readdir(stateDir);
      assert.equal(names.filter((name) => name.startsWith("postgres.lock")).length, 1);
      assert.equal(
        names.some((name) => name.includes(".tmp") || name.startsWith(".")),
        false,
      );
    });
  });
}

/** Whether a whole login works for an account. */
async function logsIn(host: string, account: object, user = "kilonova"): Promise<boolean> {
  const script = `import pg from ${JSON.stringify(PG_CLIENT)}; const c = new pg.Client({ host: ${JSON.stringify(host)}, user: ${JSON.stringify(user)}, database: "postgres" }); try { await c.connect(); console.log("in"); await c.end(); } catch { console.log("out"); }`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
    ...account,
    cwd: "/",
  });
  return stdout.trim() === "in";
}
