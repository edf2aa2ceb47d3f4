import { Operation } from "../../../../gen/kilonova/type/v1/operation.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { encoded } from "../../domain/bytes.js";
import type { InstanceColumns } from "../domain/instance-columns.js";
import { serverOf } from "../domain/records.js";
import { presentOperation } from "../../../model/operation-view.js";
import { toStored } from "../../operations/domain/operation-rows.js";
import type { OutboxRow } from "../../store/outbox.js";
import type { OperationRow } from "../../store/rows.js";

/** The outbox row of an operation's new state. */
export const operationChanged = (
  row: OperationRow,
  eventType: OutboxRow["eventType"] = "changed",
): OutboxRow => ({
  entityKind: "operation",
  entityId: row.id,
  projectId: row.project_id,
  generation: row.generation,
  eventType,
  payload: encoded(Operation, presentOperation(toStored(row))),
});

/** The outbox row of an instance's new generation. */
export function instanceChanged(
  record: InstanceRecord,
  columns: InstanceColumns,
  eventType: OutboxRow["eventType"],
): OutboxRow {
  const server = serverOf(record);
  return {
    entityKind: "instance",
    entityId: server.id,
    projectId: server.projectId,
    generation: Number(server.generation),
    eventType,
    payload: columns.server,
  };
}
