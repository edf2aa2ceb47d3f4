import type { Scene } from "./scene.js";

/** Lasting states into which a row's server is brought before its command. */
export type ServerState =
  | "ACTIVE"
  | "SHUTOFF"
  | "PAUSED"
  | "SUSPENDED"
  | "RESCUE"
  | "SHELVED"
  | "VERIFY_RESIZE"
  | "SOFT_DELETED"
  | "ERROR"
  | "LOCKED"
  /** The row needs none; one is made only for who asks for it. */
  | "NONE";

/** Fields of which each must be there as said; texts may be patterns. */
interface Wanted {
  readonly [name: string]: unknown;
}

interface Typed {
  /** As the client lists it. */
  readonly command: string;
  /** What follows. `{server}` and its like are made ready for the row: see `Scene`. */
  readonly args: readonly string[];
  /** Default: the member of the project. */
  readonly by?: "demo" | "admin";
  /** Microversion; default: the newest that both clients know. `openstack` takes 2.1 when nobody says. */
  readonly at?: "2.1";
  /** Default ACTIVE. */
  readonly from?: ServerState;
  /** What must be there as well, though no argument names it: as what stands in braces. */
  readonly given?: readonly string[];
  /** What `nova` reads as if it were typed. */
  readonly typed?: string;
}

/** A command that works, and what must be true afterwards. */
export interface Works extends Typed {
  /** What it prints. */
  readonly prints?: RegExp;
  /** What `openstack` warns of while it does it. */
  readonly warns?: RegExp;
  /** What `openstack … -f json` prints: one thing, or a list that has at least one such row. */
  readonly json?: Wanted;
  /** What the server becomes, as REST shows it at 2.96; `gone`: it is not found any more. */
  readonly becomes?: Wanted | "gone";
  /** Anything else; `printed` is what the command printed. */
  readonly holds?: (scene: Scene, printed: string) => Promise<void>;
}

/** A command that this server refuses, and Nova's words for it. */
interface Refused extends Typed {
  readonly refused: RegExp;
  /** Why, for who reads the table; with `later`, what has to be built first. */
  readonly because: string;
  readonly later?: true;
}

/** One command as somebody types it. A command may have several rows. */
export type Row = Works | Refused;

export const isRefused = (row: Row): row is Refused => "refused" in row;

/** @throws when a row says nothing that could fail */
export function assertTold(row: Row): void {
  if (isRefused(row)) return;
  if ([row.prints, row.json, row.becomes, row.holds].every((one) => one === undefined))
    throw new Error(`${row.command}: the table does not say what must be true afterwards`);
}
