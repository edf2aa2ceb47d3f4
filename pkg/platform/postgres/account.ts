import { readFileSync } from "node:fs";
import { PostgresErrors } from "./errors.js";

/** Whom PostgreSQL runs as; it refuses to run as root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

/** Existing accounts without rights that root may lend to the server, best first. None is ever created. */
const CANDIDATES = ["postgres", "nobody"];

/**
 * Chooses the account of the server: our own, or for root one of the system's unprivileged ones.
 * @throws NO_ACCOUNT when we are root and the system has neither `postgres` nor `nobody`
 */
export function serverAccount(
  passwd: () => string = () => readFileSync("/etc/passwd", "utf8"),
  uid = process.getuid?.() ?? 0,
  gid = process.getgid?.() ?? 0,
): Account {
  if (uid !== 0) return { uid, gid, name: "" };
  const accounts = new Map(
    passwd()
      .split("\n")
      .map((line) => line.split(":"))
      .map(([name = "", , id = "", group = ""]) => [name, { name, uid: Number(id), gid: Number(group) }]),
  );
  for (const candidate of CANDIDATES) {
    const account = accounts.get(candidate);
    if (account !== undefined && account.uid > 0) return account;
  }
  throw PostgresErrors.NO_ACCOUNT({});
}

/** What `spawn` needs to start a process under the account; nothing when it is already ours. */
export const spawnAs = (account: Account): { uid?: number; gid?: number } =>
  process.getuid?.() === account.uid ? {} : { uid: account.uid, gid: account.gid };
