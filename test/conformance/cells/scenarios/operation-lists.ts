import assert from "node:assert/strict";
import type { OperationPlace } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import type { Scenario, Stage } from "../stage.js";
import { refusal } from "../stage.js";

const { OPERATION_STATE_RUNNING: RUNNING, OPERATION_STATE_SUCCEEDED: SUCCEEDED } = OperationState;

type Query = Parameters<Stage["operations"]["listStoredOperations"]>[1];
const page = (s: Stage, query: Query) =>
  s.operations.listStoredOperations(s.ctx, { database: "cell1", ...query });
const names = async (s: Stage, query: Query): Promise<string[]> =>
  (await page(s, query)).operations.map(({ name }) => name);

/** Operations of the project, newest first: one that runs, and three that have ended. */
async function four(s: Stage): Promise<string[]> {
  const made: string[] = [];
  for (const [n, kind] of ["test.life", "test.plug", "test.life", "test.attach"].entries()) {
    const name = await s.begin(await s.put(n + 1), kind);
    if (n < 3) await s.commit(await s.taken(name), { state: SUCCEEDED });
    made.unshift(name);
  }
  return made;
}

export const operationLists: readonly Scenario[] = [
  {
    name: "operations of a project are listed newest first, by kind, state and time",
    run: async (s) => {
      const made = await four(s);
      const projectId = s.project;
      assert.deepEqual(await names(s, { projectId }), made);
      assert.deepEqual(await names(s, { projectId, kinds: ["test.life"] }), [made[1], made[3]]);
      assert.deepEqual(await names(s, { projectId, states: [SUCCEEDED] }), made.slice(1));
      assert.deepEqual(await names(s, { projectId, states: [RUNNING] }), made.slice(0, 1));
      assert.deepEqual(await names(s, { projectId, states: [RUNNING], kinds: ["test.life"] }), []);
      assert.deepEqual(
        await names(s, { projectId, states: [RUNNING, SUCCEEDED], kinds: ["test.plug", "test.attach"] }),
        [made[0], made[2]],
      );
      const { createdAt: createdSince } = await s.stored(made[1] ?? "");
      assert.deepEqual(await names(s, { projectId, createdSince }), made.slice(0, 2));
      assert.deepEqual(await names(s, { projectId, serverId: s.id(1) }), made.slice(3));
      assert.deepEqual(await names(s, { projectId: "nobody's" }), []);
    },
  },
  {
    name: "a page tells up to which place it has searched, and the next one goes on after it",
    run: async (s) => {
      const made = await four(s);
      const filters: readonly Query[] = [{}, { states: [SUCCEEDED] }, { kinds: ["test.life"] }];
      for (const more of filters) {
        const query: Query = { projectId: s.project, pageSize: 1, ...more };
        const all = await names(s, { ...query, pageSize: 0 });
        const found: string[] = [];
        for (let after: OperationPlace | undefined; ;) {
          const { operations, searchedTo } = await page(s, after === undefined ? query : { ...query, after });
          found.push(...operations.map(({ name }) => name));
          if (searchedTo === undefined) break;
          assert.deepEqual(
            [searchedTo.createdAt, searchedTo.id],
            [operations.at(-1)?.createdAt, operations.at(-1)?.name.split("/").at(-1)],
          );
          after = searchedTo;
        }
        assert.deepEqual(found, all);
      }
      const { operations, nextPageToken } = await page(s, { projectId: s.project, pageSize: 3 });
      assert.equal(operations.length, 3);
      assert.deepEqual(await names(s, { projectId: s.project, pageToken: nextPageToken }), made.slice(3));
      assert.equal(await refusal(page(s, { projectId: s.project, pageToken: "x" })), "INVALID_ARGUMENT");
    },
  },
  {
    name: "operations of one host, of the cloud and of servers are listed apart",
    run: async (s) => {
      const { computeNodeId: hostId } = await s.register(s.name("h"), { capabilities: ["pause"] });
      const fills = [await s.beginOn(hostId, "test.fill"), await s.beginOn(hostId, "test.fill")].reverse();
      const sweep = await s.beginOn("", "test.sweep");
      const life = await s.begin(await s.put(1), "test.life");
      assert.deepEqual(await names(s, { hostId }), fills);
      assert.deepEqual(await names(s, { hostId, database: "" }), fills);
      assert.deepEqual(await names(s, { hostId, ofServers: true }), []);
      const clouds = await names(s, { database: "", cloud: true });
      assert.equal(clouds[0], sweep);
      assert.ok(clouds.every((name) => name.startsWith("operations/cloud/")));
      const ofServers = await names(s, { ofServers: true, pageSize: 5 });
      assert.ok(ofServers.includes(life));
      assert.ok(!ofServers.some((name) => fills.includes(name)));
      assert.deepEqual(await names(s, { projectId: s.project }), [life]);
      const [taken] = await s.take([sweep], "a", "global");
      await s.commit(taken ?? assert.fail(), { database: "global", state: SUCCEEDED });
    },
  },
];
