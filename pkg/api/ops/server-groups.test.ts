import assert from "node:assert/strict";
import {
  ServerGroup,
  ServerGroupPolicy,
  ServerGroupsServiceDefinition,
} from "../../../gen/kilonova/api/v1/server_groups_service.js";
import type { CreateStoredServerGroupRequest } from "../../../gen/kilonova/cells/v1/server_groups_service.js";
import type { TestApi } from "../testing/an-api.js";
import { administrator, anApi, as, member, stranger } from "../testing/an-api.js";

const groups = (api: TestApi) => api.channel.client(ServerGroupsServiceDefinition);
const AFFINITY = ServerGroupPolicy.SERVER_GROUP_POLICY_AFFINITY,
  ANTI_AFFINITY = ServerGroupPolicy.SERVER_GROUP_POLICY_ANTI_AFFINITY;

describe("server groups", () => {
  it("are made for the caller's project, with a hash that does not depend on the token", async () => {
    const api = anApi();
    const make = async (clientToken: string) => {
      const { serverGroup } = await groups(api).createServerGroup(as(member), {
        clientToken,
        name: "g",
        policy: ANTI_AFFINITY,
        maxServerPerHost: 2,
      });
      return {
        serverGroup,
        stored: api.cells.requests.get("createStoredServerGroup") as CreateStoredServerGroupRequest,
      };
    };
    const [first, second] = [await make("a"), await make("b")];
    assert.deepEqual(
      [
        first.serverGroup?.projectId,
        first.serverGroup?.userId,
        first.serverGroup?.maxServerPerHost,
        first.serverGroup?.memberIds,
      ],
      ["p1", "u1", 2, []],
    );
    assert.deepEqual([first.stored.once?.clientToken, first.stored.once?.method], ["a", "CreateServerGroup"]);
    assert.deepEqual(first.stored.once?.bodyHash, second.stored.once?.bodyHash);
  });

  it("of other projects do not exist, except for administrators", async () => {
    const api = anApi();
    api.cells.putGroup(ServerGroup.fromPartial({ id: "g", projectId: "p1", policy: AFFINITY }));
    assert.equal((await groups(api).getServerGroup(as(member), { serverGroupId: "g" })).serverGroup?.id, "g");
    assert.equal(
      (await groups(api).getServerGroup(as(administrator), { serverGroupId: "g" })).serverGroup?.id,
      "g",
    );
    await assert.rejects(groups(api).getServerGroup(as(stranger), { serverGroupId: "g" }), {
      reason: "SERVER_GROUP_NOT_FOUND",
    });
    await assert.rejects(groups(api).deleteServerGroup(as(stranger), { serverGroupId: "g" }), {
      reason: "SERVER_GROUP_NOT_FOUND",
    });
    assert.deepEqual((await groups(api).listServerGroups(as(stranger), {})).serverGroups, []);
    await assert.rejects(groups(api).listServerGroups(as(stranger), { allProjects: true }), {
      reason: "FORBIDDEN",
    });
    assert.equal(
      (await groups(api).listServerGroups(as(administrator), { allProjects: true })).serverGroups.length,
      1,
    );
    await groups(api).deleteServerGroup(as(member), { serverGroupId: "g" });
    await assert.rejects(groups(api).deleteServerGroup(as(member), { serverGroupId: "g" }), {
      reason: "SERVER_GROUP_NOT_FOUND",
    });
  });

  it("need a name and a policy, and rules only with anti-affinity", async () => {
    const create = (init: object) =>
      groups(anApi()).createServerGroup(as(member), { name: "g", policy: AFFINITY, ...init });
    await assert.rejects(create({ name: " g" }), { reason: "INVALID_REQUEST" });
    await assert.rejects(create({ policy: ServerGroupPolicy.SERVER_GROUP_POLICY_UNSPECIFIED }), {
      reason: "INVALID_REQUEST",
    });
    await assert.rejects(create({ policy: ANTI_AFFINITY, maxServerPerHost: 0 }), {
      reason: "INVALID_REQUEST",
    });
    await assert.rejects(create({ maxServerPerHost: 2 }), {
      reason: "RULES_NEED_ANTI_AFFINITY",
      message: "Only anti-affinity policy supports rules.",
    });
  });
});
