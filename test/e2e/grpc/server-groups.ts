import assert from "node:assert/strict";
import {
  ServerGroupPolicy,
  ServerGroupsServiceDefinition,
} from "../../../gen/kilonova/api/v1/server_groups_service.js";
import { SchedulerHints } from "../../../gen/kilonova/type/v1/scheduler_hints.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { call, failure } from "../support/grpc-user.js";
import type { Stage } from "./stage.js";

/** Groups decide where servers go, also when they all come at once. */
export function serverGroups(stage: Stage): void {
  const groups = () => stage.demo.channel.client(ServerGroupsServiceDefinition);
  const hostsOf = async (serverIds: readonly string[]): Promise<string[]> =>
    Promise.all(
      serverIds.map(
        async (serverId) =>
          (await stage.admin.servers.getServer(call(), { serverId, withHostInfo: true })).server?.hostInfo
            ?.host ?? "",
      ),
    );
  const bootAll = async (policy: ServerGroupPolicy, count: number) => {
    const { serverGroup } = await groups().createServerGroup(call(), { name: "g", policy });
    const groupId = serverGroup?.id ?? "";
    const accepted = await Promise.all(
      Array.from({ length: count }, () =>
        stage.demo.create("in-group", { schedulerHints: SchedulerHints.fromPartial({ group: groupId }) }),
      ),
    );
    const booted = await Promise.all(
      accepted.map(async ({ server, operation }) => {
        return { id: server.id, groupId: server.serverGroupId, operation: await stage.demo.wait(operation) };
      }),
    );
    return { groupId, booted };
  };
  const cleanUp = async (groupId: string, serverIds: readonly string[]): Promise<void> => {
    for (const id of serverIds)
      assert.equal((await stage.demo.delete(id)).state, OperationState.OPERATION_STATE_SUCCEEDED);
    assert.deepEqual(
      (await groups().getServerGroup(call(), { serverGroupId: groupId })).serverGroup?.memberIds,
      [],
    );
    await groups().deleteServerGroup(call(), { serverGroupId: groupId });
    assert.equal(
      (await failure(groups().getServerGroup(call(), { serverGroupId: groupId }))).reason,
      "SERVER_GROUP_NOT_FOUND",
    );
  };

  it("keep servers apart, and refuse one more than there are hosts", async () => {
    const { groupId, booted } = await bootAll(ServerGroupPolicy.SERVER_GROUP_POLICY_ANTI_AFFINITY, 4);
    const [up, refused] = [
      booted.filter(({ operation }) => operation.error === undefined),
      booted.filter(({ operation }) => operation.error !== undefined),
    ];
    assert.deepEqual(
      refused.map(({ operation }) => operation.error?.reason),
      ["NO_VALID_HOST"],
    );
    assert.deepEqual((await hostsOf(up.map(({ id }) => id))).sort(), [...stage.hosts].sort());
    assert.ok(booted.every((one) => one.groupId === groupId));
    assert.deepEqual(
      new Set((await groups().getServerGroup(call(), { serverGroupId: groupId })).serverGroup?.memberIds),
      new Set(booted.map(({ id }) => id)),
    );
    await cleanUp(
      groupId,
      booted.map(({ id }) => id),
    );
  });

  it("keep servers together", async () => {
    const { groupId, booted } = await bootAll(ServerGroupPolicy.SERVER_GROUP_POLICY_AFFINITY, 3);
    assert.deepEqual(
      booted.map(({ operation }) => operation.state),
      Array.from({ length: 3 }, () => OperationState.OPERATION_STATE_SUCCEEDED),
    );
    assert.equal(new Set(await hostsOf(booted.map(({ id }) => id))).size, 1);
    await cleanUp(
      groupId,
      booted.map(({ id }) => id),
    );
  });
}
