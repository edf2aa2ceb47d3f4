import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { serverOf } from "./records.js";

/**
 * The record with another password: a new generation, so that whoever caches it reads again, but no change
 * that users see.
 */
export function withServerPassword(record: InstanceRecord, serverPassword: string): InstanceRecord {
  const server = serverOf(record);
  return { ...record, serverPassword, server: { ...server, generation: server.generation + 1n } };
}
