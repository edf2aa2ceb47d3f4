import type { TokenBox } from "../crypto/token-box.js";

/** How far one database was read. */
export interface Position {
  readonly incarnation: string;
  readonly revision: bigint;
}

/** Where a watch stands: everything that was told lies at or before the positions. */
export interface WatchState {
  readonly positions: ReadonlyMap<string, Position>;
  /**
   * Generations of servers told from a cell a moment ago: older states of them may still come out of the
   * global database.
   */
  readonly recent: ReadonlyMap<string, bigint>;
}

type Written = readonly [
  positions: readonly (readonly [database: string, incarnation: string, revision: string])[],
  recent: readonly (readonly [id: string, generation: string])[],
];

/** @param binding  what the watch was asked for; a token is only good for the same */
export function encodeResumeToken(box: TokenBox, binding: string, { positions, recent }: WatchState): string {
  const written: Written = [
    [...positions].map(([database, { incarnation, revision }]) => [
      database,
      incarnation,
      revision.toString(),
    ]),
    [...recent].map(([id, generation]) => [id, generation.toString()]),
  ];
  return box.seal("resume", binding, JSON.stringify(written));
}

/** @throws BAD_PAGE_TOKEN for texts that are no token of ours, or one of another watch */
export function decodeResumeToken(box: TokenBox, binding: string, token: string): WatchState {
  const [positions, recent] = JSON.parse(box.open("resume", binding, token)) as Written;
  return {
    positions: new Map(
      positions.map(([database, incarnation, revision]) => [
        database,
        { incarnation, revision: BigInt(revision) },
      ]),
    ),
    recent: new Map(recent.map(([id, generation]) => [id, BigInt(generation)])),
  };
}
