import type {
  AcceptSubjectOperationRequest,
  ListStoredOperationsRequest,
} from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { CLOUD } from "../../../model/operation-name.js";
import type { Subject } from "../../../model/operation-name.js";

/** Whose operations a list is about; undefined for those of a whole database. */
export function subjectIn({
  serverId,
  hostId,
  cloud,
}: Pick<ListStoredOperationsRequest, "serverId" | "hostId" | "cloud">): Subject | undefined {
  if (serverId !== "") return { kind: "server", id: serverId };
  if (hostId !== "") return { kind: "host", id: hostId };
  return cloud ? CLOUD : undefined;
}

/** What an operation that is about no server is accepted for. */
export const subjectOfRequest = ({ hostId }: Pick<AcceptSubjectOperationRequest, "hostId">): Subject =>
  hostId === "" ? CLOUD : { kind: "host", id: hostId };
