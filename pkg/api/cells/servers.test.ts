import assert from "node:assert/strict";
import { InstanceMapping } from "../../../gen/kilonova/cells/v1/global_service.js";
import type { Actor } from "../../kernel/index.js";
import { createPolicy } from "../../policy/index.js";
import { Rights, plainListing } from "../rights/rights.js";
import { administrator, as, member, stranger } from "../testing/an-api.js";
import { Servers } from "./servers.js";

const A = "00000000-0000-4000-8000-000000000001";
const policy = createPolicy();
const callOf = (actor: Actor) => ({
  ...as(actor),
  nova: plainListing,
  rights: new Rights(policy, actor, { deciding: undefined, asked: new Set() }),
});

describe("servers by their mappings alone", () => {
  it("are those of the caller's project, for administrators all", async () => {
    const mapping = InstanceMapping.fromPartial({ serverId: A, projectId: "p1", database: "cell1" });
    const servers = new Servers({} as never, { find: async () => mapping } as never, {} as never);
    for (const actor of [member, administrator])
      assert.equal((await servers.mappingOf(callOf(actor), A)).database, "cell1");
    await assert.rejects(servers.mappingOf(callOf(stranger), A), { reason: "SERVER_NOT_FOUND" });
  });
});
