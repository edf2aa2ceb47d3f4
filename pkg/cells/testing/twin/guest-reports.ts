import type {
  ReportGuestRequest,
  ReportLostPortsRequest,
} from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import { InstanceChange } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { CellsErrors } from "../../errors.js";
import { applyChange } from "../../servers/domain/apply-change.js";
import { afterGuestReport, isStop, letBe, verdictOn } from "../../servers/domain/guest-report.js";
import type { GuestVerdict } from "../../servers/domain/guest-report.js";
import { instanceColumns } from "../../servers/domain/instance-columns.js";
import { loadRecord, serverOf } from "../../servers/domain/records.js";
import { instanceChanged } from "../../servers/store/changed-rows.js";
import type { TwinDatabase } from "./database.js";
import type { TwinState } from "./state.js";

/**
 * Takes a report of a guest that is on that host; older ones than the last change nothing.
 * @returns what the agent has to do with the guest
 */
export function reportGuest(
  twin: TwinState,
  database: TwinDatabase,
  report: ReportGuestRequest,
): GuestVerdict {
  const entry = database.onHost(report.host).find(({ id }) => id === report.serverId);
  if (entry === undefined || BigInt(entry.report_number) >= report.reportNumber) return letBe;
  const record = loadRecord(entry);
  const now = twin.deps.clock.now();
  const fault = report.fault === undefined ? undefined : { ...report.fault, createdAt: toTimestamp(now) };
  const server = serverOf(record);
  const set = afterGuestReport(server, report.powerState, fault);
  const verdict = verdictOn(server, report.powerState, BigInt(entry.operation_fence));
  if (set === undefined) return verdict;
  const updateMask = ["vm_state", "power_state", ...(set.fault === undefined ? [] : ["fault"])];
  const change = InstanceChange.fromPartial({ server: set, updateMask });
  const changed = applyChange(record, change, entry.current_operation, now);
  database.store(changed, entry, { report_number: Number(report.reportNumber) });
  if (isStop(server, set)) showStop(twin, database, report, server.projectId);
  database.tell([instanceChanged(changed, instanceColumns(changed), "changed")]);
  return verdict;
}

/** The stop that nobody asked for, on the server's timeline. */
function showStop(
  { deps }: TwinState,
  { timeline }: TwinDatabase,
  { serverId, host }: ReportGuestRequest,
  projectId: string,
): void {
  const [id, now] = [deps.ids.uuid(), deps.clock.now()];
  timeline.put({
    server_id: serverId,
    id,
    request_id: `req-${id}`,
    action: "stop",
    project_id: projectId,
    user_id: "",
    started_at: now,
    updated_at: now,
    failed: false,
    events: [
      {
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
      },
    ],
  });
}

/** Takes ports out of a record. @returns false while an operation owns the server @throws SERVER_NOT_FOUND */
export function reportLostPorts(
  { deps }: TwinState,
  database: TwinDatabase,
  { serverId, host, portIds }: ReportLostPortsRequest,
): boolean {
  const entry = database.onHost(host).find(({ id }) => id === serverId);
  if (entry === undefined) throw CellsErrors.SERVER_NOT_FOUND({ server: serverId });
  const record = loadRecord(entry);
  const ports = record.ports.filter(({ portId }) => !portIds.includes(portId));
  if (ports.length === record.ports.length) return true;
  if (entry.current_operation !== "") return false;
  const change = InstanceChange.fromPartial({ replacePorts: true, ports });
  const changed = applyChange(record, change, entry.current_operation, deps.clock.now());
  database.store(changed, entry);
  database.tell([instanceChanged(changed, instanceColumns(changed), "changed")]);
  return true;
}
