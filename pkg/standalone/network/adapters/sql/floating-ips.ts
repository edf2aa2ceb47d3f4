import { jsonObjectFrom } from "kysely/helpers/postgres";
import type { Expression, ExpressionBuilder, Kysely, Selectable, SqlBool, Transaction } from "kysely";
import type { Actor } from "../../../../kernel/index.js";
import type { Listing, ListingSpec } from "../../domain/listing.js";
import type { FloatingIp } from "../../domain/model.js";
import { isTrusted } from "../../domain/policy.js";
import { E } from "../../errors.js";
import { inOrder, listingConditions, listingOrder, textColumn } from "./listing.js";
import { NOBODY, standardOf } from "./networks.js";
import type { NetworkTables } from "./tables.js";

type Db = Kysely<NetworkTables>;
type Tx = Transaction<NetworkTables>;

export const floatingIpListing: ListingSpec = {
  columns: {
    id: textColumn("id"),
    description: textColumn("description"),
    project_id: textColumn("project_id"),
    tenant_id: textColumn("project_id"),
    port_id: textColumn("port_id"),
    router_id: textColumn("router_id"),
    floating_network_id: textColumn("network_id"),
    floating_ip_address: textColumn("ip_address"),
    fixed_ip_address: textColumn("fixed_ip_address"),
  },
  special: ["status"],
  sortable: ["id", "project_id", "network_id", "ip_address"],
  tagged: true,
};

const visible =
  (actor: Actor) =>
  (eb: ExpressionBuilder<NetworkTables, "network_floating_ip">): Expression<SqlBool> =>
    isTrusted(actor) ? eb.lit(true) : eb("project_id", "=", actor.projectId || NOBODY);

const select = (db: Db) =>
  db
    .selectFrom("network_floating_ip")
    .selectAll("network_floating_ip")
    .select((eb) =>
      jsonObjectFrom(
        eb
          .selectFrom("network_port as p")
          .select([
            "p.name",
            "p.network_id",
            "p.mac_address",
            "p.admin_state_up",
            "p.status",
            "p.device_id",
            "p.device_owner",
          ])
          .whereRef("p.id", "=", "network_floating_ip.port_id"),
      ).as("port"),
    );

export async function listFloatingIps(db: Db, actor: Actor, listing: Listing): Promise<FloatingIp[]> {
  const marker = listing.marker === undefined ? undefined : await getRow(db, actor, listing.marker);
  const status = listing.special.get("status");
  const query = select(db)
    .where(visible(actor))
    .where((eb) =>
      eb.and([
        ...listingConditions(listing, marker),
        ...(status === undefined
          ? []
          : [
              eb.or([
                ...(status.includes("ACTIVE") ? [eb("port_id", "is not", null)] : []),
                ...(status.includes("DOWN") ? [eb("port_id", "is", null)] : []),
              ]),
            ]),
      ]),
    )
    .orderBy(listingOrder(listing));
  return inOrder(
    listing,
    await (listing.limit === undefined ? query : query.limit(listing.limit)).execute(),
  ).map(toFloatingIp);
}

async function getRow(db: Db, actor: Actor, id: string) {
  const row = await select(db).where("id", "=", id).where(visible(actor)).executeTakeFirst();
  if (!row) throw E.FLOATING_IP_NOT_FOUND({ id });
  return row;
}

/** @throws FLOATING_IP_NOT_FOUND also when the actor may not see it */
export const getFloatingIp = async (db: Db, actor: Actor, id: string): Promise<FloatingIp> =>
  toFloatingIp(await getRow(db, actor, id));

/** @param ownPortId  the port on the external network that holds the address */
export async function insertFloatingIp(tx: Tx, ip: Stored, ownPortId: string): Promise<void> {
  const { name: _name, ...row } = toRow(ip);
  await tx
    .insertInto("network_floating_ip")
    .values({ ...row, own_port_id: ownPortId })
    .execute();
}

export async function updateFloatingIp(tx: Tx, ip: Stored): Promise<void> {
  const { id, name: _name, created_at: _created, ...row } = toRow(ip);
  await tx.updateTable("network_floating_ip").set(row).where("id", "=", id).execute();
}

export async function deleteFloatingIp(tx: Tx, id: string): Promise<void> {
  const gone = await tx
    .deleteFrom("network_floating_ip")
    .where("id", "=", id)
    .returning("own_port_id")
    .executeTakeFirst();
  if (gone) await tx.deleteFrom("network_port").where("id", "=", gone.own_port_id).execute();
}

/** Whether another floating IP leads to the same address of a port already. */
export const isAssociated = async (
  db: Db,
  portId: string,
  fixedIp: string,
  except: string,
): Promise<boolean> =>
  (await db
    .selectFrom("network_floating_ip")
    .select("id")
    .where("port_id", "=", portId)
    .where("fixed_ip_address", "=", fixedIp)
    .where("id", "!=", except)
    .executeTakeFirst()) !== undefined;

type Stored = Omit<FloatingIp, "portDetails">;

const toRow = (ip: Stored) => ({
  id: ip.id,
  name: "",
  description: ip.description,
  project_id: ip.projectId,
  tags: [...ip.tags],
  revision: ip.revision,
  created_at: ip.createdAt,
  updated_at: ip.updatedAt,
  network_id: ip.networkId,
  ip_address: ip.ipAddress,
  port_id: ip.portId,
  fixed_ip_address: ip.fixedIpAddress,
  router_id: ip.routerId,
});

type PortColumns = Pick<
  NetworkTables["network_port"],
  "name" | "network_id" | "mac_address" | "admin_state_up" | "status" | "device_id" | "device_owner"
>;

/** A port that was deleted takes the association with it. */
const toFloatingIp = (
  row: Selectable<NetworkTables["network_floating_ip"]> & { port: PortColumns | null },
): FloatingIp => ({
  ...standardOf({ ...row, name: "" }),
  networkId: row.network_id,
  ipAddress: row.ip_address,
  portId: row.port_id,
  fixedIpAddress: row.port_id === null ? null : row.fixed_ip_address,
  routerId: row.port_id === null ? null : row.router_id,
  portDetails: row.port && {
    name: row.port.name,
    networkId: row.port.network_id,
    macAddress: row.port.mac_address,
    adminStateUp: row.port.admin_state_up,
    status: row.port.status,
    deviceId: row.port.device_id,
    deviceOwner: row.port.device_owner,
  },
});
