import { sql } from "../../store/sql.js";
import { ComputeNode } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import type { OperationDeclaration } from "../../../model/operation-declaration.js";
import { CellsErrors } from "../../errors.js";
import type { Store, Tx } from "../../store/tables.js";

/** @throws CAPABILITY_MISSING when the server has a host that has not registered what the operation needs */
export async function requireCapability(
  store: Store,
  tx: Tx,
  { capability }: Pick<OperationDeclaration, "capability">,
  { id, hostInfo }: Server,
): Promise<void> {
  const host = hostInfo?.host ?? "";
  // Whatever needs a host besides says so itself.
  if (capability === undefined || host === "") return;
  const { rows } = await sql<{
    body: Buffer;
  }>`SELECT body FROM ${store.t.compute_node} WHERE host = ${host}`.execute(tx);
  if (!rows.some(({ body }) => ComputeNode.decode(body).capabilities.includes(capability)))
    throw CellsErrors.CAPABILITY_MISSING({ server: id, capability });
}

/** @throws HOST_NOT_FOUND; HOST_CANNOT when it has not registered what an operation on it needs */
export async function requireHost(
  store: Store,
  tx: Tx,
  { capability }: Pick<OperationDeclaration, "capability">,
  hostId: string,
): Promise<void> {
  const { rows } = await sql<{
    body: Buffer;
  }>`SELECT body FROM ${store.t.compute_node} WHERE id = ${hostId}`.execute(tx);
  requireAble(rows[0] && ComputeNode.decode(rows[0].body), capability, hostId);
}

/** As `requireHost`, with the host's record. */
export function requireAble(
  node: ComputeNode | undefined,
  capability: string | undefined,
  hostId: string,
): void {
  if (node === undefined) throw CellsErrors.HOST_NOT_FOUND({ host: hostId });
  if (capability !== undefined && !node.capabilities.includes(capability))
    throw CellsErrors.HOST_CANNOT({ host: hostId, capability });
}
