import type { Expression, ExpressionBuilder, Kysely, Selectable, SqlBool, Transaction } from "kysely";
import type { Actor } from "../../../../kernel/index.js";
import { merged } from "../../../../kernel/index.js";
import { sqlJson } from "../../../../platform/db/index.js";
import type { Listing, ListingSpec } from "../../domain/listing.js";
import type { Subnet } from "../../domain/model.js";
import { isTrusted } from "../../domain/policy.js";
import { E } from "../../errors.js";
import { inOrder, listingConditions, listingOrder, standardColumns, textColumn } from "./listing.js";
import { NOBODY, ownedNetworkIds, standardOf } from "./networks.js";
import type { NetworkTables } from "./tables.js";

type Db = Kysely<NetworkTables>;
type Tx = Transaction<NetworkTables>;

export const subnetListing: ListingSpec = {
  columns: {
    ...standardColumns,
    network_id: textColumn("network_id"),
    cidr: textColumn("cidr"),
    gateway_ip: textColumn("gateway_ip"),
    ip_version: { column: "ip_version", kind: "number" },
    enable_dhcp: { column: "enable_dhcp", kind: "flag" },
    ipv6_ra_mode: textColumn("ipv6_ra_mode"),
    ipv6_address_mode: textColumn("ipv6_address_mode"),
  },
  // There are neither subnet pools nor segments here, so these match nothing.
  special: ["subnetpool_id", "segment_id", "shared"],
  sortable: ["id", "name", "project_id", "network_id", "cidr", "ip_version", "enable_dhcp"],
  tagged: true,
};

const visible =
  (actor: Actor) =>
  (eb: ExpressionBuilder<NetworkTables, "network_subnet">): Expression<SqlBool> =>
    isTrusted(actor)
      ? eb.lit(true)
      : eb.or([
          eb("project_id", "=", actor.projectId || NOBODY),
          eb("network_id", "in", ownedNetworkIds(actor, true)),
        ]);

export async function listSubnets(db: Db, actor: Actor, listing: Listing): Promise<Subnet[]> {
  if (listing.special.has("subnetpool_id") || listing.special.has("segment_id")) return [];
  const marker = listing.marker === undefined ? undefined : await getRow(db, actor, listing.marker);
  const query = db
    .selectFrom("network_subnet")
    .selectAll()
    .where(visible(actor))
    .where((eb) => eb.and(listingConditions(listing, marker)))
    .orderBy(listingOrder(listing));
  const rows = await (listing.limit === undefined ? query : query.limit(listing.limit)).execute();
  return inOrder(listing, rows).map(toSubnet);
}

async function getRow(db: Db, actor: Actor, id: string) {
  const row = await db
    .selectFrom("network_subnet")
    .selectAll()
    .where("id", "=", id)
    .where(visible(actor))
    .executeTakeFirst();
  if (!row) throw E.SUBNET_NOT_FOUND({ id });
  return row;
}

/** @throws SUBNET_NOT_FOUND also when the actor may not see it */
export const getSubnet = async (db: Db, actor: Actor, id: string): Promise<Subnet> =>
  toSubnet(await getRow(db, actor, id));

/** All of a network, for addressing: whoever sees the network may use them. */
export const subnetsOf = async (db: Db, networkId: string): Promise<Subnet[]> =>
  (
    await db
      .selectFrom("network_subnet")
      .selectAll()
      .where("network_id", "=", networkId)
      .orderBy("created_at")
      .orderBy("id")
      .execute()
  ).map(toSubnet);

/** What addressing needs of a subnet. */
export type AddressedSubnet = Pick<
  Subnet,
  "id" | "ipVersion" | "cidr" | "allocationPools" | "ipv6AddressMode"
>;

export async function insertSubnet(tx: Tx, subnet: Subnet): Promise<void> {
  await tx.insertInto("network_subnet").values(toRow(subnet)).execute();
}

export async function updateSubnet(tx: Tx, subnet: Subnet): Promise<void> {
  const { id, created_at: _created, ...row } = toRow(subnet);
  await tx.updateTable("network_subnet").set(row).where("id", "=", id).execute();
}

/** The service's own DHCP ports lose their address. @throws SUBNET_IN_USE */
export async function deleteSubnet(tx: Tx, id: string): Promise<void> {
  const used = await tx
    .selectFrom("network_fixed_ip as ip")
    .innerJoin("network_port as port", "port.id", "ip.port_id")
    .select("port.id")
    .where("ip.subnet_id", "=", id)
    .where("port.device_owner", "!=", "network:dhcp")
    .limit(1)
    .execute();
  if (used.length > 0) throw E.SUBNET_IN_USE({ id });
  await dropDhcpAddress(tx, id);
  await tx.deleteFrom("network_subnet").where("id", "=", id).execute();
}

/** Takes the DHCP port's address in the subnet away, and the port with its last one. */
export async function dropDhcpAddress(tx: Tx, subnetId: string): Promise<void> {
  const dhcpPorts = tx.selectFrom("network_port").select("id").where("device_owner", "=", "network:dhcp");
  const freed = await tx
    .deleteFrom("network_fixed_ip")
    .where("subnet_id", "=", subnetId)
    .where("port_id", "in", dhcpPorts)
    .returning("port_id")
    .execute();
  for (const { port_id: portId } of freed) {
    const left = await tx
      .selectFrom("network_fixed_ip")
      .select("ip_address")
      .where("port_id", "=", portId)
      .limit(1)
      .execute();
    if (left.length === 0) await tx.deleteFrom("network_port").where("id", "=", portId).execute();
  }
}

const toRow = (subnet: Subnet) => ({
  id: subnet.id,
  name: subnet.name,
  description: subnet.description,
  project_id: subnet.projectId,
  tags: [...subnet.tags],
  revision: subnet.revision,
  created_at: subnet.createdAt,
  updated_at: subnet.updatedAt,
  network_id: subnet.networkId,
  ip_version: subnet.ipVersion,
  cidr: subnet.cidr,
  gateway_ip: subnet.gatewayIp,
  enable_dhcp: subnet.enableDhcp,
  dns_nameservers: [...subnet.dnsNameservers],
  allocation_pools: sqlJson(subnet.allocationPools),
  host_routes: sqlJson(subnet.hostRoutes),
  ipv6_ra_mode: subnet.ipv6RaMode,
  ipv6_address_mode: subnet.ipv6AddressMode,
});

const toSubnet = (row: Selectable<NetworkTables["network_subnet"]>): Subnet =>
  merged(standardOf(row), {
    networkId: row.network_id,
    ipVersion: row.ip_version,
    cidr: row.cidr,
    gatewayIp: row.gateway_ip,
    enableDhcp: row.enable_dhcp,
    dnsNameservers: row.dns_nameservers,
    allocationPools: row.allocation_pools,
    hostRoutes: row.host_routes,
    ipv6RaMode: row.ipv6_ra_mode,
    ipv6AddressMode: row.ipv6_address_mode,
  });
