import type { CrashPoints } from "../../pkg/conductor/engine/crash-points.js";
import type { OperationKind } from "../../pkg/conductor/engine/kind.js";
import type { Connection, Place } from "./protocol.js";

/** A running installation of one place. */
export interface World {
  /** Kinds whose steps make the matrix. */
  readonly kinds: readonly OperationKind[];
  /**
   * Makes what the kind needs, then accepts an operation of it.
   * @param how  failing: its last effect fails, so that it is undone; slow: it takes its time, and tells
   */
  begin(kind: string, how: { readonly failing: boolean; readonly slow: boolean }): Promise<void>;
  /** Resolves when a step has told so often how far it is. */
  progressed(step: string, times: number): Promise<void>;
  /** Resolves when everything that was accepted has ended. */
  settled(): Promise<void>;
  /** What is left in all stores and in the world outside; the same for any two runs that ended alike. */
  endState(): Promise<unknown>;
  close(): Promise<void>;
}

/** How to build an installation. Opening a place again finds what was left there. */
export interface Scenario {
  readonly name: string;
  /** Makes the schemas in an empty database: once, every place gets a copy. */
  prepare(connection: Connection): Promise<void>;
  open(place: Place, crash: CrashPoints): Promise<World>;
}
