import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KilonovaError } from "../../kernel/errors.js";
import { serverAccount } from "./account.js";
import { canReach, choosePlaces } from "./places.js";

const reasonOf =
  (reason: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === reason;

describe("serverAccount", () => {
  const passwd =
    (...lines: string[]) =>
    (): string =>
      ["root:x:0:0:root:/root:/bin/bash", ...lines, ""].join("\n");

  it("is our own unless we are root", () => {
    assert.deepEqual(serverAccount(passwd(), 1000, 1001), { uid: 1000, gid: 1001, name: "" });
  });

  it("is postgres for root, else nobody", () => {
    const both = passwd("nobody:x:65534:65534::/:/bin/false", "postgres:x:101:104::/:/bin/bash");
    assert.deepEqual(serverAccount(both, 0, 0), { uid: 101, gid: 104, name: "postgres" });
    assert.deepEqual(serverAccount(passwd("nobody:x:65534:65533::/:/bin/false"), 0, 0), {
      uid: 65534,
      gid: 65533,
      name: "nobody",
    });
  });

  it("is refused where root has nobody to lend", () => {
    assert.throws(() => serverAccount(passwd(), 0, 0), reasonOf("NO_ACCOUNT"));
    assert.throws(() => serverAccount(passwd("postgres:x:0:0::/:/bin/bash"), 0, 0), reasonOf("NO_ACCOUNT"));
  });
});

describe("places of the embedded PostgreSQL", () => {
  let dir: string;
  const me = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, name: "" };
  beforeEach(async () => {
    // Not below TMPDIR, which may be the runner's own: a stranger must come as far as this.
    dir = await mkdtemp("/tmp/kilonova-places-");
  });
  afterEach(() => rm(dir, { recursive: true }));

  it("knows whether an account may pass through all directories above", async () => {
    const stranger = { uid: 12_345, gid: 12_345, name: "" };
    const inner = join(dir, "inner");
    await mkdir(inner);
    await chmod(dir, 0o755);
    assert.equal(await canReach(inner, stranger), true);
    await chmod(dir, 0o700);
    assert.equal(await canReach(inner, stranger), false);
    assert.equal(await canReach(inner, me), true);
  });

  it("stay where they were first chosen", async () => {
    const first = await choosePlaces(join(dir, "state"), me);
    assert.equal(first.base, join(dir, "state", "postgres"));
    assert.equal((await stat(first.socketDir)).mode & 0o777, 0o700);
    assert.deepEqual(await choosePlaces(join(dir, "state"), me), first);
    assert.deepEqual(JSON.parse(await readFile(join(dir, "state", "postgres.json"), "utf8")), {
      base: first.base,
      socketDir: first.socketDir,
    });
  });

  it("keep the socket's path within 107 bytes", async () => {
    const deep = join(dir, "d".repeat(60), "e".repeat(60));
    const places = await choosePlaces(deep, me);
    assert.ok(Buffer.byteLength(`${places.socketDir}/.s.PGSQL.5432`) <= 107);
    assert.equal(places.data, join(deep, "postgres", "data"));
    await rm(places.socketDir, { recursive: true });
  });

  it("never follow a link that lies in their way", async () => {
    await mkdir(join(dir, "state"));
    await symlink(tmpdir(), join(dir, "state", "postgres"));
    await assert.rejects(choosePlaces(join(dir, "state"), me), reasonOf("UNSAFE_DIRECTORY"));
  });

  it("are refused when open to others", async () => {
    await mkdir(join(dir, "state", "postgres"), { recursive: true });
    await chmod(join(dir, "state", "postgres"), 0o755);
    await assert.rejects(choosePlaces(join(dir, "state"), me), reasonOf("UNSAFE_DIRECTORY"));
  });
});
