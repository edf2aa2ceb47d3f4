import type { Transaction } from "kysely";
import type { Actor } from "../../../../kernel/index.js";
import { isTrusted } from "../../domain/policy.js";
import { E } from "../../errors.js";
import type { NetworkTables } from "./tables.js";

/**
 * A port may say that it belongs to a device of its own project, not to a router or server of others: Compute
 * and routers find their ports by that. Whose a server without ports is, is not known here.
 * @throws DEVICE_ID_NOT_OWNED_BY_TENANT
 */
export async function demandDevice(
  tx: Transaction<NetworkTables>,
  actor: Actor,
  projectId: string,
  deviceId: string,
): Promise<void> {
  if (deviceId === "" || isTrusted(actor)) return;
  const [router, port] = [
    await tx
      .selectFrom("network_router")
      .select("id")
      .where("id", "=", deviceId)
      .where("project_id", "!=", projectId)
      .executeTakeFirst(),
    await tx
      .selectFrom("network_port")
      .select("id")
      .where("device_id", "=", deviceId)
      .where("project_id", "!=", projectId)
      .limit(1)
      .executeTakeFirst(),
  ];
  if (router !== undefined || port !== undefined) throw E.DEVICE_ID_NOT_OWNED_BY_TENANT({ device: deviceId });
}
