import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { KilonovaError } from "../../kernel/errors.js";
import type { StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";

/** A server has no more. */
const MOST = 1_000;

/**
 * The block devices that the server has, in the order in which it got them.
 * @param withConnections  with how volumes are reached: never to be logged
 */
export async function devicesOf(
  { ctx, database, server }: Pick<StepCall, "ctx" | "database" | "server">,
  { records }: Pick<Ports, "records">,
  withConnections = false,
): Promise<BlockDeviceRecord[]> {
  const devices: BlockDeviceRecord[] = [];
  let pageToken = "";
  do {
    const page = await records.listBlockDevices(ctx, {
      database,
      serverId: server.id,
      withConnectionInfo: withConnections,
      pageToken,
    });
    devices.push(...page.blockDevices);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && devices.length < MOST);
  return devices;
}

export const isMissing = (error: unknown): boolean =>
  error instanceof KilonovaError && error.kind === "missing";
