import { ServerGroup } from "../../../../gen/kilonova/api/v1/server_groups_service.js";
import type {
  ListStoredServerGroupsRequest,
  ListStoredServerGroupsResponse,
  PlaceGroupMemberRequest,
  ServerGroupStoreServiceDefinition,
} from "../../../../gen/kilonova/cells/v1/server_groups_service.js";
import type { Instant } from "../../../kernel/time.js";
import { groupPolicyWord } from "../../../model/server-group-policy.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import { CellsErrors } from "../../errors.js";
import { mayBeAt } from "../../groups/domain/group-placement.js";
import { tokenUseOf } from "../../operations/store/once.js";
import { pageOf } from "../../store/page.js";
import { bytewise, pageSize } from "./order.js";
import type { Member, TwinState } from "./state.js";
import { remember, replayed } from "./tokens.js";

/** Server groups and their members. */
export const groupHandlers = (twin: TwinState): Handlers<ServerGroupStoreServiceDefinition> => ({
  createStoredServerGroup: async (ctx, { serverGroup = ServerGroup.fromPartial({}), once }) => {
    const use = tokenUseOf(ctx, once);
    const [made] = replayed(twin.global, use) ?? [];
    if (made !== undefined) return { serverGroup: withMembers(twin, find(twin, made, "")), replayed: true };
    const limit = twin.limit("server_groups");
    const held = [...twin.groups.values()].filter(({ group }) => group.projectId === serverGroup.projectId);
    if (limit >= 0 && held.length >= limit) throw CellsErrors.SERVER_GROUP_QUOTA({ limit });
    twin.groups.set(serverGroup.id, { group: serverGroup, createdAt: twin.deps.clock.now() });
    remember(twin.global, use, [serverGroup.id]);
    return { serverGroup, replayed: false };
  },
  getStoredServerGroup: async (_ctx, { serverGroupId, projectId }) => ({
    serverGroup: withMembers(twin, find(twin, serverGroupId, projectId)),
    memberHosts: [
      ...new Set(
        membersOf(twin, serverGroupId)
          .map(([, { host }]) => host)
          .filter((host) => host !== ""),
      ),
    ],
  }),
  listStoredServerGroups: async (_ctx, query) => list(twin, query),
  deleteStoredServerGroup: async (_ctx, { serverGroupId, projectId }) => {
    twin.groups.delete(find(twin, serverGroupId, projectId).id);
    for (const [server] of membersOf(twin, serverGroupId)) twin.members.delete(server);
    return {};
  },
  placeGroupMember: async (_ctx, request) => {
    place(twin, request);
    return {};
  },
});

/** In the order in which they joined. */
const membersOf = ({ members }: TwinState, groupId: string): [string, Member][] =>
  [...members]
    .filter(([, member]) => member.groupId === groupId)
    .sort(([, a], [, b]) =>
      a.joinedAt === b.joinedAt ? a.position - b.position : a.joinedAt < b.joinedAt ? -1 : 1,
    );

function find(twin: TwinState, id: string, projectId: string): ServerGroup {
  const found = twin.groups.get(id)?.group;
  if (found === undefined || (projectId !== "" && found.projectId !== projectId))
    throw CellsErrors.SERVER_GROUP_NOT_FOUND({ group: id });
  return found;
}

const withMembers = (twin: TwinState, group: ServerGroup): ServerGroup => ({
  ...group,
  memberIds: membersOf(twin, group.id).map(([server]) => server),
});

function list(twin: TwinState, query: ListStoredServerGroupsRequest): ListStoredServerGroupsResponse {
  const [time = "0", afterId = ""] = query.pageToken.split("_");
  const compare = (a: readonly [Instant, string], b: readonly [Instant, string]): number =>
    a[0] === b[0] ? bytewise(a[1], b[1]) : a[0] < b[0] ? -1 : 1;
  const found = [...twin.groups.values()]
    .map(({ group, createdAt }) => ({ group: withMembers(twin, group), at: [createdAt, group.id] as const }))
    .filter(
      ({ group, at }) =>
        (query.projectId === "" || group.projectId === query.projectId) &&
        (afterId === "" || compare(at, [BigInt(time), afterId]) > 0),
    )
    .sort((a, b) => compare(a.at, b.at))
    .slice(query.skip);
  const { page, more } = pageOf(
    found,
    pageSize(query.pageSize),
    ({ group }) => ServerGroup.encode(group).finish().length,
  );
  const last = page.at(-1);
  return {
    serverGroups: page.map(({ group }) => group),
    nextPageToken: more && last !== undefined ? last.at.join("_") : "",
  };
}

/**
 * Lets servers join their group. @throws SERVER_GROUP_GONE, SERVER_GROUP_MEMBER_QUOTA, before anything joins
 */
export function requireJoinable(twin: TwinState, groupId: string, userId: string, joining: number): void {
  if (!twin.groups.has(groupId)) throw CellsErrors.SERVER_GROUP_GONE({ group: groupId });
  const limit = twin.limit("server_group_members");
  const own = membersOf(twin, groupId).filter(([server]) => twin.mappings.get(server)?.userId === userId);
  if (limit >= 0 && own.length + joining > limit) throw CellsErrors.SERVER_GROUP_MEMBER_QUOTA({ limit });
}

/** In launch order. */
export function join(twin: TwinState, groupId: string, servers: readonly string[], joinedAt: Instant): void {
  for (const [position, server] of servers.entries())
    twin.members.set(server, { groupId, position, joinedAt, cell: "", host: "" });
}

function place(
  { groups, members }: TwinState,
  { serverGroupId, serverId, cell, host, returns }: PlaceGroupMemberRequest,
): void {
  const group = groups.get(serverGroupId)?.group;
  if (group === undefined) return;
  const others = [...members]
    .filter(([server, one]) => one.groupId === serverGroupId && server !== serverId && one.host !== "")
    .map(([, one]) => one);
  const policy = groupPolicyWord(group.policy);
  const isJudged = host !== "" && !returns;
  if (isJudged && !mayBeAt(policy, group.maxServerPerHost ?? 1, { cell, host }, others))
    throw CellsErrors.GROUP_POLICY_VIOLATED({ policy });
  const member = members.get(serverId);
  if (member?.groupId === serverGroupId) Object.assign(member, { cell, host });
}
