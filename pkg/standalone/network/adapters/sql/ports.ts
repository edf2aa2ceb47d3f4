import { jsonArrayFrom } from "kysely/helpers/postgres";
import { sql } from "kysely";
import type { Expression, ExpressionBuilder, Kysely, Selectable, SqlBool, Transaction } from "kysely";
import type { Actor } from "../../../../kernel/index.js";
import { merged } from "../../../../kernel/index.js";
import { sqlJson } from "../../../../platform/db/index.js";
import type { Listing, ListingSpec } from "../../domain/listing.js";
import type { FixedIp, InactiveBinding, Port } from "../../domain/model.js";
import { isTrusted } from "../../domain/policy.js";
import { E } from "../../errors.js";
import { inOrder, listingConditions, listingOrder, standardColumns, textColumn } from "./listing.js";
import { NOBODY, ownedNetworkIds, standardOf } from "./networks.js";
import type { NetworkTables } from "./tables.js";

type Db = Kysely<NetworkTables>;
type Tx = Transaction<NetworkTables>;
type Builder = ExpressionBuilder<NetworkTables, "network_port">;

export const portListing: ListingSpec = {
  columns: {
    ...standardColumns,
    network_id: textColumn("network_id"),
    mac_address: textColumn("mac_address"),
    status: textColumn("status"),
    device_id: textColumn("device_id"),
    device_owner: textColumn("device_owner"),
    "binding:host_id": textColumn("host_id"),
    "binding:vnic_type": textColumn("vnic_type"),
    dns_name: textColumn("dns_name"),
    admin_state_up: { column: "admin_state_up", kind: "flag" },
    port_security_enabled: { column: "port_security_enabled", kind: "flag" },
  },
  special: ["fixed_ips", "security_groups", "ip_allocation"],
  sortable: [
    "id",
    "name",
    "project_id",
    "network_id",
    "mac_address",
    "status",
    "device_id",
    "device_owner",
    "admin_state_up",
  ],
  tagged: true,
};

/** The actor's own ports and those on networks that its project owns. */
const visible =
  (actor: Actor) =>
  (eb: Builder): Expression<SqlBool> =>
    isTrusted(actor)
      ? eb.lit(true)
      : eb.or([
          eb("project_id", "=", actor.projectId || NOBODY),
          eb("network_id", "in", ownedNetworkIds(actor, false)),
        ]);

const select = (db: Db) =>
  db
    .selectFrom("network_port")
    .selectAll("network_port")
    .select((eb) => [
      jsonArrayFrom(
        eb
          .selectFrom("network_fixed_ip as f")
          .select(["f.subnet_id", "f.ip_address"])
          .whereRef("f.port_id", "=", "network_port.id")
          .orderBy("f.position")
          .orderBy("f.ip_address"),
      ).as("fixed_ips"),
      jsonArrayFrom(
        eb
          .selectFrom("network_port_security_group as g")
          .select("g.security_group_id")
          .whereRef("g.port_id", "=", "network_port.id")
          .orderBy("g.security_group_id"),
      ).as("security_groups"),
    ]);

/** One statement without a marker: the most frequent question of a cloud is `ports?device_id=`. */
export async function listPorts(db: Db, actor: Actor, listing: Listing): Promise<Port[]> {
  const marker = listing.marker === undefined ? undefined : await getRow(db, actor, listing.marker);
  const query = select(db)
    .where(visible(actor))
    .where((eb) => eb.and([...listingConditions(listing, marker), ...specialConditions(eb, listing)]))
    .orderBy(listingOrder(listing));
  const rows = await (listing.limit === undefined ? query : query.limit(listing.limit)).execute();
  return inOrder(listing, rows).map(toPort);
}

/**
 * `fixed_ips=subnet_id=X&fixed_ips=ip_address=Y` hold together for one address; several of one kind are
 * alternatives.
 */
function specialConditions(eb: Builder, listing: Listing): Expression<SqlBool>[] {
  const conditions: Expression<SqlBool>[] = [];
  const groups = listing.special.get("security_groups");
  if (groups)
    conditions.push(
      eb(
        "id",
        "in",
        eb
          .selectFrom("network_port_security_group")
          .select("port_id")
          .where("security_group_id", "in", groups),
      ),
    );
  const allocation = listing.special.get("ip_allocation");
  if (allocation && !allocation.includes("immediate")) conditions.push(sql<SqlBool>`false`);
  const wanted = (listing.special.get("fixed_ips") ?? []).map((pair) => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  if (wanted.length === 0) return conditions;
  if (wanted.some(([key]) => !["subnet_id", "ip_address", "ip_address_substr"].includes(key))) {
    throw E.INVALID_INPUT({
      problem: "fixed_ips filters are subnet_id=, ip_address= and ip_address_substr=",
    });
  }
  const values = (name: string): string[] => wanted.flatMap(([key, value]) => (key === name ? [value] : []));
  conditions.push(
    eb(
      "id",
      "in",
      eb
        .selectFrom("network_fixed_ip")
        .select("port_id")
        .where((ip) =>
          ip.and([
            ...(values("subnet_id").length > 0 ? [ip("subnet_id", "in", values("subnet_id"))] : []),
            ...(values("ip_address").length > 0 ? [ip("ip_address", "in", values("ip_address"))] : []),
            ...values("ip_address_substr").map((part) => sql<SqlBool>`position(${part} in ip_address) > 0`),
          ]),
        ),
    ),
  );
  return conditions;
}

async function getRow(db: Db, actor: Actor, id: string) {
  const row = await select(db).where("id", "=", id).where(visible(actor)).executeTakeFirst();
  if (!row) throw E.PORT_NOT_FOUND({ id });
  return row;
}

/** @throws PORT_NOT_FOUND also when the actor may not see it */
export const getPort = async (db: Db, actor: Actor, id: string): Promise<Port> =>
  toPort(await getRow(db, actor, id));

/**
 * Stores a port with its groups, and with those of the addresses that are free.
 * @param addresses  by position; undefined where none could be chosen
 * @returns the positions of the addresses that are the port's now, or undefined, with nothing stored, when
 *   its MAC address is in use
 * @cost one statement
 */
export async function insertPort(
  tx: Tx,
  port: Port,
  addresses: readonly (FixedIp | undefined)[],
): Promise<ReadonlySet<number> | undefined> {
  const chosen = addresses.flatMap((ip, position) => (ip === undefined ? [] : [{ ...ip, position }]));
  const rows = await tx
    .with("port", (db) =>
      db
        .insertInto("network_port")
        .values(toRow(port))
        .onConflict((oc) => oc.columns(["network_id", "mac_address"]).doNothing())
        .returning("id"),
    )
    .with("member", (db) =>
      db
        .insertInto("network_port_security_group")
        .columns(["port_id", "security_group_id"])
        .expression(
          db
            .selectFrom("port")
            .select([
              "port.id",
              sql<string>`unnest(${port.securityGroupIds}::text[])`.as("security_group_id"),
            ]),
        )
        .returning("port_id"),
    )
    .with("address", (db) =>
      db
        .insertInto("network_fixed_ip")
        .columns(["port_id", "subnet_id", "ip_address", "position"])
        .expression(
          db
            .selectFrom("port")
            .select([
              "port.id",
              sql<string>`unnest(${chosen.map((ip) => ip.subnetId)}::text[])`.as("subnet_id"),
              sql<string>`unnest(${chosen.map((ip) => ip.ipAddress)}::text[])`.as("ip_address"),
              sql<number>`unnest(${chosen.map((ip) => ip.position)}::int8[])`.as("position"),
            ]),
        )
        .onConflict((oc) => oc.columns(["subnet_id", "ip_address"]).doNothing())
        .returning("position"),
    )
    .selectFrom("port")
    .leftJoin("address", (join) => join.onTrue())
    .select("address.position")
    .execute();
  return rows.length === 0 ? undefined : new Set(rows.flatMap(({ position }) => position ?? []));
}

/** Everything but addresses, which `assignAddresses` owns. @throws MAC_ADDRESS_IN_USE */
export async function updatePort(tx: Tx, before: Port, port: Port): Promise<void> {
  if (before.macAddress !== port.macAddress) {
    const taken = await tx
      .selectFrom("network_port")
      .select("id")
      .where("network_id", "=", port.networkId)
      .where("mac_address", "=", port.macAddress)
      .execute();
    if (taken.length > 0) throw E.MAC_ADDRESS_IN_USE({ network: port.networkId, mac: port.macAddress });
  }
  const { id, created_at: _created, ...row } = toRow(port);
  await tx.updateTable("network_port").set(row).where("id", "=", id).execute();
  if (JSON.stringify(before.securityGroupIds) === JSON.stringify(port.securityGroupIds)) return;
  await tx.deleteFrom("network_port_security_group").where("port_id", "=", id).execute();
  await writeSecurityGroups(tx, id, port.securityGroupIds);
}

async function writeSecurityGroups(tx: Tx, portId: string, ids: readonly string[]): Promise<void> {
  if (ids.length > 0)
    await tx
      .insertInto("network_port_security_group")
      .values(ids.map((id) => ({ port_id: portId, security_group_id: id })))
      .execute();
}

export async function deletePort(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom("network_port").where("id", "=", id).execute();
}

export const inactiveBindings = async (db: Db, portId: string): Promise<InactiveBinding[]> =>
  (
    await db
      .selectFrom("network_port_binding")
      .selectAll()
      .where("port_id", "=", portId)
      .orderBy("host")
      .execute()
  ).map((row) => ({ portId: row.port_id, host: row.host, vnicType: row.vnic_type, profile: row.profile }));

/** Adds or replaces the binding to a host. */
export async function putBinding(
  tx: Tx,
  { portId, host, vnicType, profile }: InactiveBinding,
): Promise<void> {
  await deleteBinding(tx, portId, host);
  await tx
    .insertInto("network_port_binding")
    .values({ port_id: portId, host, vnic_type: vnicType, profile: sqlJson(profile) })
    .execute();
}

export async function deleteBinding(tx: Tx, portId: string, host: string): Promise<boolean> {
  const gone = await tx
    .deleteFrom("network_port_binding")
    .where("port_id", "=", portId)
    .where("host", "=", host)
    .executeTakeFirstOrThrow();
  return gone.numDeletedRows > 0n;
}

const toRow = (port: Port) => ({
  id: port.id,
  name: port.name,
  description: port.description,
  project_id: port.projectId,
  tags: [...port.tags],
  revision: port.revision,
  created_at: port.createdAt,
  updated_at: port.updatedAt,
  network_id: port.networkId,
  mac_address: port.macAddress,
  admin_state_up: port.adminStateUp,
  status: port.status,
  device_id: port.deviceId,
  device_owner: port.deviceOwner,
  port_security_enabled: port.portSecurityEnabled,
  allowed_address_pairs: sqlJson(port.allowedAddressPairs),
  extra_dhcp_opts: sqlJson(port.extraDhcpOpts),
  dns_name: port.dnsName,
  host_id: port.hostId,
  vnic_type: port.vnicType,
  binding_profile: sqlJson(port.bindingProfile),
});

type PortRow = Selectable<NetworkTables["network_port"]> & {
  fixed_ips: { subnet_id: string; ip_address: string }[];
  security_groups: { security_group_id: string }[];
};

const toPort = (row: PortRow): Port =>
  merged(standardOf(row), {
    networkId: row.network_id,
    macAddress: row.mac_address,
    adminStateUp: row.admin_state_up,
    status: row.status,
    deviceId: row.device_id,
    deviceOwner: row.device_owner,
    portSecurityEnabled: row.port_security_enabled,
    allowedAddressPairs: row.allowed_address_pairs,
    extraDhcpOpts: row.extra_dhcp_opts,
    dnsName: row.dns_name,
    hostId: row.host_id,
    vnicType: row.vnic_type,
    bindingProfile: row.binding_profile,
    fixedIps: row.fixed_ips.map((ip): FixedIp => ({ subnetId: ip.subnet_id, ipAddress: ip.ip_address })),
    securityGroupIds: row.security_groups.map((group) => group.security_group_id),
  });
