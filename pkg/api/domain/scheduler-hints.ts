import type { SchedulerHints } from "../../../gen/kilonova/type/v1/scheduler_hints.js";
import { parseUuid } from "../../kernel/index.js";
import { ApiErrors, CreateErrors } from "../errors.js";

/** What hints name by id. */
export interface HintedIds {
  /** Of a server group; "" without one. */
  readonly groupId: string;
  /** Of servers to be near to or far from. */
  readonly serverIds: readonly string[];
}

const MAX_SERVERS = 100;

/** @throws INVALID_REQUEST when they name too many servers, BAD_SERVER_GROUP_HINT when `group` is no UUID */
export function hintedIds(hints: SchedulerHints | undefined): HintedIds {
  if (hints === undefined) return { groupId: "", serverIds: [] };
  const serverIds = [...new Set([...hints.sameHost, ...hints.differentHost])];
  if (serverIds.length > MAX_SERVERS)
    throw ApiErrors.INVALID_REQUEST({
      field: "scheduler_hints",
      problem: `names more than ${MAX_SERVERS} servers`,
    });
  const groupId = hints.group === undefined ? "" : parseUuid(hints.group);
  if (groupId === undefined) throw CreateErrors.BAD_SERVER_GROUP_HINT({});
  return { groupId, serverIds };
}
