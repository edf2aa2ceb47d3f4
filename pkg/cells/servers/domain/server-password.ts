import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { CommonErrors } from "../../../kernel/errors.js";
import { CellsErrors } from "../../errors.js";
import { serverOf } from "./records.js";

/** Nova keeps a password in four pieces of at most 255 characters. */
const MAX_CHARACTERS = 4 * 255;

/** @throws INVALID_ARGUMENT for a password that is too long, or empty */
export function requirePassword(password: string): void {
  if (password === "" || password.length > MAX_CHARACTERS)
    throw CommonErrors.INVALID_ARGUMENT({
      field: "server_password",
      problem: `must have 1 to ${MAX_CHARACTERS} characters`,
    });
}

/** What a guest's password becomes: only the first one counts. @throws SERVER_PASSWORD_EXISTS */
export function firstPassword(server: string, before: string, posted: string): string {
  if (before !== "") throw CellsErrors.SERVER_PASSWORD_EXISTS({ server });
  return posted;
}

/**
 * The record with another password: a new generation, so that whoever caches it reads again, but no change
 * that users see.
 */
export function withServerPassword(record: InstanceRecord, serverPassword: string): InstanceRecord {
  const server = serverOf(record);
  return { ...record, serverPassword, server: { ...server, generation: server.generation + 1n } };
}
