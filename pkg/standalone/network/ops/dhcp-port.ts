import type { Transaction } from "kysely";
import { KilonovaError } from "../../../kernel/index.js";
import { assignAddresses } from "../adapters/sql/addresses.js";
import type { NetworkTables } from "../adapters/sql/tables.js";
import { makeMac } from "../domain/addresses.js";
import type { FixedIp, Network, Subnet } from "../domain/model.js";
import type { NetworkParts } from "../ports.js";
import { newPort } from "./new-port.js";

/** What our own DHCP ports are bound to: every host's switch answers for them. */
const DHCP_HOST = "kilonova-dhcp";

/**
 * Instead of a random choice: a DHCP port has the first free address of the pool, as in Neutron, where
 * nobody's own choice is likely to meet it.
 */
const first = (): number => 0;

/**
 * Gives a subnet with DHCP the address at which its DHCP server answers: one port per network, one address
 * per subnet, as Neutron's DHCP agent would. A subnet without a free address goes without.
 */
export async function openDhcpPort(
  parts: NetworkParts,
  tx: Transaction<NetworkTables>,
  network: Network,
  subnet: Subnet,
): Promise<void> {
  if (subnet.ipv6AddressMode === "slaac") return;
  const wish = { subnetId: subnet.id };
  const port = await tx
    .selectFrom("network_port")
    .select(["id", "mac_address"])
    .where("network_id", "=", network.id)
    .where("device_owner", "=", "network:dhcp")
    .executeTakeFirst();
  try {
    if (port) {
      const rows = await tx
        .selectFrom("network_fixed_ip")
        .select(["subnet_id", "ip_address"])
        .where("port_id", "=", port.id)
        .execute();
      const current = rows.map((row): FixedIp => ({ subnetId: row.subnet_id, ipAddress: row.ip_address }));
      await assignAddresses(
        tx,
        { id: port.id, networkId: network.id, macAddress: port.mac_address, deviceOwner: "network:dhcp" },
        [...current, wish],
        current,
        first,
      );
      return;
    }
    await newPort(
      { ...parts, random: first },
      tx,
      {
        networkId: network.id,
        macAddress: makeMac(parts.random),
        projectId: network.projectId,
        deviceOwner: "network:dhcp",
        deviceId: `dhcp-${network.id}`,
        status: "ACTIVE",
        hostId: DHCP_HOST,
        portSecurityEnabled: false,
      },
      { wishes: [wish] },
    );
  } catch (error) {
    if (!(error instanceof KilonovaError) || error.reason !== "IP_ADDRESS_GENERATION_FAILURE") throw error;
    if (!port)
      await tx
        .deleteFrom("network_port")
        .where("network_id", "=", network.id)
        .where("device_owner", "=", "network:dhcp")
        .execute();
  }
}
