import assert from "node:assert/strict";
import { NovaSecurityGroupsServiceDefinition } from "../../../gen/kilonova/compat/v1/nova_security_groups_service.js";
import type { TestApi } from "../testing/an-api.js";
import { administrator, anApi, as, member } from "../testing/an-api.js";

const [WEB, DB, SECRET] = ["a", "b", "c"].map((c) => `${c.repeat(8)}-0000-4000-8000-000000000000`) as [
  string,
  string,
  string,
];

/** Two groups of the caller's project, of which one lets in another project's. */
function world() {
  const api = anApi();
  const group = (id: string, name: string, projectId: string, rules: object[] = []) =>
    ({ id, name, projectId, description: "", rules }) as TestApi["securityGroups"][number];
  api.securityGroups.push(
    group(WEB, "web", "p1", [
      { id: "r1", direction: "ingress", remoteGroupId: SECRET, securityGroupId: WEB },
      { id: "r2", direction: "ingress", remoteGroupId: DB, securityGroupId: WEB },
    ]),
    group(DB, "db", "p1"),
    group(SECRET, "secret", "p2"),
  );
  return api.channel.client(NovaSecurityGroupsServiceDefinition);
}

describe("security groups through us", () => {
  const names = (page: { readonly securityGroups: readonly { readonly name: string }[] }): string[] =>
    page.securityGroups.map(({ name }) => name);

  it("are listed by name, those of the caller's project alone", async () => {
    const groups = world();
    assert.deepEqual(names(await groups.listSecurityGroups(as(member), {})), ["db", "web"]);
    const all = { allProjects: true };
    assert.deepEqual(names(await groups.listSecurityGroups(as(member), all)), ["db", "web"]);
    assert.deepEqual(names(await groups.listSecurityGroups(as(administrator), all)), ["db", "web", "secret"]);
  });

  it("come in pages, whose tokens are good for nobody else's list", async () => {
    const groups = world();
    const first = await groups.listSecurityGroups(as(member), { pageSize: 1 });
    const { nextPageToken: pageToken } = first;
    const rest = await groups.listSecurityGroups(as(member), { pageToken });
    assert.deepEqual([names(first), names(rest), rest.nextPageToken], [["db"], ["web"], ""]);
    await assert.rejects(groups.listSecurityGroups(as({ ...member, projectId: "p2" }), { pageToken }), {
      reason: "BAD_PAGE_TOKEN",
    });
  });

  it("are read by id, and tell no names of others' groups", async () => {
    const groups = world();
    const { securityGroup } = await groups.getSecurityGroup(as(member), { securityGroupId: WEB });
    assert.deepEqual(
      securityGroup?.rules.map(({ remoteGroupName }) => remoteGroupName),
      [undefined, "db"],
    );
  });

  it("of other projects are missing, but to administrators", async () => {
    const groups = world();
    await assert.rejects(groups.getSecurityGroup(as(member), { securityGroupId: SECRET }), {
      reason: "SECURITY_GROUP_NOT_FOUND",
    });
    const { securityGroup } = await groups.getSecurityGroup(as(administrator), { securityGroupId: SECRET });
    assert.equal(securityGroup?.name, "secret");
  });

  it("have uuids: the openstack command looks for a name in the list after this refusal", async () => {
    await assert.rejects(world().getSecurityGroup(as(member), { securityGroupId: "web" }), {
      reason: "SECURITY_GROUP_ID_NOT_UUID",
      message: "Security group id should be uuid",
    });
  });
});
