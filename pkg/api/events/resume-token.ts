import { ApiErrors } from "../errors.js";

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

const VERSION = "1";

/** @param binding  what the watch was asked for; a token is only good for the same */
export function encodeResumeToken(binding: string, { positions, recent }: WatchState): string {
  const body = [
    binding,
    [...positions].map(([database, { incarnation, revision }]) => [
      database,
      incarnation,
      revision.toString(),
    ]),
    [...recent].map(([id, generation]) => [id, generation.toString()]),
  ];
  return `${VERSION}.${Buffer.from(JSON.stringify(body)).toString("base64url")}`;
}

/** @throws BAD_PAGE_TOKEN for texts that are no token, or one of another watch */
export function decodeResumeToken(binding: string, token: string): WatchState {
  const [version, body = ""] = token.split(".");
  try {
    const [bound, positions, recent] = JSON.parse(Buffer.from(body, "base64url").toString("utf8")) as [
      string,
      [string, string, string][],
      [string, string][],
    ];
    if (version === VERSION && bound === binding) {
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
  } catch {
    // made up: refused below
  }
  throw ApiErrors.BAD_PAGE_TOKEN({});
}
