import assert from "node:assert/strict";
import type { WatchFeedResponse } from "../../../../gen/kilonova/cells/v1/feed_service.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { Operation } from "../../../../gen/kilonova/type/v1/operation.js";
import { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import type { Scenario, Stage } from "../stage.js";
import { refusal } from "../stage.js";

const rename = (s: Stage, serverId: string, name: string) =>
  s.servers.updateInstance(s.ctx, {
    database: "cell1",
    server: { id: serverId, name },
    updateMask: ["name"],
  });

/** The first answers of a watch, as many as `until` wants. */
async function watched(
  s: Stage,
  request: Parameters<Stage["feed"]["watchFeed"]>[1],
  enough: (answers: readonly WatchFeedResponse[]) => boolean,
  meanwhile: () => Promise<unknown> = async () => {},
): Promise<WatchFeedResponse[]> {
  const answers: WatchFeedResponse[] = [];
  const stop = new AbortController();
  for await (const answer of s.feed.watchFeed({ ...s.ctx, signal: stop.signal }, request)) {
    answers.push(answer);
    if (answers.length === 1) await meanwhile();
    if (enough(answers)) break;
  }
  stop.abort();
  return answers;
}

const entriesOf = (answers: readonly WatchFeedResponse[]) => answers.flatMap(({ entries }) => entries);

export const feeds: readonly Scenario[] = [
  {
    name: "each change of a server is told once, in the order of its generations, as it was then",
    run: async (s) => {
      const id = await s.put(1, { generation: 1n });
      const mark = await s.mark();
      for (const name of ["a", "b", "c"]) await rename(s, id, name);
      await rename(s, id, "c");
      const told = await s.told(mark, { entity: id });
      assert.deepEqual(
        told.map(({ entityKind, eventType, projectId, generation, payload }) => [
          entityKind,
          eventType,
          projectId,
          generation,
          Server.decode(payload).name,
        ]),
        [
          ["instance", "changed", s.project, 2n, "a"],
          ["instance", "changed", s.project, 3n, "b"],
          ["instance", "changed", s.project, 4n, "c"],
          ["instance", "changed", s.project, 5n, "c"],
        ],
      );
      const revisions = told.map(({ revision }) => revision);
      assert.deepEqual(
        revisions,
        [...revisions].sort((a, b) => Number(a - b)),
      );
    },
  },
  {
    name: "an operation is told from its acceptance to its end, and its server with it",
    run: async (s) => {
      const id = await s.put(1, { generation: 1n });
      const mark = await s.mark();
      const operation = await s.taken(await s.begin(id, "test.life"));
      await s.commit(operation, { currentStep: "one" });
      await s.commit(operation, { state: OperationState.OPERATION_STATE_SUCCEEDED });
      const told = await s.told(mark, { project: s.project });
      const of = (kind: string) => told.filter(({ entityKind }) => entityKind === kind);
      assert.deepEqual(
        of("operation").map(({ eventType, generation, payload }) => {
          const { done, currentStep } = Operation.decode(payload);
          return [eventType, generation, currentStep, done];
        }),
        [
          ["created", 1n, undefined, false],
          ["changed", 2n, "one", false],
          ["changed", 3n, undefined, true],
        ],
      );
      assert.deepEqual(
        of("instance").map(({ eventType, generation }) => [eventType, generation]),
        [
          ["changed", 2n],
          ["changed", 3n],
        ],
      );
    },
  },
  {
    name: "a deleted record is told as deleted; a pre-empted operation as changed",
    run: async (s) => {
      const id = await s.put(1);
      const victim = await s.begin(id, "test.life");
      const mark = await s.mark();
      const operation = await s.taken(await s.begin(id, "server.delete"));
      await s.commit(operation, {
        state: OperationState.OPERATION_STATE_SUCCEEDED,
        change: { deleteRecord: true },
      });
      const told = await s.told(mark, { project: s.project });
      const ended = told.filter(({ entityId }) => victim.endsWith(entityId));
      assert.deepEqual(
        ended.map(({ eventType, payload }) => [eventType, Operation.decode(payload).state]),
        [["changed", OperationState.OPERATION_STATE_PREEMPTED]],
      );
      assert.equal(told.filter(({ entityId }) => entityId === id).at(-1)?.eventType, "deleted");
    },
  },
  {
    name: "an accepted server is told as created, with its operation",
    run: async (s) => {
      const mark = await s.mark("global");
      await s.accept([s.id(1), s.id(2)]);
      const told = await s.told(mark, { database: "global", project: s.project });
      assert.deepEqual(
        told.map(({ entityKind, eventType, generation }) => [entityKind, eventType, generation]),
        [
          ["instance", "created", 1n],
          ["operation", "created", 1n],
          ["instance", "created", 1n],
          ["operation", "created", 1n],
        ],
      );
    },
  },
  {
    name: "a refused call tells nothing",
    run: async (s) => {
      const id = await s.put(1);
      const mark = [await s.mark(), await s.mark("global")] as const;
      await refusal(s.begin(id, "server.stop"));
      await refusal(s.accept([1, 2, 3, 4, 5].map((n) => s.id(n))));
      await refusal(rename(s, s.id(9), "x"));
      assert.deepEqual(await s.told(mark[0], { project: s.project }), []);
      assert.deepEqual(await s.told(mark[1], { database: "global", project: s.project }), []);
    },
  },
  {
    name: "a read gives one project's entries of the kinds asked for, and goes on where it ended",
    run: async (s) => {
      const id = await s.put(1);
      const mark = await s.mark();
      await s.begin(id, "test.life");
      const end = await s.mark();
      const read = async (more: object) =>
        s.feed.readFeed(s.ctx, { database: "cell1", afterRevision: mark, ...more });
      const mine = await read({ projectId: s.project, entityKinds: ["operation"] });
      assert.deepEqual(
        mine.entries.map(({ entityKind }) => entityKind),
        ["operation"],
      );
      assert.equal(mine.revision, end);
      const foreign = await read({ projectId: "other" });
      assert.deepEqual([foreign.entries, foreign.revision], [[], end]);
      const rest = await s.feed.readFeed(s.ctx, { database: "cell1", afterRevision: end });
      assert.deepEqual([rest.entries, rest.revision], [[], end]);
    },
  },
  {
    name: "a long history is read in bounded pieces without gap",
    run: async (s) => {
      const id = await s.put(1, { metadata: new Map([["k", "x".repeat(20_000)]]) });
      const mark = await s.mark();
      for (let n = 0; n < 8; n++) await rename(s, id, `n${n}`);
      await s.mark();
      const { entries } = await s.feed.readFeed(s.ctx, { database: "cell1", afterRevision: mark });
      assert.ok(entries.length >= 1 && entries.length < 8, `${entries.length} in one piece`);
      const told = await s.told(mark, { entity: id });
      assert.deepEqual(
        told.map(({ payload }) => Server.decode(payload).name),
        [0, 1, 2, 3, 4, 5, 6, 7].map((n) => `n${n}`),
      );
    },
  },
  {
    name: "a watch says at first that it stands, then tells what was and what comes",
    run: async (s) => {
      const id = await s.put(1);
      const mark = await s.mark();
      await rename(s, id, "before");
      await s.mark();
      const answers = await watched(
        s,
        { database: "cell1", afterRevision: mark, projectId: s.project },
        (all) => entriesOf(all).length === 2,
        () => rename(s, id, "after"),
      );
      assert.deepEqual([answers[0]?.entries, answers[0]?.revision], [[], mark]);
      assert.deepEqual(
        entriesOf(answers).map(({ payload }) => Server.decode(payload).name),
        ["before", "after"],
      );
      const { incarnation } = await s.feed.getFeedHead(s.ctx, { database: "cell1" });
      assert.ok(answers.every((answer) => answer.incarnation === incarnation));
    },
  },
  {
    name: "a watch moves its place on past what is not asked for",
    run: async (s) => {
      const id = await s.put(1);
      const mark = await s.mark();
      await rename(s, id, "other");
      const end = await s.mark();
      const answers = await watched(
        s,
        { database: "cell1", afterRevision: mark, projectId: "nobody" },
        (all) => (all.at(-1)?.revision ?? 0n) >= end,
      );
      assert.deepEqual(entriesOf(answers), []);
    },
  },
  {
    name: "a place ahead of the feed, or of another life, is refused",
    run: async (s) => {
      const end = await s.mark();
      const read = (more: object) => s.feed.readFeed(s.ctx, { database: "cell1", ...more });
      assert.equal(await refusal(read({ afterRevision: end + 1000n })), "COMPACTED");
      assert.equal(
        await refusal(read({ afterRevision: end, incarnation: "another" })),
        "UNKNOWN_INCARNATION",
      );
      assert.equal(
        await refusal(
          watched(s, { database: "cell1", afterRevision: end, incarnation: "another" }, () => false),
        ),
        "UNKNOWN_INCARNATION",
      );
    },
  },
  {
    name: "what is compacted is gone: older places are refused, the head goes on",
    run: async (s) => {
      const id = await s.put(1);
      const mark = await s.mark();
      await rename(s, id, "a");
      await s.mark();
      await s.world.compact("cell1");
      const { revision: end, compactedRevision } = await s.feed.getFeedHead(s.ctx, { database: "cell1" });
      assert.ok(end > mark);
      assert.equal(compactedRevision, end);
      assert.equal(
        await refusal(s.feed.readFeed(s.ctx, { database: "cell1", afterRevision: mark })),
        "COMPACTED",
      );
      assert.equal(
        await refusal(watched(s, { database: "cell1", afterRevision: mark }, () => false)),
        "COMPACTED",
      );
      await rename(s, id, "b");
      assert.equal((await s.told(end, { entity: id })).length, 1);
    },
  },
  {
    name: "another life of a feed has another name",
    run: async (s) => {
      const head = () => s.feed.getFeedHead(s.ctx, { database: "cell1" });
      const before = await head();
      await s.world.renew("cell1");
      const after = await head();
      assert.notEqual(after.incarnation, before.incarnation);
      // What runs beside the database learns of it with the next change.
      const id = await s.put(1);
      await rename(s, id, "a");
      await s.mark();
      assert.equal(
        await refusal(
          s.feed.readFeed(s.ctx, {
            database: "cell1",
            afterRevision: before.revision,
            incarnation: before.incarnation,
          }),
        ),
        "UNKNOWN_INCARNATION",
      );
    },
  },
];
