import type { Timestamp } from "../../../gen/google/protobuf/timestamp.js";
import { parseIso } from "../../kernel/index.js";
import { toTimestamp } from "../../model/wire-time.js";
import { GatewayErrors } from "../errors.js";
import type { ApiRequest } from "../http/api-request.js";
import { last } from "../http/query.js";

function timeOf(request: ApiRequest, name: string): Timestamp | undefined {
  const at = parseIso(last(request.query, name) ?? "");
  return at === undefined ? undefined : toTimestamp(at);
}

/** What `changes-since` and `changes-before` ask for. @throws BAD_REQUEST when they leave nothing between */
export function changeBounds(request: ApiRequest): { changesSince?: Timestamp; changesBefore?: Timestamp } {
  const [changesSince, changesBefore] = [timeOf(request, "changes-since"), timeOf(request, "changes-before")];
  if (changesSince && changesBefore && changesSince.seconds > changesBefore.seconds) {
    throw GatewayErrors.BAD_REQUEST({
      message: "The value of changes-since must be less than or equal to changes-before.",
    });
  }
  return { ...(changesSince ? { changesSince } : {}), ...(changesBefore ? { changesBefore } : {}) };
}
