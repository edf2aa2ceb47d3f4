import { jsonArrayFrom } from "kysely/helpers/postgres";
import type { Transaction } from "kysely";
import type { Actor } from "../../../../kernel/index.js";
import type { Network } from "../../domain/model.js";
import { E } from "../../errors.js";
import { selectNetworks, toNetwork, visibleNetwork } from "./networks.js";
import { hasRoom } from "./quotas.js";
import type { AddressedSubnet } from "./subnets.js";
import type { NetworkTables } from "./tables.js";

/** All that a new port depends on. */
export interface PortGround {
  readonly network: Network;
  readonly subnets: readonly AddressedSubnet[];
  /** Whether the project's quota allows one more port. */
  readonly room: boolean;
  /** The project's default security group, once it has one. */
  readonly defaultGroupId: string | undefined;
}

/** Reads it in one statement. @throws NETWORK_NOT_FOUND also when the actor may not see it */
export async function readPortGround(
  tx: Transaction<NetworkTables>,
  actor: Actor,
  networkId: string,
  projectId: string,
): Promise<PortGround> {
  const row = await selectNetworks(tx)
    .select((eb) => [
      jsonArrayFrom(
        eb
          .selectFrom("network_subnet as a")
          .select(["a.id", "a.ip_version", "a.cidr", "a.allocation_pools", "a.ipv6_address_mode"])
          .whereRef("a.network_id", "=", "network_network.id")
          .orderBy("a.created_at")
          .orderBy("a.id"),
      ).as("addressed"),
      eb
        .selectFrom("network_security_group as g")
        .select("g.id")
        .where("g.default_of", "=", projectId)
        .as("default_group"),
      hasRoom("port", projectId).as("room"),
    ])
    .where("id", "=", networkId)
    .where(visibleNetwork(actor))
    .executeTakeFirst();
  if (!row) throw E.NETWORK_NOT_FOUND({ id: networkId });
  const subnets = row.addressed.map((one) => ({
    id: one.id,
    ipVersion: one.ip_version,
    cidr: one.cidr,
    allocationPools: one.allocation_pools,
    ipv6AddressMode: one.ipv6_address_mode,
  }));
  return { network: toNetwork(row), subnets, room: row.room, defaultGroupId: row.default_group ?? undefined };
}
