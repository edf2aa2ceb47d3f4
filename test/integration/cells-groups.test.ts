import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { GlobalServiceDefinition } from "../../gen/kilonova/cells/v1/global_service.js";
import { ServerGroupStoreServiceDefinition } from "../../gen/kilonova/cells/v1/server_groups_service.js";
import { ServerGroupPolicy } from "../../gen/kilonova/api/v1/server_groups_service.js";
import { KilonovaError } from "../../pkg/kernel/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { bootRequest } from "../crash/requests.js";
import { startCellsService } from "./support/cells-service.js";

describe("server groups", () => {
  const ANTI_AFFINITY = ServerGroupPolicy.SERVER_GROUP_POLICY_ANTI_AFFINITY;
  const boot = (ids: string[], groupId: string) => {
    const request = bootRequest({ ids });
    return {
      ...request,
      servers: request.servers?.map((one) => ({ ...one, spec: { ...one.spec, serverGroupId: groupId } })),
    };
  };

  it("are limited, paged, and made once per client token", async () => {
    const s = await startCellsService({ maxServerGroups: 3 });
    const create = (name: string, token = "", hash = name) =>
      s.groups.createStoredServerGroup(testCtx(), {
        serverGroup: {
          id: randomUUID(),
          name,
          projectId: "project",
          userId: "u",
          policy: ANTI_AFFINITY,
          maxServerPerHost: 2,
        },
        once: { clientToken: token, bodyHash: Buffer.from(hash), method: "CreateServerGroup" },
      });
    const [first, again] = await Promise.all([create("a", "t"), create("a", "t")]);
    assert.equal(first.serverGroup?.id, again.serverGroup?.id);
    assert.deepEqual([first.replayed, again.replayed].sort(), [false, true]);
    await assert.rejects(create("a", "t", "other"), { reason: "TOKEN_REUSED" });
    for (const name of ["b", "c"]) await create(name);
    await assert.rejects(create("d"), { reason: "SERVER_GROUP_QUOTA", kind: "quota" });
    assert.equal(
      (await s.global.getQuota(testCtx(), { projectId: "project", userId: "u" })).limits.find(
        ({ resource }) => resource === "server_groups",
      )?.used,
      3n,
    );
    const page = await s.groups.listStoredServerGroups(testCtx(), { projectId: "project", pageSize: 2 });
    const next = await s.groups.listStoredServerGroups(testCtx(), {
      projectId: "project",
      pageSize: 2,
      pageToken: page.nextPageToken,
    });
    assert.deepEqual(
      [...page.serverGroups, ...next.serverGroups].map(({ name, maxServerPerHost }) => [
        name,
        maxServerPerHost,
      ]),
      [
        ["a", 2],
        ["b", 2],
        ["c", 2],
      ],
    );
    assert.deepEqual(
      (
        await s.groups.listStoredServerGroups(testCtx(), { projectId: "project", skip: 1, pageSize: 1 })
      ).serverGroups.map(({ name }) => name),
      ["b"],
    );
    const id = first.serverGroup?.id ?? "";
    await assert.rejects(
      s.groups.getStoredServerGroup(testCtx(), { serverGroupId: id, projectId: "other" }),
      { reason: "SERVER_GROUP_NOT_FOUND" },
    );
    await assert.rejects(
      s.groups.deleteStoredServerGroup(testCtx(), { serverGroupId: id, projectId: "other" }),
      { reason: "SERVER_GROUP_NOT_FOUND" },
    );
    await s.groups.deleteStoredServerGroup(testCtx(), { serverGroupId: id, projectId: "project" });
    await assert.rejects(create("a", "t"), { reason: "SERVER_GROUP_NOT_FOUND" });
    await s.close();
  });

  it("are joined when servers are accepted, within the limit, and left when their quota is released", async () => {
    const s = await startCellsService({ maxServerGroupMembers: 2 });
    const group = randomUUID();
    const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()];
    await assert.rejects(s.global.acceptServers(testCtx(), boot([a], group)), {
      reason: "SERVER_GROUP_GONE",
    });
    await s.groups.createStoredServerGroup(testCtx(), {
      serverGroup: { id: group, name: "g", projectId: "p", userId: "u", policy: ANTI_AFFINITY },
    });
    await s.global.acceptServers(testCtx(), boot([a, b], group));
    await assert.rejects(s.global.acceptServers(testCtx(), boot([c], group)), {
      reason: "SERVER_GROUP_MEMBER_QUOTA",
      kind: "quota",
    });
    assert.deepEqual(
      (await s.groups.getStoredServerGroup(testCtx(), { serverGroupId: group })).serverGroup?.memberIds,
      [a, b],
    );
    await s
      .as("cells")
      .client(GlobalServiceDefinition)
      .releaseHoldings(testCtx(), { serverIds: [a] });
    assert.deepEqual(
      (await s.groups.getStoredServerGroup(testCtx(), { serverGroupId: group })).serverGroup?.memberIds,
      [b],
    );
    await s.close();
  });

  it("let no two members be placed against their policy, however they race", async () => {
    const s = await startCellsService();
    const group = randomUUID();
    const ids = [randomUUID(), randomUUID(), randomUUID()];
    await s.groups.createStoredServerGroup(testCtx(), {
      serverGroup: { id: group, name: "g", projectId: "p", userId: "u", policy: ANTI_AFFINITY },
    });
    await s.global.acceptServers(testCtx(), boot(ids, group));
    const conductor = s.as("conductor").client(ServerGroupStoreServiceDefinition);
    const place = (serverId: string, host: string) =>
      conductor.placeGroupMember(testCtx(), {
        serverGroupId: group,
        serverId,
        cell: host === "" ? "" : "cell1",
        host,
      });
    const outcomes = await Promise.allSettled(ids.map((id) => place(id, "h1")));
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    for (const one of outcomes)
      if (one.status === "rejected")
        assert.equal((one.reason as KilonovaError).reason, "GROUP_POLICY_VIOLATED");
    const winner = ids[outcomes.findIndex(({ status }) => status === "fulfilled")] ?? "";
    await place(winner, "h1");
    assert.deepEqual(
      (await conductor.getStoredServerGroup(testCtx(), { serverGroupId: group })).memberHosts,
      ["h1"],
    );
    await place(winner, "");
    await place(ids.find((id) => id !== winner) ?? "", "h1");
    await s.close();
  });
});
