import { sql } from "../../store/sql.js";
import type { ReportGuestRequest } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { InstanceChange } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { applyChange } from "../domain/apply-change.js";
import { afterGuestReport, isStop, letBe, verdictOn } from "../domain/guest-report.js";
import type { GuestVerdict } from "../domain/guest-report.js";
import { instanceColumns } from "../domain/instance-columns.js";
import { loadRecord, serverOf } from "../domain/records.js";
import { instanceChanged } from "./changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, assignments, insertInto } from "../../store/fragments.js";
import type { Part } from "../../store/fragments.js";
import { outboxPart } from "../../store/outbox.js";
import type { InstanceRow } from "../../store/rows.js";
import type { Store } from "../../store/tables.js";

/**
 * Takes a report of a guest that is on that host by its record; older reports than the last one, and those of
 * other hosts, change nothing.
 * @returns what the agent has to do with the guest
 */
export async function reportGuest(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  report: ReportGuestRequest,
): Promise<GuestVerdict> {
  const { t } = store;
  return store.db.write(ctx, "guests.report", async (tx) => {
    const { rows } = await sql<
      InstanceRow & { report_number: number }
    >`SELECT generation, current_operation, operation_fence, leaving_to, number, server, details, user_data, report_number
      FROM ${t.instance} WHERE id = ${report.serverId} AND host = ${report.host} AND deleted_at IS NULL AND leaving_to = '' FOR UPDATE`.execute(
      tx,
    );
    const row = rows[0];
    if (row === undefined || BigInt(row.report_number) >= report.reportNumber) return letBe;
    const record = loadRecord(row);
    const verdict = verdictOn(serverOf(record), report.powerState, BigInt(row.operation_fence));
    const now = deps.clock.now();
    const set = afterGuestReport(
      serverOf(record),
      report.powerState,
      report.fault === undefined ? undefined : { ...report.fault, createdAt: toTimestamp(now) },
    );
    if (set === undefined) return verdict;
    const changed = applyChange(
      record,
      InstanceChange.fromPartial({
        server: set,
        updateMask: ["vm_state", "power_state", ...(set.fault === undefined ? [] : ["fault"])],
      }),
      row.current_operation,
      now,
    );
    const columns = instanceColumns(changed);
    const stopped = isStop(serverOf(record), set);
    await allTogether([
      {
        name: "inst",
        body: sql`UPDATE ${t.instance} SET ${assignments({ ...columns, report_number: Number(report.reportNumber) })} WHERE id = ${report.serverId}`,
      },
      ...(stopped
        ? stopParts(store, report, { id: deps.ids.uuid(), projectId: serverOf(record).projectId, now })
        : []),
      outboxPart(t, deps.ids, [instanceChanged(changed, columns, "changed")], now),
    ]).execute(tx);
    return verdict;
  });
}

/**
 * The stop that the power synchronisation did, on the server's timeline: no user asked for it, and each has a
 * request id of its own.
 */
function stopParts(
  { t }: Store,
  { serverId, host }: ReportGuestRequest,
  { id, projectId, now }: { readonly id: string; readonly projectId: string; readonly now: Instant },
): readonly Part[] {
  const action = {
    server_id: serverId,
    id,
    request_id: `req-${id}`,
    action: "stop",
    project_id: projectId,
    user_id: "",
    started_at: now,
    updated_at: now,
  };
  const event = {
    action_id: id,
    step: "power-sync",
    round: 0,
    position: 0,
    event: "compute_stop_instance",
    started_at: now,
    finished_at: now,
    result: "Success",
    host,
    details: "",
    traceback: "",
  };
  return [
    { name: "act", body: insertInto(t.instance_action, [action]) },
    { name: "ev", body: insertInto(t.instance_action_event, [event]) },
  ];
}
