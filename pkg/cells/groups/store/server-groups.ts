import { pageOf } from "../../store/page.js";
import { sql } from "../../store/sql.js";
import { ServerGroup } from "../../../../gen/kilonova/api/v1/server_groups_service.js";
import type {
  CreateStoredServerGroupRequest,
  CreateStoredServerGroupResponse,
  GetStoredServerGroupResponse,
  ListStoredServerGroupsRequest,
  ListStoredServerGroupsResponse,
  PlaceGroupMemberRequest,
} from "../../../../gen/kilonova/cells/v1/server_groups_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { groupPolicyOf, groupPolicyWord } from "../../../model/server-group-policy.js";
import type { Place } from "../domain/group-placement.js";
import { mayBeAt } from "../domain/group-placement.js";
import { otherFieldsOf, withOtherFields } from "../../domain/other-fields.js";
import { CellsErrors } from "../../errors.js";
import type { StoreDeps } from "../../store/deps.js";
import { insertInto } from "../../store/fragments.js";
import { createOnce } from "../../operations/store/once.js";
import type { DefaultLimits } from "../../quota/store/quota.js";
import { limitOf } from "../../quota/store/quota.js";
import type { Sql } from "../../store/sql.js";
import type { Store, Tx } from "../../store/tables.js";

interface GroupRow {
  readonly id: string;
  readonly project_id: string;
  readonly user_id: string;
  readonly name: string;
  readonly policy: string;
  readonly max_server_per_host: number | null;
  readonly created_at: Instant;
  readonly members: string[];
  /** Fields of ServerGroup that have no column. */
  readonly other_fields: Buffer;
}

const groups = ({
  t,
}: Store): Sql<GroupRow> => sql<GroupRow>`SELECT g.id, g.project_id, g.user_id, g.name, g.policy, g.max_server_per_host, g.created_at, g.other_fields,
  ARRAY(SELECT m.server_id FROM ${t.server_group_member} AS m WHERE m.group_id = g.id ORDER BY m.joined_at, m.position) AS members FROM ${t.server_group} AS g`;

const toGroup = (row: GroupRow): ServerGroup => ({
  ...withOtherFields(ServerGroup, row.other_fields),
  id: row.id,
  name: row.name,
  projectId: row.project_id,
  userId: row.user_id,
  policy: groupPolicyOf(row.policy),
  memberIds: row.members,
  maxServerPerHost: row.max_server_per_host ?? undefined,
});

/**
 * Stores a group within its project's limit, once per client token. @throws SERVER_GROUP_QUOTA, TOKEN_REUSED;
 * SERVER_GROUP_NOT_FOUND when what the token made is deleted
 */
export async function createServerGroup(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: CreateStoredServerGroupRequest,
  defaults: DefaultLimits,
): Promise<CreateStoredServerGroupResponse> {
  const { t } = store;
  const asked = request.serverGroup ?? ServerGroup.fromPartial({});
  const { id, replayed } = await createOnce(
    store,
    deps,
    ctx,
    "server-groups.create",
    request.once,
    async (tx) => {
      const limit = await limitOf(store, tx, asked.projectId, asked.userId, "server_groups", defaults);
      const { rows } = await sql<{
        count: number;
      }>`SELECT count(*) AS count FROM ${t.server_group} WHERE project_id = ${asked.projectId}`.execute(tx);
      if (limit >= 0 && (rows[0]?.count ?? 0) >= limit) throw CellsErrors.SERVER_GROUP_QUOTA({ limit });
      await insertInto(t.server_group, [
        {
          id: asked.id,
          project_id: asked.projectId,
          user_id: asked.userId,
          name: asked.name,
          policy: groupPolicyWord(asked.policy),
          max_server_per_host: asked.maxServerPerHost ?? null,
          created_at: deps.clock.now(),
          other_fields: otherFieldsOf(ServerGroup, asked),
        },
      ]).execute(tx);
      return asked.id;
    },
  );
  const { serverGroup } = replayed ? await getServerGroup(store, ctx, id, "") : { serverGroup: asked };
  return { serverGroup, replayed };
}

/** @param projectId  "" for any @throws SERVER_GROUP_NOT_FOUND */
export async function getServerGroup(
  store: Store,
  ctx: Ctx,
  id: string,
  projectId: string,
): Promise<GetStoredServerGroupResponse> {
  return store.db.read(ctx, "server-groups.get", async (tx) => {
    const { rows } =
      await sql<GroupRow>`${groups(store)} WHERE g.id = ${id} AND (${projectId} = '' OR g.project_id = ${projectId})`.execute(
        tx,
      );
    const row = rows[0];
    if (row === undefined) throw CellsErrors.SERVER_GROUP_NOT_FOUND({ group: id });
    const { rows: hosts } = await sql<{
      host: string;
    }>`SELECT DISTINCT host FROM ${store.t.server_group_member} WHERE group_id = ${id} AND host <> ''`.execute(
      tx,
    );
    return { serverGroup: toGroup(row), memberHosts: hosts.map(({ host }) => host) };
  });
}

/** Oldest first. Page tokens are the place of the last one: its time and id. */
export async function listServerGroups(
  store: Store,
  ctx: Ctx,
  query: ListStoredServerGroupsRequest,
): Promise<ListStoredServerGroupsResponse> {
  const limit = Math.min(1000, query.pageSize === 0 ? 1000 : query.pageSize);
  const [time = "0", afterId = ""] = query.pageToken.split("_");
  const { rows } = await store.db.statement(ctx, "server-groups.list", (db) =>
    sql<GroupRow>`${groups(store)}
    WHERE (${query.projectId} = '' OR g.project_id = ${query.projectId}) AND (${afterId} = '' OR (g.created_at, g.id) > (${BigInt(time)}, ${afterId}))
    ORDER BY g.created_at, g.id LIMIT ${limit + 1} OFFSET ${query.skip}`.execute(db),
  );
  const groupsFound = rows.map(toGroup);
  const { page: serverGroups, more } = pageOf(
    groupsFound,
    limit,
    (group) => ServerGroup.encode(group).finish().length,
  );
  const last = rows[serverGroups.length - 1];
  return {
    serverGroups: [...serverGroups],
    nextPageToken: more && last !== undefined ? `${last.created_at}_${last.id}` : "",
  };
}

/** @param projectId  "" for any @throws SERVER_GROUP_NOT_FOUND */
export async function deleteServerGroup(
  store: Store,
  ctx: Ctx,
  id: string,
  projectId: string,
): Promise<void> {
  const { t } = store;
  await store.db.write(ctx, "server-groups.delete", async (tx) => {
    const { rows } =
      await sql`DELETE FROM ${t.server_group} WHERE id = ${id} AND (${projectId} = '' OR project_id = ${projectId}) RETURNING 1`.execute(
        tx,
      );
    if (rows.length === 0) throw CellsErrors.SERVER_GROUP_NOT_FOUND({ group: id });
    await sql`DELETE FROM ${t.server_group_member} WHERE group_id = ${id}`.execute(tx);
  });
}

/**
 * Makes sure, inside the transaction that accepts servers, that they may join their group; the group stays
 * locked until it ends.
 * @throws SERVER_GROUP_NOT_FOUND, SERVER_GROUP_MEMBER_QUOTA
 */
export async function joinable(
  store: Store,
  tx: Tx,
  group: { readonly id: string; readonly projectId: string; readonly userId: string },
  joining: number,
  limit: number,
): Promise<void> {
  const { t } = store;
  const { rows } = await sql`SELECT 1 FROM ${t.server_group} WHERE id = ${group.id} FOR UPDATE`.execute(tx);
  if (rows.length === 0) throw CellsErrors.SERVER_GROUP_GONE({ group: group.id });
  if (limit < 0) return;
  const { rows: counted } = await sql<{
    count: number;
  }>`SELECT count(*) AS count FROM ${t.server_group_member} AS m
    JOIN ${t.instance_mapping} AS i ON i.server_id = m.server_id WHERE m.group_id = ${group.id} AND i.user_id = ${group.userId}`.execute(
    tx,
  );
  if ((counted[0]?.count ?? 0) + joining > limit) throw CellsErrors.SERVER_GROUP_MEMBER_QUOTA({ limit });
}

/** Rows of servers that join a group, in launch order. */
export const memberRows = (
  groupId: string,
  serverIds: readonly string[],
  now: Instant,
): Readonly<Record<string, unknown>>[] =>
  serverIds.map((id, position) => ({ server_id: id, group_id: groupId, position, joined_at: now }));

/** @throws GROUP_POLICY_VIOLATED, never of a member that returns */
export async function placeMember(
  store: Store,
  ctx: Ctx,
  { serverGroupId, serverId, cell, host, returns }: PlaceGroupMemberRequest,
): Promise<void> {
  const { t } = store;
  await store.db.write(ctx, "server-groups.place", async (tx) => {
    const { rows } = await sql<{
      policy: string;
      max_server_per_host: number | null;
    }>`SELECT policy, max_server_per_host FROM ${t.server_group} WHERE id = ${serverGroupId} FOR UPDATE`.execute(
      tx,
    );
    const group = rows[0];
    if (group === undefined) return;
    const { rows: others } =
      await sql<Place>`SELECT cell, host FROM ${t.server_group_member} WHERE group_id = ${serverGroupId} AND server_id <> ${serverId} AND host <> ''`.execute(
        tx,
      );
    const isJudged = host !== "" && !returns;
    if (isJudged && !mayBeAt(group.policy, group.max_server_per_host ?? 1, { cell, host }, others))
      throw CellsErrors.GROUP_POLICY_VIOLATED({ policy: group.policy });
    await sql`UPDATE ${t.server_group_member} SET cell = ${cell}, host = ${host} WHERE server_id = ${serverId} AND group_id = ${serverGroupId}`.execute(
      tx,
    );
  });
}
