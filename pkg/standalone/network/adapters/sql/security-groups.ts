import type { Expression, ExpressionBuilder, Kysely, Selectable, SqlBool, Transaction } from "kysely";
import type { Actor, Instant } from "../../../../kernel/index.js";
import type { Listing, ListingSpec } from "../../domain/listing.js";
import type { SecurityGroup, SecurityGroupRule } from "../../domain/model.js";
import { isTrusted } from "../../domain/policy.js";
import type { RuleWish } from "../../domain/rule-checks.js";
import { ruleIdentity } from "../../domain/rule-checks.js";
import { E } from "../../errors.js";
import { inOrder, listingConditions, listingOrder, standardColumns, textColumn } from "./listing.js";
import { NOBODY, standardOf } from "./networks.js";
import type { NetworkTables } from "./tables.js";
import { newStandard } from "../../domain/model.js";

type Db = Kysely<NetworkTables>;
type Tx = Transaction<NetworkTables>;

export const groupListing: ListingSpec = {
  columns: {
    ...standardColumns,
  },
  special: ["shared"],
  sortable: ["id", "name", "project_id"],
  tagged: true,
};

export const ruleListing: ListingSpec = {
  columns: {
    id: textColumn("id"),
    project_id: textColumn("project_id"),
    tenant_id: textColumn("project_id"),
    security_group_id: textColumn("security_group_id"),
    direction: textColumn("direction"),
    ethertype: textColumn("ethertype"),
    protocol: textColumn("protocol"),
    remote_ip_prefix: textColumn("remote_ip_prefix"),
    remote_group_id: textColumn("remote_group_id"),
    description: textColumn("description"),
    port_range_min: { column: "port_range_min", kind: "number" },
    port_range_max: { column: "port_range_max", kind: "number" },
  },
  special: [],
  sortable: ["id", "project_id", "security_group_id", "direction", "ethertype"],
  tagged: false,
};

const visibleGroup =
  (actor: Actor) =>
  (eb: ExpressionBuilder<NetworkTables, "network_security_group">): Expression<SqlBool> =>
    isTrusted(actor) ? eb.lit(true) : eb("project_id", "=", actor.projectId || NOBODY);
const visibleRule =
  (actor: Actor) =>
  (eb: ExpressionBuilder<NetworkTables, "network_security_group_rule">): Expression<SqlBool> =>
    isTrusted(actor) ? eb.lit(true) : eb("project_id", "=", actor.projectId || NOBODY);

/** With their rules, unless the list asks for other fields only. */
export async function listGroups(db: Db, actor: Actor, listing: Listing): Promise<SecurityGroup[]> {
  const marker = listing.marker === undefined ? undefined : await getGroupRow(db, actor, listing.marker);
  const query = db
    .selectFrom("network_security_group")
    .selectAll()
    .where(visibleGroup(actor))
    .where((eb) => eb.and(listingConditions(listing, marker)))
    .orderBy(listingOrder(listing));
  const rows = inOrder(
    listing,
    await (listing.limit === undefined ? query : query.limit(listing.limit)).execute(),
  );
  const wantsRules = listing.fields.length === 0 || listing.fields.includes("security_group_rules");
  const rules =
    wantsRules && rows.length > 0
      ? await rulesOf(
          db,
          rows.map((row) => row.id),
        )
      : [];
  return rows.map((row) =>
    toGroup(
      row,
      rules.filter((rule) => rule.securityGroupId === row.id),
    ),
  );
}

async function getGroupRow(db: Db, actor: Actor, id: string) {
  const row = await db
    .selectFrom("network_security_group")
    .selectAll()
    .where("id", "=", id)
    .where(visibleGroup(actor))
    .executeTakeFirst();
  if (!row) throw E.SECURITY_GROUP_NOT_FOUND({ id });
  return row;
}

/** @throws SECURITY_GROUP_NOT_FOUND also when the actor may not see it */
export const getGroup = async (db: Db, actor: Actor, id: string): Promise<SecurityGroup> => {
  const row = await getGroupRow(db, actor, id);
  return toGroup(row, await rulesOf(db, [row.id]));
};

const rulesOf = async (db: Db, groupIds: readonly string[]): Promise<SecurityGroupRule[]> =>
  (
    await db
      .selectFrom("network_security_group_rule")
      .selectAll()
      .where("security_group_id", "in", groupIds)
      .orderBy("created_at")
      .orderBy("id")
      .execute()
  ).map(toRule);

/** Makes sure that all exist and belong to the project. @throws SECURITY_GROUP_NOT_FOUND */
export async function requireGroups(db: Db, projectId: string, ids: readonly string[]): Promise<string[]> {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) return [];
  const found = new Set(
    (
      await db
        .selectFrom("network_security_group")
        .select("id")
        .where("id", "in", wanted)
        .where("project_id", "=", projectId)
        .execute()
    ).map((row) => row.id),
  );
  const missing = wanted.find((id) => !found.has(id));
  if (missing !== undefined) throw E.SECURITY_GROUP_NOT_FOUND({ id: missing });
  return wanted.sort();
}

export interface NewIds {
  uuid(): string;
}

/**
 * The id of a project's default group, which is made on first use: everything out, and in from its own
 * members. The unique `default_of` settles races.
 */
export async function ensureDefaultGroup(
  tx: Tx,
  projectId: string,
  ids: NewIds,
  now: Instant,
): Promise<string> {
  const found = await tx
    .selectFrom("network_security_group")
    .select("id")
    .where("default_of", "=", projectId)
    .executeTakeFirst();
  if (found) return found.id;
  const id = ids.uuid();
  const group: SecurityGroup = {
    ...newStandard(id, projectId, now, { name: "default", description: "Default security group" }),
    isDefault: true,
    rules: [],
  };
  await insertGroup(tx, group, ids);
  for (const ethertype of ["IPv4", "IPv6"] as const) {
    await insertRule(tx, { ...blankRule(group, "ingress", ethertype, ids), remoteGroupId: id });
  }
  return id;
}

const blankRule = (
  group: SecurityGroup,
  direction: "ingress" | "egress",
  ethertype: "IPv4" | "IPv6",
  ids: NewIds,
): SecurityGroupRule => ({
  id: ids.uuid(),
  securityGroupId: group.id,
  projectId: group.projectId,
  description: "",
  direction,
  ethertype,
  protocol: null,
  portRangeMin: null,
  portRangeMax: null,
  remoteIpPrefix: null,
  remoteGroupId: null,
  createdAt: group.createdAt,
});

/** A new group lets everything out. */
export async function insertGroup(tx: Tx, group: SecurityGroup, ids: NewIds): Promise<void> {
  await tx.insertInto("network_security_group").values(groupRow(group)).execute();
  for (const ethertype of ["IPv4", "IPv6"] as const)
    await insertRule(tx, blankRule(group, "egress", ethertype, ids));
}

export async function updateGroup(tx: Tx, group: SecurityGroup): Promise<void> {
  const { id, created_at: _created, ...row } = groupRow(group);
  await tx.updateTable("network_security_group").set(row).where("id", "=", id).execute();
}

/** @throws SECURITY_GROUP_IN_USE */
export async function deleteGroup(tx: Tx, id: string): Promise<void> {
  const used = await tx
    .selectFrom("network_port_security_group")
    .select("port_id")
    .where("security_group_id", "=", id)
    .limit(1)
    .execute();
  if (used.length > 0) throw E.SECURITY_GROUP_IN_USE({ id });
  await tx.deleteFrom("network_security_group").where("id", "=", id).execute();
}

export async function listRules(db: Db, actor: Actor, listing: Listing): Promise<SecurityGroupRule[]> {
  const marker = listing.marker === undefined ? undefined : await getRuleRow(db, actor, listing.marker);
  const query = db
    .selectFrom("network_security_group_rule")
    .selectAll()
    .where(visibleRule(actor))
    .where((eb) => eb.and(listingConditions(listing, marker)))
    .orderBy(listingOrder(listing));
  return inOrder(
    listing,
    await (listing.limit === undefined ? query : query.limit(listing.limit)).execute(),
  ).map(toRule);
}

async function getRuleRow(db: Db, actor: Actor, id: string) {
  const row = await db
    .selectFrom("network_security_group_rule")
    .selectAll()
    .where("id", "=", id)
    .where(visibleRule(actor))
    .executeTakeFirst();
  if (!row) throw E.SECURITY_GROUP_RULE_NOT_FOUND({ id });
  return row;
}

/** @throws SECURITY_GROUP_RULE_NOT_FOUND also when the actor may not see it */
export const getRule = async (db: Db, actor: Actor, id: string): Promise<SecurityGroupRule> =>
  toRule(await getRuleRow(db, actor, id));

/** @throws SECURITY_GROUP_RULE_EXISTS */
export async function insertRule(tx: Tx, rule: SecurityGroupRule): Promise<void> {
  const identity = ruleIdentity(rule satisfies RuleWish);
  const done = await tx
    .insertInto("network_security_group_rule")
    .values({
      id: rule.id,
      project_id: rule.projectId,
      description: rule.description,
      security_group_id: rule.securityGroupId,
      direction: rule.direction,
      ethertype: rule.ethertype,
      protocol: rule.protocol,
      port_range_min: rule.portRangeMin,
      port_range_max: rule.portRangeMax,
      remote_ip_prefix: rule.remoteIpPrefix,
      remote_group_id: rule.remoteGroupId,
      identity,
      created_at: rule.createdAt,
    })
    .onConflict((oc) => oc.columns(["security_group_id", "identity"]).doNothing())
    .returning("id")
    .execute();
  if (done.length > 0) return;
  const other = await tx
    .selectFrom("network_security_group_rule")
    .select("id")
    .where("security_group_id", "=", rule.securityGroupId)
    .where("identity", "=", identity)
    .executeTakeFirst();
  throw E.SECURITY_GROUP_RULE_EXISTS({ id: other?.id ?? "" });
}

export async function deleteRule(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom("network_security_group_rule").where("id", "=", id).execute();
}

const groupRow = (group: SecurityGroup) => ({
  id: group.id,
  name: group.name,
  description: group.description,
  project_id: group.projectId,
  tags: [...group.tags],
  revision: group.revision,
  created_at: group.createdAt,
  updated_at: group.updatedAt,
  default_of: group.isDefault ? group.projectId : null,
});

const toGroup = (
  row: Selectable<NetworkTables["network_security_group"]>,
  rules: readonly SecurityGroupRule[],
): SecurityGroup => ({ ...standardOf(row), isDefault: row.default_of !== null, rules });

const toRule = (row: Selectable<NetworkTables["network_security_group_rule"]>): SecurityGroupRule => ({
  id: row.id,
  securityGroupId: row.security_group_id,
  projectId: row.project_id,
  description: row.description,
  direction: row.direction,
  ethertype: row.ethertype,
  protocol: row.protocol,
  portRangeMin: row.port_range_min,
  portRangeMax: row.port_range_max,
  remoteIpPrefix: row.remote_ip_prefix,
  remoteGroupId: row.remote_group_id,
  createdAt: row.created_at,
});
