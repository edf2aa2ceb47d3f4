import type { Ctx } from "../../kernel/index.js";
import { GLOBAL } from "../../model/database-names.js";
import type { Parts } from "../parts.js";
import type { Position } from "./resume-token.js";
import { encodeResumeToken } from "./resume-token.js";

/** Where no database ever is: to go on from there begins with a reset. */
export const NOWHERE: Position = { incarnation: "none", revision: 0n };

/** Where the feeds end. Databases that do not answer are nowhere: their first answer will be a reset. */
export async function readHeads(
  parts: Parts,
  ctx: Ctx,
  databases: readonly string[],
): Promise<{ positions: ReadonlyMap<string, Position>; unreachable: readonly string[] }> {
  const { answers, unreachable } = await parts.guard.fanOut(ctx, databases, (inner, database) =>
    parts.hub.head(inner, database),
  );
  return {
    positions: new Map([
      ...answers.map(({ database, value }) => [database, value] as const),
      ...unreachable.map((database) => [database, NOWHERE] as const),
    ]),
    unreachable,
  };
}

/** The resume token of a watch that has been told of everything until now. */
export async function headToken(parts: Parts, ctx: Ctx, binding: string): Promise<string> {
  const { positions } = await readHeads(parts, ctx, [GLOBAL, ...(await parts.databases.cells(ctx))]);
  return encodeResumeToken(parts.tokens, binding, { positions, recent: new Map() });
}
