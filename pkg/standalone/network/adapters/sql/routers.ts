import { jsonArrayFrom } from "kysely/helpers/postgres";
import type { Expression, ExpressionBuilder, Kysely, Selectable, SqlBool, Transaction } from "kysely";
import type { Actor } from "../../../../kernel/index.js";
import { merged } from "../../../../kernel/index.js";
import { sqlJson } from "../../../../platform/db/index.js";
import type { Listing, ListingSpec } from "../../domain/listing.js";
import type { FixedIp, Router } from "../../domain/model.js";
import { isTrusted } from "../../domain/policy.js";
import { E } from "../../errors.js";
import { inOrder, listingConditions, listingOrder, standardColumns } from "./listing.js";
import { NOBODY, standardOf } from "./networks.js";
import type { NetworkTables } from "./tables.js";

type Db = Kysely<NetworkTables>;
type Tx = Transaction<NetworkTables>;

export const routerListing: ListingSpec = {
  columns: {
    ...standardColumns,
    admin_state_up: { column: "admin_state_up", kind: "flag" },
  },
  special: ["status"],
  sortable: ["id", "name", "project_id", "admin_state_up"],
  tagged: true,
};

const visible =
  (actor: Actor) =>
  (eb: ExpressionBuilder<NetworkTables, "network_router">): Expression<SqlBool> =>
    isTrusted(actor) ? eb.lit(true) : eb("project_id", "=", actor.projectId || NOBODY);

const select = (db: Db) =>
  db
    .selectFrom("network_router")
    .selectAll("network_router")
    .select((eb) =>
      jsonArrayFrom(
        eb
          .selectFrom("network_fixed_ip as f")
          .select(["f.subnet_id", "f.ip_address"])
          .whereRef("f.port_id", "=", "network_router.gateway_port_id")
          .orderBy("f.position"),
      ).as("gateway_ips"),
    );

export async function listRouters(db: Db, actor: Actor, listing: Listing): Promise<Router[]> {
  const status = listing.special.get("status");
  if (status && !status.includes("ACTIVE")) return [];
  const marker = listing.marker === undefined ? undefined : await getRow(db, actor, listing.marker);
  const query = select(db)
    .where(visible(actor))
    .where((eb) => eb.and(listingConditions(listing, marker)))
    .orderBy(listingOrder(listing));
  return inOrder(
    listing,
    await (listing.limit === undefined ? query : query.limit(listing.limit)).execute(),
  ).map(toRouter);
}

async function getRow(db: Db, actor: Actor, id: string) {
  const row = await select(db).where("id", "=", id).where(visible(actor)).executeTakeFirst();
  if (!row) throw E.ROUTER_NOT_FOUND({ id });
  return row;
}

/** @throws ROUTER_NOT_FOUND also when the actor may not see it */
export const getRouter = async (db: Db, actor: Actor, id: string): Promise<Router> =>
  toRouter(await getRow(db, actor, id));

export async function insertRouter(tx: Tx, router: Router): Promise<void> {
  await tx.insertInto("network_router").values(toRow(router)).execute();
}

export async function updateRouter(tx: Tx, router: Router): Promise<void> {
  const { id, created_at: _created, ...row } = toRow(router);
  await tx.updateTable("network_router").set(row).where("id", "=", id).execute();
}

/** With its gateway's port. @throws ROUTER_IN_USE */
export async function deleteRouter(tx: Tx, id: string): Promise<void> {
  const used = await tx
    .selectFrom("network_port")
    .select("id")
    .where("device_id", "=", id)
    .where("device_owner", "=", "network:router_interface")
    .limit(1)
    .execute();
  if (used.length > 0) throw E.ROUTER_IN_USE({ id });
  await tx
    .deleteFrom("network_port")
    .where("device_id", "=", id)
    .where("device_owner", "=", "network:router_gateway")
    .execute();
  await tx.deleteFrom("network_router").where("id", "=", id).execute();
}

/**
 * One address of a router's port: an interface into a project's network, or its gateway to an external one.
 */
export interface RouterLeg {
  readonly portId: string;
  readonly networkId: string;
  readonly subnetId: string;
  readonly cidr: string;
  readonly isGateway: boolean;
}

/** All of a router's legs, by port. */
export const legsOf = async (db: Db, routerId: string): Promise<RouterLeg[]> =>
  (
    await db
      .selectFrom("network_port as port")
      .innerJoin("network_fixed_ip as ip", "ip.port_id", "port.id")
      .innerJoin("network_subnet as subnet", "subnet.id", "ip.subnet_id")
      .select(["port.id", "port.network_id", "port.device_owner", "ip.subnet_id", "subnet.cidr"])
      .where("port.device_id", "=", routerId)
      .where("port.device_owner", "in", ["network:router_interface", "network:router_gateway"])
      .orderBy("port.id")
      .execute()
  ).map((row) => ({
    portId: row.id,
    networkId: row.network_id,
    subnetId: row.subnet_id,
    cidr: row.cidr,
    isGateway: row.device_owner === "network:router_gateway",
  }));

/** Whether floating IPs lead through a router, or only those to addresses of one subnet. */
export const carriesFloatingIps = async (db: Db, routerId: string, subnetId?: string): Promise<boolean> => {
  const query = db
    .selectFrom("network_floating_ip as fip")
    .innerJoin("network_fixed_ip as ip", (join) =>
      join.onRef("ip.port_id", "=", "fip.port_id").onRef("ip.ip_address", "=", "fip.fixed_ip_address"),
    )
    .select("fip.id")
    .where("fip.router_id", "=", routerId);
  return (
    (await (subnetId === undefined ? query : query.where("ip.subnet_id", "=", subnetId)).limit(1).execute())
      .length > 0
  );
};

/** The router through which a subnet reaches an external network, if any. */
export const routerBetween = async (
  db: Db,
  subnetId: string,
  externalNetworkId: string,
): Promise<string | undefined> =>
  (
    await db
      .selectFrom("network_router as router")
      .innerJoin("network_port as port", "port.device_id", "router.id")
      .innerJoin("network_fixed_ip as ip", "ip.port_id", "port.id")
      .select("router.id")
      .where("port.device_owner", "=", "network:router_interface")
      .where("ip.subnet_id", "=", subnetId)
      .where("router.gateway_network_id", "=", externalNetworkId)
      .orderBy("router.id")
      .executeTakeFirst()
  )?.id;

const toRow = (router: Router) => ({
  id: router.id,
  name: router.name,
  description: router.description,
  project_id: router.projectId,
  tags: [...router.tags],
  revision: router.revision,
  created_at: router.createdAt,
  updated_at: router.updatedAt,
  admin_state_up: router.adminStateUp,
  routes: sqlJson(router.routes),
  gateway_network_id: router.gateway?.networkId ?? null,
  gateway_port_id: router.gateway?.portId ?? null,
  enable_snat: router.gateway?.enableSnat ?? true,
});

const toRouter = (
  row: Selectable<NetworkTables["network_router"]> & {
    gateway_ips: { subnet_id: string; ip_address: string }[];
  },
): Router =>
  merged(standardOf(row), {
    adminStateUp: row.admin_state_up,
    routes: row.routes,
    gateway:
      row.gateway_network_id === null || row.gateway_port_id === null
        ? null
        : {
            networkId: row.gateway_network_id,
            portId: row.gateway_port_id,
            enableSnat: row.enable_snat,
            fixedIps: row.gateway_ips.map((ip): FixedIp => ({
              subnetId: ip.subnet_id,
              ipAddress: ip.ip_address,
            })),
          },
  });
