import { parseUuid } from "../../kernel/index.js";
import { ApiErrors, CreateErrors } from "../errors.js";

/**
 * Checks hints: a JSON object whose `group`, if any, is the id of a server group.
 * @returns the group's id; "" without one
 * @throws INVALID_REQUEST when it is no object, BAD_SERVER_GROUP_HINT
 */
export function groupHintOf(json: string): string {
  if (json === "") return "";
  const hints = parse(json);
  if (hints === undefined)
    throw ApiErrors.INVALID_REQUEST({ field: "scheduler_hints_json", problem: "must be a JSON object" });
  const group = hints["group"];
  if (group === undefined) return "";
  const id = typeof group === "string" ? parseUuid(group) : undefined;
  if (id === undefined) throw CreateErrors.BAD_SERVER_GROUP_HINT({});
  return id;
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
