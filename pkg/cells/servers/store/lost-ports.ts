import type { ReportLostPortsRequest } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import { InstanceChange } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { applyChange } from "../domain/apply-change.js";
import { CellsErrors } from "../../errors.js";
import { instanceColumns } from "../domain/instance-columns.js";
import { loadRecord } from "../domain/records.js";
import { instanceChanged } from "./changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, assignments } from "../../store/fragments.js";
import { outboxPart } from "../../store/outbox.js";
import type { InstanceRow } from "../../store/rows.js";
import { sql } from "../../store/sql.js";
import type { Store } from "../../store/tables.js";

/**
 * Takes ports out of the record of a server that is on that host; what is not there any more is settled.
 * @throws SERVER_NOT_FOUND when it is not on that host
 * @returns false while an operation owns the server: it may be the one that has made the ports
 */
export async function reportLostPorts(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  { serverId, host, portIds }: ReportLostPortsRequest,
): Promise<boolean> {
  const { t } = store;
  return store.db.write(ctx, "guests.lost-ports", async (tx) => {
    const { rows } =
      await sql<InstanceRow>`SELECT generation, current_operation, operation_fence, leaving_to, number, server, details, user_data
      FROM ${t.instance} WHERE id = ${serverId} AND host = ${host} AND deleted_at IS NULL FOR UPDATE`.execute(
        tx,
      );
    const row = rows[0];
    if (row === undefined) throw CellsErrors.SERVER_NOT_FOUND({ server: serverId });
    const record = loadRecord(row);
    const ports = record.ports.filter(({ portId }) => !portIds.includes(portId));
    if (ports.length === record.ports.length) return true;
    if (row.current_operation !== "" || row.leaving_to !== "") return false;
    const now = deps.clock.now();
    const change = InstanceChange.fromPartial({ replacePorts: true, ports });
    const changed = applyChange(record, change, row.current_operation, now);
    const columns = instanceColumns(changed);
    await allTogether([
      {
        name: "inst",
        body: sql`UPDATE ${t.instance} SET ${assignments(columns)} WHERE id = ${serverId}`,
      },
      outboxPart(t, deps.ids, [instanceChanged(changed, columns, "changed")], now),
    ]).execute(tx);
    return true;
  });
}
