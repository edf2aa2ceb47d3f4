import { ApiErrors, CreateErrors } from "../errors.js";

/**
 * Checks hints: a JSON object whose `group`, if any, names a server group.
 * @throws INVALID_REQUEST when it is no object; SERVER_GROUP_NOT_FOUND: there are no server groups yet, so none can be named
 */
export function requireHints(json: string): void {
  if (json === "") return;
  const hints = parse(json);
  const group = hints?.["group"];
  if (hints === undefined) throw ApiErrors.INVALID_REQUEST({ field: "scheduler_hints_json", problem: "must be a JSON object" });
  if (group !== undefined) throw CreateErrors.SERVER_GROUP_NOT_FOUND({ group: String(group) });
}

function parse(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Readonly<Record<string, unknown>> : undefined;
  } catch {
    return undefined; // the caller tells that it is no object
  }
}
