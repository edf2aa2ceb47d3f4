import type { MigrationChange } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { ownMigrationId, statusIs, unclearedMoves } from "./moves.js";

type Call = Pick<StepCall, "ctx" | "database" | "server" | "operation" | "fence">;

/**
 * Frees what earlier moves of a server keep of a host that has nothing of it any more: moves that failed or
 * were cut short, and one that rests still, which has nothing to go back to then. Repeatable.
 * @param own  the migration that is led on, whose place is freed otherwise
 * @returns what becomes of their migrations
 * @cost one list, by the server
 */
export async function freeEarlierMoves(
  call: Call,
  ports: Pick<Ports, "migrations" | "moves">,
  host: string,
  own = ownMigrationId(call),
): Promise<MigrationChange[]> {
  const moves = (await unclearedMoves(call, ports)).filter(
    ({ id, source }) => id !== own && source?.host === host,
  );
  for (const { id, operation } of moves)
    await ports.moves.releaseAllocations(call.ctx, { consumerId: id, operation, fence: call.fence });
  return moves.filter(({ status }) => status === "finished").map(({ id }) => statusIs("confirmed", id));
}
