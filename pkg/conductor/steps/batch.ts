import { GLOBAL } from "../../model/database-names.js";
import { ServerFilter } from "../../../gen/kilonova/api/v1/servers_service.js";
import { SortDirection } from "../../../gen/kilonova/type/v1/page.js";
import { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Ctx } from "../../kernel/ctx.js";
import type { Ports } from "../ports.js";

/** Cell of servers that never got a host. */
export const NOWHERE = "cell0";

/**
 * What becomes of the servers of one request: `placed` when all have hosts, `refused` when one found none,
 * `waiting` while one still looks.
 */
export type BatchFate = "placed" | "waiting" | "refused";

/**
 * Looks at the other servers of the request. A server stays in the global database until its fate is known:
 * who is gone from there is in its cell, because all were placed, or in cell0, because one was refused. So
 * the global database is read first, and all servers of a request come to the same answer, whoever asks.
 * @cost two indexed statements
 */
export async function fateOfBatch(
  ports: Pick<Ports, "instances">,
  ctx: Ctx,
  own: Server,
): Promise<BatchFate> {
  const others = (await batchIn(ports, ctx, own, GLOBAL)).filter(({ id }) => id !== own.id);
  // Deleted ones are nobody's business any more; those that failed otherwise did not fail for want of a host.
  const looking = others.some(
    ({ vmState, hostInfo }) => vmState === VmState.VM_STATE_BUILDING && (hostInfo?.launchedOn ?? "") === "",
  );
  // Also a deleted one found no host, or it would not be here.
  if ((await batchIn(ports, ctx, own, NOWHERE)).length > 0) return "refused";
  return looking ? "waiting" : "placed";
}

async function batchIn(
  { instances }: Pick<Ports, "instances">,
  ctx: Ctx,
  { reservationId, projectId }: Server,
  database: string,
): Promise<Server[]> {
  const found: Server[] = [];
  for (let after: string[] = []; ;) {
    const { rows, more } = await instances.listInstances(ctx, {
      database,
      projectId,
      // With changes since ever, deleted ones are told too.
      filter: ServerFilter.fromPartial({ reservationId, changesSince: { seconds: 0n, nanos: 0 } }),
      sort: [{ field: "id", direction: SortDirection.SORT_DIRECTION_ASC }],
      after,
      pageSize: 1000,
    });
    found.push(...rows.map(({ server }) => Server.decode(server)));
    if (!more) return found;
    after = rows.at(-1)?.sortValues ?? [];
  }
}
