import type { CrashMoment } from "../../pkg/conductor/engine/crash-points.js";

/** Where the child shall die. */
export interface CrashAt {
  readonly kind: string;
  readonly step: string;
  /** Around the commit of the step, or of its undo; or while its agent tells how far it is. */
  readonly when: CrashMoment | "progress";
  /**
   * Which of several operations of the kind reaches the point first, second, …, or which report of progress
   * it is; absent: the first.
   */
  readonly nth?: number;
}

/** Where an installation's schemas are: a database of its own. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/** One installation of the matrix: a database and a folder that outlive processes. */
export interface Place {
  readonly label: string;
  readonly connection: Connection;
  readonly folder: string;
}

/**
 * What the parent asks of a child. `recover` waits until everything accepted has ended; `run` starts a
 * scenario, and dies in it.
 */
export type Order =
  | { readonly do: "recover"; readonly place: Place; readonly scenario: string }
  | {
      readonly do: "run";
      readonly place: Place;
      readonly scenario: string;
      readonly kind: string;
      readonly failing: boolean;
      readonly crash?: CrashAt;
    };

/** What a child answers. `ended` carries the end state that runs are compared by. */
export type Answer =
  | { readonly said: "ready" }
  | { readonly said: "ended"; readonly place: string; readonly state: unknown }
  | { readonly said: "failed"; readonly place: string; readonly error: string };
