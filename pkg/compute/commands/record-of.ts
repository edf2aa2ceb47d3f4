import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { CommonErrors } from "../../kernel/index.js";

/** The record of a command's input. @throws INVALID_ARGUMENT when it is not the server's that is commanded */
export function recordOf(serverId: string, instance: InstanceRecord | undefined): InstanceRecord {
  if (instance?.server?.id !== serverId)
    throw CommonErrors.INVALID_ARGUMENT({
      field: "input.instance",
      problem: "must be the record of header.server_id",
    });
  return instance;
}
