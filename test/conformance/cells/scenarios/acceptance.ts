import assert from "node:assert/strict";
import { GlobalServiceDefinition } from "../../../../gen/kilonova/cells/v1/global_service.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import type { Scenario } from "../stage.js";
import { refusal } from "../stage.js";

const usedOf = async (s: Parameters<Scenario["run"]>[0]): Promise<Record<string, bigint>> => {
  const { limits } = await s.global.getQuota(s.ctx, { projectId: s.project, userId: s.user });
  return Object.fromEntries(limits.map(({ resource, used }) => [resource, used]));
};

export const acceptance: readonly Scenario[] = [
  {
    name: "an accepted server has record, mapping, operation and action in the global database",
    run: async (s) => {
      const { servers, operations, replayed } = await s.accept([s.id(1)]);
      assert.deepEqual([servers.length, operations.length, replayed], [1, 1, false]);
      assert.equal(servers[0]?.currentOperation, operations[0]?.name);
      assert.equal(servers[0]?.userData, "");
      const { mappings } = await s.global.getInstanceMappings(s.ctx, { serverIds: [s.id(1)] });
      assert.deepEqual(
        mappings.map(({ database, projectId, deleted }) => [database, projectId, deleted]),
        [["global", s.project, false]],
      );
      const stored = await s.stored(operations[0]?.name ?? "", "");
      assert.deepEqual(
        [stored.kind, stored.state, stored.fence, stored.action],
        ["server.boot", OperationState.OPERATION_STATE_RUNNING, 0n, "create"],
      );
      const { actions } = await s.servers.listActions(s.ctx, {
        database: "global",
        query: { serverId: s.id(1) },
      });
      assert.deepEqual(
        actions.map(({ action, projectId, userId }) => [action, projectId, userId]),
        [["create", s.project, s.user]],
      );
    },
  },
  {
    name: "user data is given to whoever asks for it, and to nobody else",
    run: async (s) => {
      await s.accept([s.id(1)]);
      const read = async (withUserData: boolean) =>
        (await s.servers.getInstance(s.ctx, { database: "global", serverId: s.id(1), withUserData }))
          .instance;
      assert.equal((await read(true))?.server?.userData, "hello");
      const plain = await read(false);
      assert.deepEqual([plain?.server?.userData, plain?.encryptedUserData.length], ["", 0]);
    },
  },
  {
    name: "a token repeated answers with the same servers and stores nothing",
    run: async (s) => {
      const first = await s.accept([s.id(1), s.id(2)], { token: "t" });
      const again = await s.accept([s.id(3), s.id(4)], { token: "t" });
      assert.equal(again.replayed, true);
      assert.deepEqual(
        again.servers.map(({ id }) => id),
        first.servers.map(({ id }) => id),
      );
      assert.deepEqual(
        again.operations.map(({ name }) => name),
        first.operations.map(({ name }) => name),
      );
      assert.equal((await usedOf(s))["instances"], 2n);
    },
  },
  {
    name: "a token is refused for another request, and free for another user",
    run: async (s) => {
      await s.accept([s.id(1)], { token: "t" });
      assert.equal(await refusal(s.accept([s.id(2)], { token: "t", body: "other" })), "TOKEN_REUSED");
      const { servers } = await s.global.acceptServers(s.ctx, {
        clientToken: "t",
        bodyHash: Buffer.from("other"),
        actor: { ...s.actor, userId: "somebody-else" },
        servers: [{ serverId: s.id(3), spec: {}, server: { projectId: s.project, userId: "somebody-else" } }],
      });
      assert.equal(servers[0]?.id, s.id(3));
    },
  },
  {
    name: "without servers only the token is asked",
    run: async (s) => {
      const ask = () =>
        s.global.acceptServers(s.ctx, {
          clientToken: "t",
          bodyHash: Buffer.from("body"),
          actor: s.actor,
          servers: [],
        });
      const before = await ask();
      assert.deepEqual([before.servers, before.replayed], [[], false]);
      await s.accept([s.id(1)], { token: "t" });
      const after = await ask();
      assert.deepEqual([after.servers.map(({ id }) => id), after.replayed], [[s.id(1)], true]);
    },
  },
  {
    name: "somebody must ask",
    run: async (s) => {
      assert.equal(await refusal(s.global.acceptServers(s.ctx, {})), "INVALID_ARGUMENT");
    },
  },
  {
    name: "quota lets as many in as fit, but no fewer than the least",
    run: async (s) => {
      const ids = [1, 2, 3, 4, 5, 6].map((n) => s.id(n));
      assert.equal(await refusal(s.accept(ids, { minCount: 5 })), "QUOTA_EXCEEDED");
      const { servers } = await s.accept(ids, { minCount: 1 });
      assert.deepEqual(s.numbers(servers.map(({ id }) => id)), [1, 2, 3, 4]);
      const used = await usedOf(s);
      assert.deepEqual([used["instances"], used["cores"], used["ram"]], [4n, 4n, 256n]);
    },
  },
  {
    name: "a quota refusal names every resource, what was asked, what is used and the limit",
    run: async (s) => {
      await s.accept([s.id(1)], { memoryMib: 4000 });
      await assert.rejects(
        s.accept(
          [2, 3, 4, 5].map((n) => s.id(n)),
          { memoryMib: 100 },
        ),
        (error: { facts?: Record<string, unknown>; reason?: string }) => {
          assert.equal(error.reason, "QUOTA_EXCEEDED");
          assert.deepEqual(
            { ...error.facts },
            {
              resources: "instances, ram",
              requested: "4, 400",
              used: "1, 4000",
              limit: "4, 4096",
            },
          );
          return true;
        },
      );
    },
  },
  {
    name: "quota of one project is not another's",
    run: async (s) => {
      await s.accept([1, 2, 3, 4].map((n) => s.id(n)));
      const { servers } = await s.global.acceptServers(s.ctx, {
        actor: s.actor,
        servers: [{ serverId: s.id(9), spec: {}, server: { projectId: s.name("other"), userId: s.user } }],
      });
      assert.equal(servers.length, 1);
    },
  },
  {
    name: "what is released counts once, marks the mapping, and makes room",
    run: async (s) => {
      await s.accept([1, 2, 3, 4].map((n) => s.id(n)));
      const release = () =>
        s.world
          .as("conductor")
          .client(GlobalServiceDefinition)
          .releaseHoldings(s.ctx, { serverIds: [s.id(1), s.id(2)] });
      await release();
      await release();
      assert.equal((await usedOf(s))["instances"], 2n);
      const { mappings } = await s.global.getInstanceMappings(s.ctx, { serverIds: [s.id(1), s.id(3)] });
      assert.deepEqual(
        new Map(mappings.map((one) => [one.serverId, one.deleted])),
        new Map([
          [s.id(1), true],
          [s.id(3), false],
        ]),
      );
      await s.accept([s.id(5), s.id(6)]);
    },
  },
  {
    name: "mappings of databases come oldest first, without deleted ones, of one project when asked",
    run: async (s) => {
      for (const n of [3, 1, 2]) await s.accept([s.id(n)]);
      await s.world
        .as("conductor")
        .client(GlobalServiceDefinition)
        .releaseHoldings(s.ctx, { serverIds: [s.id(1)] });
      const read = async (limit: number) =>
        s.numbers(
          (
            await s.global.getInstanceMappings(s.ctx, {
              databases: ["global"],
              projectId: s.project,
              limit,
            })
          ).mappings.map(({ serverId }) => serverId),
        );
      assert.deepEqual(await read(0), [3, 2]);
      assert.deepEqual(await read(1), [3]);
      const { mappings } = await s.global.getInstanceMappings(s.ctx, {
        databases: ["cell1"],
        projectId: s.project,
      });
      assert.deepEqual(mappings, []);
    },
  },
];
