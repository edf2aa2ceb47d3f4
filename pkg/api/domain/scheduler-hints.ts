import { parseUuid } from "../../kernel/index.js";
import { ApiErrors, CreateErrors } from "../errors.js";

/** What hints name by id. */
export interface SchedulerHints {
  /** Of a server group; "" without one. */
  readonly groupId: string;
  /** Of servers to be near to or far from. */
  readonly serverIds: readonly string[];
}

/** Hints whose values are ids of servers, one or a list. */
const SERVER_HINTS = ["same_host", "different_host"] as const;
const MAX_SERVERS = 100;

/**
 * Reads hints: a JSON object whose `group`, if any, is the id of a server group.
 * @throws INVALID_REQUEST when it is no object or names too many servers, BAD_SERVER_GROUP_HINT
 */
export function hintsOf(json: string): SchedulerHints {
  if (json === "") return { groupId: "", serverIds: [] };
  const hints = parse(json);
  if (hints === undefined)
    throw ApiErrors.INVALID_REQUEST({ field: "scheduler_hints_json", problem: "must be a JSON object" });
  return { groupId: groupOf(hints["group"]), serverIds: serversOf(hints) };
}

function groupOf(group: unknown): string {
  if (group === undefined) return "";
  const id = typeof group === "string" ? parseUuid(group) : undefined;
  if (id === undefined) throw CreateErrors.BAD_SERVER_GROUP_HINT({});
  return id;
}

function serversOf(hints: Readonly<Record<string, unknown>>): readonly string[] {
  const all = SERVER_HINTS.flatMap((name): unknown[] => {
    const value = hints[name] ?? [];
    return Array.isArray(value) ? value : [value];
  });
  const ids = [...new Set(all.map((id) => (typeof id === "string" ? id : JSON.stringify(id))))];
  if (ids.length > MAX_SERVERS)
    throw ApiErrors.INVALID_REQUEST({
      field: "scheduler_hints_json",
      problem: `names more than ${MAX_SERVERS} servers`,
    });
  return ids;
}

function parse(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined; // the caller tells that it is no object
  }
}
