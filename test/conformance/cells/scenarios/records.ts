import assert from "node:assert/strict";
import { InstancesServiceDefinition } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { ServerAddress, ServerHostInfo } from "../../../../gen/kilonova/type/v1/server.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import type { Scenario, Stage } from "../stage.js";
import { refusal } from "../stage.js";

const update = (s: Stage, serverId: string, wish: Parameters<Stage["servers"]["updateInstance"]>[1]) =>
  s.servers.updateInstance(s.ctx, {
    database: "cell1",
    ...wish,
    server: { ...wish.server, id: serverId },
  });

export const records: readonly Scenario[] = [
  {
    name: "a record is its project's; deleted ones are shown when asked for",
    run: async (s) => {
      const id = await s.put(1);
      const gone = await s.put(2, { deletedAt: { seconds: 5n, nanos: 0 } });
      const read = (serverId: string, more: object = {}) =>
        s.servers.getInstance(s.ctx, { database: "cell1", serverId, ...more });
      assert.equal((await read(id, { projectId: s.project })).instance?.server?.id, id);
      assert.equal(await refusal(read(id, { projectId: "other" })), "SERVER_NOT_FOUND");
      assert.equal(await refusal(read(gone)), "SERVER_NOT_FOUND");
      assert.equal((await read(gone, { withDeleted: true })).instance?.server?.id, gone);
      assert.equal(await refusal(read(s.id(9))), "SERVER_NOT_FOUND");
    },
  },
  {
    name: "a database that is not there is said to be missing",
    run: async (s) => {
      assert.equal(
        await refusal(s.servers.getInstance(s.ctx, { database: "cell99", serverId: s.id(1) })),
        "UNKNOWN_DATABASE",
      );
      assert.equal(await refusal(s.hosts.listHosts(s.ctx, { cell: "global" })), "UNKNOWN_DATABASE");
      assert.equal(await refusal(s.feed.getFeedHead(s.ctx, { database: "cell99" })), "UNKNOWN_DATABASE");
    },
  },
  {
    name: "a change moves the generation by one; one that changes nothing does not",
    run: async (s) => {
      const id = await s.put(1, { generation: 7n, metadata: new Map([["a", "1"]]) });
      const { instance, changed } = await update(s, id, { server: { name: "new" }, updateMask: ["name"] });
      assert.deepEqual([instance?.server?.name, instance?.server?.generation, changed], ["new", 8n, true]);
      const same = await update(s, id, { metadata: { set: new Map([["a", "1"]]), maxItems: -1n } });
      assert.deepEqual([same.changed, same.instance?.server?.generation], [false, 8n]);
      assert.equal((await s.server(id)).generation, 8n);
    },
  },
  {
    name: "a change is refused for a generation that has passed",
    run: async (s) => {
      const id = await s.put(1, { generation: 7n });
      const wish = { server: { name: "new" }, updateMask: ["name"] };
      assert.equal(await refusal(update(s, id, { ...wish, expectedGeneration: 6n })), "GENERATION_CONFLICT");
      await update(s, id, { ...wish, expectedGeneration: 7n });
    },
  },
  {
    name: "a change is refused for a path that is not a user's",
    run: async (s) => {
      const id = await s.put(1);
      assert.equal(
        await refusal(update(s, id, { server: { projectId: "x" }, updateMask: ["project_id"] })),
        "INVALID_ARGUMENT",
      );
    },
  },
  {
    name: "conditions of a change are judged as those of operations",
    run: async (s) => {
      const locked = await s.put(1, { lock: { lockedBy: "owner", reason: "" } });
      const stopped = await s.put(2, { vmState: VmState.VM_STATE_STOPPED });
      const conditions = {
        verb: "update",
        checkLock: true,
        allowedVmStates: [VmState.VM_STATE_ACTIVE],
      };
      const wish = { server: { name: "n" }, updateMask: ["name"] };
      assert.equal(await refusal(update(s, locked, { ...wish, conditions })), "INSTANCE_LOCKED");
      assert.equal(await refusal(update(s, stopped, { ...wish, conditions })), "INVALID_STATE");
      await update(s, locked, { ...wish, conditions: { ...conditions, bypassLock: true } });
    },
  },
  {
    name: "metadata and tags change item by item, within their limits",
    run: async (s) => {
      const id = await s.put(1, { metadata: new Map([["a", "1"]]), tags: ["b"] });
      const { instance } = await update(s, id, {
        metadata: { set: new Map([["c", "2"]]), remove: ["a"], maxItems: 1n },
        tags: { add: ["a"], maxTags: 2 },
      });
      assert.deepEqual([...(instance?.server?.metadata ?? [])], [["c", "2"]]);
      assert.deepEqual(instance?.server?.tags, ["a", "b"]);
      const all = (wish: object) => refusal(update(s, id, wish));
      assert.equal(await all({ metadata: { remove: ["zz"], maxItems: -1n } }), "METADATA_ITEM_NOT_FOUND");
      assert.equal(
        await all({ metadata: { set: new Map([["d", ""]]), maxItems: 1n } }),
        "TOO_MANY_METADATA_ITEMS",
      );
      assert.equal(await all({ tags: { remove: ["zz"], maxTags: 9 } }), "TAG_NOT_FOUND");
      assert.equal(await all({ tags: { add: ["x"], maxTags: 2 } }), "TOO_MANY_TAGS");
    },
  },
  {
    name: "a guest's password is kept once, and again after it was cleared",
    run: async (s) => {
      const host = s.name("h");
      const id = await s.put(1, { hostInfo: ServerHostInfo.fromPartial({ host: host }) });
      const agent = s.world.as("compute", host).client(InstancesServiceDefinition);
      const save = (serverPassword: string) =>
        agent.saveServerPassword(s.ctx, { database: "cell1", serverId: id, serverPassword });
      const read = async () =>
        (await s.servers.getInstance(s.ctx, { database: "cell1", serverId: id })).instance?.serverPassword;
      await save("one");
      assert.equal(await refusal(save("two")), "SERVER_PASSWORD_EXISTS");
      assert.equal(await read(), "one");
      const before = (await s.server(id)).generation;
      for (const _ of [1, 2]) await s.servers.clearServerPassword(s.ctx, { database: "cell1", serverId: id });
      assert.equal((await s.server(id)).generation, before + 1n);
      await save("x".repeat(1020));
      assert.equal(await refusal(save("x".repeat(1021))), "INVALID_ARGUMENT");
    },
  },
  {
    name: "an agent sees the servers of its own host only, and no other cell",
    run: async (s) => {
      const [mine, other] = [s.name("mine"), s.name("other")];
      const id = await s.put(1, { hostInfo: ServerHostInfo.fromPartial({ host: mine }) });
      const away = await s.put(2, { hostInfo: ServerHostInfo.fromPartial({ host: other }) });
      const agent = s.world.as("compute", mine).client(InstancesServiceDefinition);
      const read = (serverId: string, database = "cell1") => agent.getInstance(s.ctx, { database, serverId });
      assert.equal((await read(id)).instance?.server?.id, id);
      assert.equal(await refusal(read(away)), "SERVER_NOT_FOUND");
      assert.equal(await refusal(read(id, "global")), "WRONG_CELL");
      assert.equal(
        await refusal(
          agent.saveServerPassword(s.ctx, { database: "cell1", serverId: away, serverPassword: "x" }),
        ),
        "SERVER_NOT_FOUND",
      );
      const { rows } = await agent.listInstances(s.ctx, { database: "cell1", filter: { host: other } });
      assert.deepEqual(
        rows.map(({ serverId }) => serverId),
        [id],
      );
    },
  },
  {
    name: "servers are counted by host, without deleted ones",
    run: async (s) => {
      const host = s.name("h");
      await s.put(1, { hostInfo: ServerHostInfo.fromPartial({ host: host }) });
      await s.put(2, { hostInfo: ServerHostInfo.fromPartial({ host: host }) });
      await s.put(3, {
        hostInfo: ServerHostInfo.fromPartial({ host: host }),
        deletedAt: { seconds: 1n, nanos: 0 },
      });
      const { instances } = await s.servers.countInstances(s.ctx, { database: "cell1", host });
      assert.equal(instances, 2);
    },
  },
  {
    name: "what a shelving leaves is kept until an operation clears it, and users cannot touch it",
    run: async (s) => {
      const id = await s.put(1, { hostInfo: ServerHostInfo.fromPartial({ host: "h", cell: "cell1" }) });
      const shelving = {
        imageId: "5a000000-0000-4000-8000-000000000003",
        shelvedAt: { seconds: 5n, nanos: 0 },
      };
      const ends = async (kind: string, server: object, mask: readonly string[]): Promise<unknown> =>
        s.commit(await s.taken(await s.begin(id, kind)), {
          state: OperationState.OPERATION_STATE_SUCCEEDED,
          change: { server: { ...server, taskState: "" }, updateMask: [...mask, "task_state"] },
        });
      const { VM_STATE_ACTIVE, VM_STATE_STOPPED } = VmState;
      await ends("server.stop", { vmState: VM_STATE_STOPPED, shelving }, ["vm_state", "shelving"]);
      assert.deepEqual((await s.server(id)).shelving, shelving);
      assert.equal(
        await refusal(update(s, id, { server: { shelving: undefined }, updateMask: ["shelving"] })),
        "INVALID_ARGUMENT",
      );
      await ends("server.start", { vmState: VM_STATE_ACTIVE }, ["vm_state"]);
      assert.deepEqual((await s.server(id)).shelving, shelving);
      await ends("server.stop", { vmState: VM_STATE_STOPPED }, ["vm_state", "shelving"]);
      assert.equal((await s.server(id)).shelving, undefined);
    },
  },
  {
    name: "servers are found by their fixed addresses, not by floating ones",
    run: async (s) => {
      const fixed = { networkLabel: "n", version: 4, address: "10.9.8.7", type: "fixed" };
      const floating = { ...fixed, address: "192.0.2.77", type: "floating" };
      const id = await s.put(1, {
        addresses: [fixed, floating].map((one) => ServerAddress.fromPartial(one)),
      });
      const found = async (ip: string): Promise<string[]> => {
        const filter = { ipRegex: ip, projectId: s.project };
        const { rows } = await s.servers.listInstances(s.ctx, { database: "cell1", filter });
        return rows.map(({ serverId }) => serverId);
      };
      assert.deepEqual([await found("10.9.8.7"), await found("192.0.2.77")], [[id], []]);
    },
  },
];
