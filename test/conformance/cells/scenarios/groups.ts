import assert from "node:assert/strict";
import { ServerGroup, ServerGroupPolicy } from "../../../../gen/kilonova/api/v1/server_groups_service.js";
import { GlobalServiceDefinition } from "../../../../gen/kilonova/cells/v1/global_service.js";
import { ServerGroupStoreServiceDefinition } from "../../../../gen/kilonova/cells/v1/server_groups_service.js";
import type { Scenario, Stage } from "../stage.js";
import { refusal } from "../stage.js";

const { SERVER_GROUP_POLICY_AFFINITY: TOGETHER, SERVER_GROUP_POLICY_ANTI_AFFINITY: APART } =
  ServerGroupPolicy;

const create = (
  s: Stage,
  n: number,
  init: Parameters<typeof ServerGroup.fromPartial>[0] = {},
  token = "",
  body = "b",
) =>
  s.groups.createStoredServerGroup(s.ctx, {
    serverGroup: ServerGroup.fromPartial({
      id: s.id(n),
      name: "g",
      projectId: s.project,
      userId: s.user,
      policy: TOGETHER,
      ...init,
    }),
    once: { clientToken: token, bodyHash: Buffer.from(body), method: "CreateServerGroup" },
  });

const get = (s: Stage, n: number, projectId: string = s.project) =>
  s.groups.getStoredServerGroup(s.ctx, { serverGroupId: s.id(n), projectId });

const place = (
  s: Stage,
  group: number,
  server: number,
  host: string,
  cell = "cell1",
  more: { readonly returns?: boolean } = {},
) =>
  s.world
    .as("conductor")
    .client(ServerGroupStoreServiceDefinition)
    .placeGroupMember(s.ctx, { serverGroupId: s.id(group), serverId: s.id(server), cell, host, ...more });

const list = async (s: Stage, query: { pageSize?: number; pageToken?: string; skip?: number } = {}) => {
  const asked = { projectId: s.project, ...query };
  const { serverGroups, nextPageToken } = await s.groups.listStoredServerGroups(s.ctx, asked);
  return { numbers: s.numbers(serverGroups.map(({ id }) => id)), nextPageToken };
};

export const groupScenarios: readonly Scenario[] = [
  {
    name: "a group is its project's, and counts against its quota",
    run: async (s) => {
      await create(s, 1);
      await create(s, 2);
      assert.equal(await refusal(create(s, 3)), "SERVER_GROUP_QUOTA");
      assert.equal(await refusal(get(s, 1, "other")), "SERVER_GROUP_NOT_FOUND");
      assert.equal((await get(s, 1, "")).serverGroup?.id, s.id(1));
      const remove = (projectId: string) =>
        s.groups.deleteStoredServerGroup(s.ctx, { serverGroupId: s.id(1), projectId });
      assert.equal(await refusal(remove("other")), "SERVER_GROUP_NOT_FOUND");
      await remove(s.project);
      assert.equal(await refusal(remove(s.project)), "SERVER_GROUP_NOT_FOUND");
      await create(s, 3);
    },
  },
  {
    name: "a token repeated answers with the same group; what it made may be gone",
    run: async (s) => {
      await create(s, 1, {}, "t");
      const again = await create(s, 2, {}, "t");
      assert.deepEqual([again.serverGroup?.id, again.replayed], [s.id(1), true]);
      assert.equal(await refusal(create(s, 2, {}, "t", "other")), "TOKEN_REUSED");
      await s.groups.deleteStoredServerGroup(s.ctx, { serverGroupId: s.id(1) });
      assert.equal(await refusal(create(s, 2, {}, "t")), "SERVER_GROUP_NOT_FOUND");
    },
  },
  {
    name: "groups are listed oldest first, in pages, and without those left out",
    run: async (s) => {
      for (const n of [2, 1]) await create(s, n);
      assert.deepEqual((await list(s)).numbers, [2, 1]);
      const first = await list(s, { pageSize: 1 });
      assert.deepEqual(first.numbers, [2]);
      const rest = await list(s, { pageSize: 1, pageToken: first.nextPageToken });
      assert.deepEqual(rest, { numbers: [1], nextPageToken: "" });
      assert.deepEqual((await list(s, { skip: 1 })).numbers, [1]);
    },
  },
  {
    name: "servers join with their acceptance, in launch order, and leave with their quota",
    run: async (s) => {
      await create(s, 9);
      await s.accept([s.id(2), s.id(1)], { group: s.id(9) });
      assert.deepEqual(s.numbers((await get(s, 9)).serverGroup?.memberIds ?? []), [2, 1]);
      assert.equal(await refusal(s.accept([s.id(3)], { group: s.id(9) })), "SERVER_GROUP_MEMBER_QUOTA");
      assert.equal(await refusal(s.accept([s.id(3)], { group: s.id(8) })), "SERVER_GROUP_GONE");
      const { mappings } = await s.global.getInstanceMappings(s.ctx, { serverIds: [s.id(3)] });
      assert.deepEqual(mappings, [], "a refused server left something");
      await s.world
        .as("conductor")
        .client(GlobalServiceDefinition)
        .releaseHoldings(s.ctx, { serverIds: [s.id(2)] });
      assert.deepEqual(s.numbers((await get(s, 9)).serverGroup?.memberIds ?? []), [1]);
    },
  },
  {
    name: "affinity keeps members on one host, in one cell",
    run: async (s) => {
      await create(s, 9);
      await s.accept([s.id(1), s.id(2)], { group: s.id(9) });
      await place(s, 9, 1, "h1");
      assert.equal(await refusal(place(s, 9, 2, "h2")), "GROUP_POLICY_VIOLATED");
      assert.equal(await refusal(place(s, 9, 2, "h1", "cell2")), "GROUP_POLICY_VIOLATED");
      await place(s, 9, 2, "h1");
      await place(s, 9, 2, "h1");
      assert.deepEqual((await get(s, 9)).memberHosts, ["h1"]);
    },
  },
  {
    name: "anti-affinity allows as many on one host as the group says",
    run: async (s) => {
      await create(s, 9, { policy: APART });
      await s.accept([s.id(1), s.id(2)], { group: s.id(9) });
      await place(s, 9, 1, "h1");
      assert.equal(await refusal(place(s, 9, 2, "h1")), "GROUP_POLICY_VIOLATED");
      await place(s, 9, 1, "");
      await place(s, 9, 2, "h1");
      await place(s, 8, 1, "h1");
      assert.deepEqual((await get(s, 9)).memberHosts, ["h1"]);
    },
  },
  {
    name: "a member that returns is where it was, against the policy too, and counts there",
    run: async (s) => {
      await create(s, 9, { policy: APART });
      await s.accept([s.id(1), s.id(2)], { group: s.id(9) });
      await place(s, 9, 1, "h1");
      await place(s, 9, 1, "h2");
      await place(s, 9, 2, "h1");
      assert.equal(await refusal(place(s, 9, 1, "h1")), "GROUP_POLICY_VIOLATED");
      await place(s, 9, 1, "h1", "cell1", { returns: true });
      assert.deepEqual((await get(s, 9)).memberHosts, ["h1"]);
    },
  },
];
