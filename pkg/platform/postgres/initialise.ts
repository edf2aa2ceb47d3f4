import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ifThere, syncPath } from "../files/index.js";
import { spawnAs } from "./account.js";
import type { Account } from "./account.js";
import type { Binaries } from "./binaries.js";
import { PostgresErrors } from "./errors.js";
import type { Places } from "./places.js";

/** Who logs in: owner of the database, and no superuser. */
export const ROLE = "kilonova";
/** Who the database belongs to inside; nobody can log in as it. */
const SUPERUSER = "postgres";
/** Said to the server before anybody can reach it, one statement a line. */
const FIRST_WORDS = `CREATE ROLE ${ROLE} LOGIN;\nALTER DATABASE postgres OWNER TO ${ROLE};\n`;

/**
 * Creates the database directory on the first start: under a temporary name, then renamed, so that a start
 * that was interrupted leaves nothing that looks like a database.
 * @returns whether it was created
 * @throws OTHER_VERSION when the directory belongs to another major version
 */
export async function ensureDatabase(places: Places, binaries: Binaries, account: Account): Promise<boolean> {
  const found = await ifThere(readFile(join(places.data, "PG_VERSION"), "utf8"));
  if (found !== undefined) {
    if (found.trim() !== binaries.major)
      throw PostgresErrors.OTHER_VERSION({ data: places.data, found: found.trim(), wanted: binaries.major });
    return false;
  }
  for (const name of await readdir(places.base)) {
    // An initdb whose start was killed may still be writing there.
    if (name.startsWith("data.new"))
      await rm(join(places.base, name), { recursive: true, force: true, maxRetries: 10 });
  }
  const draft = join(places.base, `data.new-${randomUUID()}`);
  await initdb(draft, places, binaries, account);
  await writeFile(join(draft, "pg_hba.conf"), accessRules(account), { flush: true });
  await writeFile(join(draft, "pg_ident.conf"), `owner ${userInfo().username} ${ROLE}\n`, { flush: true });
  await rename(draft, places.data);
  await syncPath(places.base);
  return true;
}

async function initdb(draft: string, places: Places, binaries: Binaries, account: Account): Promise<void> {
  const args = ["-D", draft, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions"];
  const options = { ...spawnAs(account), cwd: places.base, env: serverEnv(binaries) };
  try {
    await promisify(execFile)(binaries.initdb, args, options);
    const single = promisify(execFile)(binaries.postgres, ["--single", "-D", draft, "postgres"], options);
    single.child.stdin?.end(FIRST_WORDS);
    const { stderr } = await single;
    const problem = /(ERROR|FATAL|PANIC):.*/.exec(stderr)?.[0];
    if (problem !== undefined) throw Object.assign(new Error(problem), { stderr: problem });
  } catch (error) {
    const { stderr = "", message } = error as Error & { readonly stderr?: string };
    const said = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("initdb: removing"));
    throw PostgresErrors.INITDB_FAILED({ problem: said.at(-1) ?? message }, { cause: error });
  }
}

/** A clean environment: the operator's PG* variables and locale must not leak into the server. */
export const serverEnv = (binaries: Binaries): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  LC_ALL: "C",
  TZ: "UTC",
  ...binaries.env,
});

/**
 * Who may log in: over the unix socket only, whose directory only the server's account and root can enter.
 * When the account is our own, that is all there is to prove. An account lent by root is shared with other
 * programs, so there the kernel's word (peer) must say that the caller is root.
 */
function accessRules(account: Account): string {
  const ours = process.getuid?.() === account.uid;
  return `local all ${ROLE} ${ours ? "trust" : "peer map=owner"}\n`;
}
