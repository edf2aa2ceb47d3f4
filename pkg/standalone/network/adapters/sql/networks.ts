import { jsonArrayFrom } from "kysely/helpers/postgres";
import { expressionBuilder } from "kysely";
import type { Expression, ExpressionBuilder, Kysely, Selectable, SqlBool, Transaction } from "kysely";
import type { Actor } from "../../../../kernel/index.js";
import { merged } from "../../../../kernel/index.js";
import type { Listing, ListingSpec } from "../../domain/listing.js";
import type { Network, Standard } from "../../domain/model.js";
import { isTrusted } from "../../domain/policy.js";
import { E } from "../../errors.js";
import { inOrder, listingConditions, listingOrder, standardColumns, textColumn } from "./listing.js";
import type { NetworkTables, StandardColumns } from "./tables.js";

type Db = Kysely<NetworkTables>;
type Tx = Transaction<NetworkTables>;

const flag = (column: string) => ({ column, kind: "flag" }) as const;

export const networkListing: ListingSpec = {
  columns: {
    ...standardColumns,
    admin_state_up: flag("admin_state_up"),
    shared: flag("shared"),
    "router:external": flag("external"),
    is_default: flag("is_default"),
    port_security_enabled: flag("port_security_enabled"),
    mtu: { column: "mtu", kind: "number" },
    dns_domain: textColumn("dns_domain"),
    "provider:network_type": textColumn("network_type"),
    "provider:physical_network": textColumn("physical_network"),
    "provider:segmentation_id": { column: "segmentation_id", kind: "number" },
  },
  // Every network here is ACTIVE: the filter keeps all or none.
  special: ["status"],
  sortable: ["id", "name", "project_id", "admin_state_up", "shared", "mtu"],
  tagged: true,
};

/** A project that no token has; stands in when the actor has none. */
export const NOBODY = "\u0001";

/** The actor's own networks, shared and external ones; trusted actors see all. */
export const visibleNetwork =
  (actor: Actor) =>
  (eb: ExpressionBuilder<NetworkTables, "network_network">): Expression<SqlBool> =>
    isTrusted(actor)
      ? eb.lit(true)
      : eb.or([
          eb("project_id", "=", actor.projectId || NOBODY),
          eb("shared", "=", true),
          eb("external", "=", true),
        ]);

/** Rows as `toNetwork` reads them. */
export const selectNetworks = (db: Db) =>
  db
    .selectFrom("network_network")
    .selectAll("network_network")
    .select((eb) =>
      jsonArrayFrom(
        eb
          .selectFrom("network_subnet as s")
          .select("s.id")
          .whereRef("s.network_id", "=", "network_network.id")
          .orderBy("s.created_at")
          .orderBy("s.id"),
      ).as("subnets"),
    );

export async function listNetworks(db: Db, actor: Actor, listing: Listing): Promise<Network[]> {
  const status = listing.special.get("status");
  if (status && !status.includes("ACTIVE")) return [];
  const marker = listing.marker === undefined ? undefined : await getNetworkRow(db, actor, listing.marker);
  const query = selectNetworks(db)
    .where(visibleNetwork(actor))
    .where((eb) => eb.and(listingConditions(listing, marker)))
    .orderBy(listingOrder(listing));
  const rows = await (listing.limit === undefined ? query : query.limit(listing.limit)).execute();
  return inOrder(listing, rows).map(toNetwork);
}

const getNetworkRow = async (db: Db, actor: Actor, id: string) => {
  const row = await selectNetworks(db).where("id", "=", id).where(visibleNetwork(actor)).executeTakeFirst();
  if (!row) throw E.NETWORK_NOT_FOUND({ id });
  return row;
};

/** @throws NETWORK_NOT_FOUND also when the actor may not see it */
export const getNetwork = async (db: Db, actor: Actor, id: string): Promise<Network> =>
  toNetwork(await getNetworkRow(db, actor, id));

/**
 * For what is on the network already: its owner may have lost sight of the network itself. @throws
 * NETWORK_NOT_FOUND
 */
export async function networkById(db: Db, id: string): Promise<Network> {
  const row = await selectNetworks(db).where("id", "=", id).executeTakeFirst();
  if (!row) throw E.NETWORK_NOT_FOUND({ id });
  return toNetwork(row);
}

/** Segmentation ids of VXLAN and Geneve are 24 bits wide. */
const MAX_VNI = 2 ** 24 - 1;
const ATTEMPTS = 8;

/**
 * Stores a network; without a segmentation id, one of overlay type gets a free one.
 * @throws VNI_IN_USE, NO_NETWORK_AVAILABLE
 */
export async function insertNetwork(
  tx: Tx,
  network: Omit<Network, "subnetIds">,
  random: () => number,
): Promise<void> {
  const overlay = network.networkType === "vxlan" || network.networkType === "geneve";
  const fixed = network.segmentationId !== null || !overlay;
  for (let attempt = 0; attempt < (fixed ? 1 : ATTEMPTS); attempt++) {
    const segmentationId = fixed ? network.segmentationId : 1 + Math.floor(random() * MAX_VNI);
    const done = await tx
      .insertInto("network_network")
      .values(toRow({ ...network, segmentationId }))
      .onConflict((oc) => oc.columns(["network_type", "segmentation_id"]).doNothing())
      .returning("id")
      .execute();
    if (done.length > 0) return;
  }
  if (fixed) throw E.VNI_IN_USE({ segment: `${network.networkType} ${network.segmentationId}` });
  throw E.NO_NETWORK_AVAILABLE({});
}

export async function updateNetwork(tx: Tx, network: Network): Promise<void> {
  const { id, created_at: _created, ...row } = toRow(network);
  await tx.updateTable("network_network").set(row).where("id", "=", id).execute();
}

/**
 * What others rely on cannot be taken back: a shared network while other projects have ports on it, an
 * external one while routers or floating IPs have; and one external network at most is the default.
 * @throws INVALID_SHARED_SETTING, EXTERNAL_NETWORK_IN_USE, DEFAULT_EXTERNAL_NETWORK_EXISTS
 */
export async function refuseConflicts(
  tx: Tx,
  before: Pick<Network, "shared" | "external">,
  after: Omit<Network, "subnetIds">,
): Promise<void> {
  const ports = tx.selectFrom("network_port").select("id").where("network_id", "=", after.id).limit(1);
  if (before.shared && !after.shared) {
    const foreign = await ports.where("project_id", "not in", [after.projectId, ""]).executeTakeFirst();
    if (foreign) throw E.INVALID_SHARED_SETTING({ network: after.name });
  }
  if (before.external && !after.external) {
    const leading = await ports
      .where("device_owner", "in", ["network:router_gateway", "network:floatingip"])
      .executeTakeFirst();
    if (leading) throw E.EXTERNAL_NETWORK_IN_USE({ id: after.id });
  }
  if (after.external && after.isDefault) {
    const other = await tx
      .selectFrom("network_network")
      .select("id")
      .where("external", "=", true)
      .where("is_default", "=", true)
      .where("id", "!=", after.id)
      .executeTakeFirst();
    if (other) throw E.DEFAULT_EXTERNAL_NETWORK_EXISTS({ id: other.id });
  }
}

/** With its subnets and the service's own ports. @throws NETWORK_IN_USE */
export async function deleteNetwork(tx: Tx, id: string): Promise<void> {
  const used = await tx
    .selectFrom("network_port")
    .select("id")
    .where("network_id", "=", id)
    .where("device_owner", "!=", "network:dhcp")
    .limit(1)
    .execute();
  if (used.length > 0) throw E.NETWORK_IN_USE({ id });
  await tx.deleteFrom("network_port").where("network_id", "=", id).execute();
  await tx.deleteFrom("network_network").where("id", "=", id).execute();
}

const toRow = (network: Omit<Network, "subnetIds">) => ({
  id: network.id,
  name: network.name,
  description: network.description,
  project_id: network.projectId,
  tags: [...network.tags],
  revision: network.revision,
  created_at: network.createdAt,
  updated_at: network.updatedAt,
  admin_state_up: network.adminStateUp,
  shared: network.shared,
  external: network.external,
  is_default: network.isDefault,
  mtu: network.mtu,
  port_security_enabled: network.portSecurityEnabled,
  dns_domain: network.dnsDomain,
  network_type: network.networkType,
  physical_network: network.physicalNetwork,
  segmentation_id: network.segmentationId,
});

/** The fields that all resources share. */
export const standardOf = (row: StandardColumns): Standard => ({
  id: row.id,
  name: row.name,
  description: row.description,
  projectId: row.project_id,
  tags: row.tags,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export const toNetwork = (
  row: Selectable<NetworkTables["network_network"]> & { subnets: { id: string }[] },
): Network =>
  merged(standardOf(row), {
    adminStateUp: row.admin_state_up,
    shared: row.shared,
    external: row.external,
    isDefault: row.is_default,
    mtu: row.mtu,
    portSecurityEnabled: row.port_security_enabled,
    dnsDomain: row.dns_domain,
    networkType: row.network_type,
    physicalNetwork: row.physical_network,
    segmentationId: row.segmentation_id,
    subnetIds: row.subnets.map((subnet) => subnet.id),
  });

/**
 * The ids of networks that belong to the actor's project, or are shared: a subselect for other resources'
 * visibility.
 */
export const ownedNetworkIds = (actor: Actor, shared: boolean) =>
  expressionBuilder<NetworkTables>()
    .selectFrom("network_network as n")
    .select("n.id")
    .where((eb) =>
      eb.or([
        eb("n.project_id", "=", actor.projectId || NOBODY),
        ...(shared ? [eb("n.shared", "=", true)] : []),
      ]),
    );
