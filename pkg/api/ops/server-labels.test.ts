import assert from "node:assert/strict";
import { ServerMetadataServiceDefinition } from "../../../gen/kilonova/api/v1/server_metadata_service.js";
import { ServerTagsServiceDefinition } from "../../../gen/kilonova/api/v1/server_tags_service.js";
import { ServerLock, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { TestApi } from "../testing/an-api.js";
import { administrator, anApi, as, member, stranger } from "../testing/an-api.js";

const A = "00000000-0000-4000-8000-000000000001";
const metadata = (api: TestApi) => api.channel.client(ServerMetadataServiceDefinition);
const tags = (api: TestApi) => api.channel.client(ServerTagsServiceDefinition);
const launchedAt = { seconds: 5n, nanos: 0 };

function withServer(init: Parameters<TestApi["cells"]["put"]>[1] = { id: A }, policy = ""): TestApi {
  const api = anApi({ policy });
  api.cells.put("cell1", {
    vmState: VmState.VM_STATE_ACTIVE,
    launchedAt,
    generation: 7n,
    metadata: new Map([["a", "1"]]),
    tags: ["x"],
    ...init,
    id: A,
  });
  return api;
}

describe("server metadata", () => {
  it("is read whole or by item", async () => {
    const api = withServer();
    const all = await metadata(api).getServerMetadata(as(member), { serverId: A });
    assert.deepEqual([[...all.metadata], all.generation], [[["a", "1"]], 7n]);
    assert.deepEqual(
      [...(await metadata(api).getServerMetadata(as(member), { serverId: A, key: "a" })).metadata],
      [["a", "1"]],
    );
    await assert.rejects(metadata(api).getServerMetadata(as(member), { serverId: A, key: "z" }), {
      reason: "METADATA_ITEM_NOT_FOUND",
      kind: "missing",
    });
  });

  it("is merged, replaced, and removed item by item; a repetition changes nothing", async () => {
    const api = withServer();
    const merge = () =>
      metadata(api).updateServerMetadata(as(member), { serverId: A, metadata: new Map([["b", "2"]]) });
    const first = await merge();
    assert.deepEqual(
      [[...first.metadata], first.generation],
      [
        [
          ["a", "1"],
          ["b", "2"],
        ],
        8n,
      ],
    );
    assert.equal((await merge()).generation, 8n);
    assert.deepEqual(
      [
        ...(
          await metadata(api).updateServerMetadata(as(member), {
            serverId: A,
            metadata: new Map([["c", "3"]]),
            replaceAll: true,
          })
        ).metadata,
      ],
      [["c", "3"]],
    );
    await metadata(api).deleteServerMetadata(as(member), { serverId: A, key: "c" });
    await assert.rejects(metadata(api).deleteServerMetadata(as(member), { serverId: A, key: "c" }), {
      reason: "METADATA_ITEM_NOT_FOUND",
    });
  });

  it("is limited by the quota", async () => {
    const api = withServer();
    api.cells.limits.set("metadata_items", 1);
    await assert.rejects(
      metadata(api).updateServerMetadata(as(member), { serverId: A, metadata: new Map([["b", "2"]]) }),
      {
        reason: "TOO_MANY_METADATA_ITEMS",
        kind: "quota",
        message: "Maximum number of metadata items exceeds 1",
      },
    );
  });

  it("of locked servers is for administrators, of servers being built for nobody", async () => {
    const locked = withServer({ id: A, lock: ServerLock.fromPartial({ lockedBy: "owner" }) });
    await assert.rejects(
      metadata(locked).updateServerMetadata(as(member), { serverId: A, metadata: new Map([["b", "2"]]) }),
      { reason: "INSTANCE_LOCKED" },
    );
    await metadata(locked).updateServerMetadata(as(administrator), {
      serverId: A,
      metadata: new Map([["b", "2"]]),
    });
    const building = withServer({ id: A, vmState: VmState.VM_STATE_BUILDING });
    await assert.rejects(metadata(building).deleteServerMetadata(as(member), { serverId: A, key: "a" }), {
      reason: "INVALID_STATE",
      message: `Cannot 'delete metadata' instance ${A} while it is in vm_state building`,
    });
  });

  it("asks the rule of the call that REST would make", async () => {
    const api = withServer(
      { id: A },
      '"os_compute_api:server-metadata:update_all": "!"\n"os_compute_api:server-metadata:update": "!"\n',
    );
    const update = (more: object) =>
      metadata(api).updateServerMetadata(as(member), {
        serverId: A,
        metadata: new Map([["b", "2"]]),
        ...more,
      });
    await assert.rejects(update({ replaceAll: true }), { reason: "FORBIDDEN" });
    await assert.rejects(update({ singleItem: true }), { reason: "FORBIDDEN" });
    await update({});
  });

  it("of others does not exist, bad keys and values are named", async () => {
    const api = withServer();
    await assert.rejects(metadata(api).getServerMetadata(as(stranger), { serverId: A }), {
      reason: "SERVER_NOT_FOUND",
    });
    await assert.rejects(
      metadata(api).updateServerMetadata(as(member), {
        serverId: A,
        metadata: new Map([["b/c", "x".repeat(256)]]),
      }),
      (error: { violations: { field: string }[] }) =>
        error.violations.length === 2 && error.violations.every(({ field }) => field.startsWith("metadata")),
    );
  });
});

describe("server tags", () => {
  it("are listed, asked for, added, replaced and removed", async () => {
    const api = withServer();
    await tags(api).getServerTag(as(member), { serverId: A, tag: "x" });
    assert.equal((await tags(api).addServerTag(as(member), { serverId: A, tag: "a" })).added, true);
    assert.equal((await tags(api).addServerTag(as(member), { serverId: A, tag: "a" })).added, false);
    assert.deepEqual((await tags(api).listServerTags(as(member), { serverId: A })).tags, ["a", "x"]);
    assert.deepEqual(
      (await tags(api).replaceServerTags(as(member), { serverId: A, tags: ["q", "b", "q"] })).tags,
      ["b", "q"],
    );
    await tags(api).removeServerTag(as(member), { serverId: A, tag: "q" });
    await assert.rejects(tags(api).removeServerTag(as(member), { serverId: A, tag: "q" }), {
      reason: "TAG_NOT_FOUND",
      message: `Server ${A} has no tag 'q'`,
    });
    await assert.rejects(tags(api).getServerTag(as(member), { serverId: A, tag: "q" }), {
      reason: "TAG_NOT_FOUND",
    });
    await tags(api).clearServerTags(as(member), { serverId: A });
    assert.deepEqual((await tags(api).listServerTags(as(member), { serverId: A })).tags, []);
  });

  it("are at most 50, and of 60 characters", async () => {
    const api = withServer({ id: A, tags: Array.from({ length: 50 }, (_, n) => `t${n}`) });
    await assert.rejects(tags(api).addServerTag(as(member), { serverId: A, tag: "one-more" }), {
      reason: "TOO_MANY_TAGS",
      kind: "invalid",
      message: "The number of tags exceeded the per-server limit 50",
    });
    for (const bad of ["", "a,b", "a/b", "x".repeat(61)])
      await assert.rejects(
        tags(api).addServerTag(as(member), { serverId: A, tag: bad }),
        { reason: "INVALID_REQUEST" },
        bad,
      );
  });

  it("change under a lock, but not while the server is built", async () => {
    const api = withServer({ id: A, lock: ServerLock.fromPartial({ lockedBy: "admin" }) });
    await tags(api).addServerTag(as(member), { serverId: A, tag: "a" });
    const building = withServer({ id: A, vmState: VmState.VM_STATE_BUILDING });
    await assert.rejects(tags(building).clearServerTags(as(member), { serverId: A }), {
      reason: "INVALID_STATE",
      message: `Cannot 'delete tags' instance ${A} while it is in vm_state building`,
    });
  });
});
