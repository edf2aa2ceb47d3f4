import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { MigrationType, MigrationsServiceDefinition } from "../../gen/kilonova/api/v1/migrations_service.js";
import { MigrationKind, MigrationRecord } from "../../gen/kilonova/cells/v1/server_records.js";
import { NovaListsServiceDefinition } from "../../gen/kilonova/compat/v1/nova_lists_service.js";
import { administrator, anApi, as, member, stranger } from "../../pkg/api/testing/an-api.js";
import type { TestApi } from "../../pkg/api/testing/an-api.js";
import { buildCells, cellMigrations, cellsConfig, globalMigrations } from "../../pkg/cells/index.js";
import { rowParts } from "../../pkg/cells/servers/store/server-rows.js";
import { allTogether, insertInto } from "../../pkg/cells/store/fragments.js";
import { secretBox } from "../../pkg/cells/store/secret-box.js";
import { openStore } from "../../pkg/cells/store/tables.js";
import type { Store } from "../../pkg/cells/store/tables.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { serviceActor, silentLogger } from "../../pkg/kernel/index.js";
import { toTimestamp } from "../../pkg/model/wire-time.js";
import type { FeedTables } from "../../pkg/platform/db/feed/index.js";
import { systemClock, systemIds } from "../../pkg/platform/process/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testDatabase } from "../../pkg/testkit/postgres.js";

const {
  MIGRATION_KIND_LIVE_MIGRATION: LIVE,
  MIGRATION_KIND_RESIZE: RESIZE,
  MIGRATION_KIND_EVACUATION: EVACUATION,
} = MigrationKind;
const START = 1_767_225_600_000_000n;

/** The api over two real cells with migrations of one project and of another. */
describe("migrations of all cells", () => {
  let api: TestApi;
  const stop = new AbortController();
  let running: Promise<void> = Promise.resolve();
  /** Newest first: of the member's project. */
  const own: string[] = [];
  const server = randomUUID();
  const other = randomUUID();

  before(async () => {
    const global = await testDatabase(globalMigrations);
    const databases = await Promise.all(
      ["cell0", "cell1", "cell2"].map(async (name) => ({
        name,
        database: await testDatabase(cellMigrations),
      })),
    );
    const service = buildCells({
      global: global.open<FeedTables>(),
      cells: databases.map(({ name, database }) => ({
        name,
        uuid: randomUUID(),
        database: database.open<FeedTables>(),
      })),
      clock: systemClock,
      ids: systemIds,
      log: silentLogger,
      config: cellsConfig.parse({}),
      secretKeys: [{ id: "1", key: Buffer.alloc(32, 7) }],
      waker: { wake: () => {} },
      liveness: { isAlive: () => true },
      sequencerOwner: "test",
      placement: {
        syncProviderTree: async () => ({ root: undefined }),
        deleteProvider: async () => ({}),
      },
    });
    api = anApi({ cellsBindings: service.bindings, config: {} });
    running = service.start(
      testCtx({ actor: serviceActor("cells"), signal: stop.signal, deadlineMs: Date.now() + 600_000 }),
    );
    const [, cell1, cell2] = databases.map(({ name, database }) => openStore(name, database.open()));
    const globalStore = openStore("global", global.open());
    const put = async (
      store: Store,
      init: Parameters<typeof MigrationRecord.fromPartial>[0],
    ): Promise<string> => {
      const record = MigrationRecord.fromPartial({
        id: randomUUID(),
        serverId: server,
        projectId: member.projectId,
        userId: member.userId,
        kind: RESIZE,
        status: "finished",
        source: { host: "h1", node: "n1" },
        target: { host: "h2", address: "10.0.0.2" },
        ...init,
      });
      const box = secretBox([{ id: "k", key: Buffer.alloc(32, 1) }]);
      await store.db.statement(testCtx(), "test.put", (db) =>
        allTogether(rowParts(store, { box }, { devices: [], migrations: [record] })).execute(db),
      );
      return record.id;
    };
    assert.ok(cell1 !== undefined && cell2 !== undefined);
    for (const [id, projectId] of [
      [server, member.projectId],
      [other, stranger.projectId],
    ] as const) {
      await putInstance(cell1, testCtx(), aServer({ id, projectId }));
      await globalStore.db.statement(testCtx(), "test.map", (db) =>
        insertInto(globalStore.t.instance_mapping, [
          { server_id: id, database: "cell1", project_id: projectId, user_id: "u", created_at: START },
        ]).execute(db),
      );
    }
    for (let index = 0; index < 6; index++) {
      const [store, createdAt] = [
        index % 2 === 0 ? cell1 : cell2,
        toTimestamp(START + BigInt(index) * 1_000_000n),
      ];
      own.unshift(
        await put(store, {
          createdAt,
          number: BigInt(index + 1),
          ...(index === 0 ? { kind: LIVE, status: "running", counters: { memoryTotalBytes: 9n } } : {}),
          ...(index === 5 ? { kind: EVACUATION, status: "done", userId: "somebody" } : {}),
        }),
      );
    }
    await put(cell2, { createdAt: toTimestamp(START), projectId: stranger.projectId, serverId: other });
    await put(cell1, { createdAt: toTimestamp(START), hidden: true });
  });
  after(async () => {
    await api.service.close();
    stop.abort();
    await running;
  });

  const manager = { ...member, roles: ["manager", "member", "reader"] };
  const service = () => api.channel.client(MigrationsServiceDefinition);
  const lists = () =>
    api.network.connect("api", { service: "gateway", host: "" }).client(NovaListsServiceDefinition);

  it("are one list, newest first, page by page, without those of others", async () => {
    const ids: string[] = [];
    let pageToken = "";
    do {
      const page = await service().listMigrations(as(manager), { hidden: false, pageSize: 2, pageToken });
      assert.ok(page.migrations.length <= 2);
      ids.push(...page.migrations.map(({ id }) => id));
      ({ nextPageToken: pageToken } = page);
    } while (pageToken !== "");
    assert.deepEqual(ids, own);
  });

  it("hide hosts from whom policy hides them, and say so", async () => {
    const hidden = await service().listMigrations(as(manager), { pageSize: 1 });
    assert.deepEqual(
      [hidden.migrations[0]?.sourceCompute, hidden.migrations[0]?.destHost, hidden.hiddenFields.length],
      [undefined, undefined, 5],
    );
    const shown = await service().listMigrations(as(administrator), { allProjects: true, pageSize: 1 });
    assert.deepEqual(
      [shown.migrations[0]?.sourceCompute, shown.migrations[0]?.destHost, shown.hiddenFields],
      ["h1", "10.0.0.2", []],
    );
  });

  it("of other projects need a right of their own", async () => {
    await assert.rejects(service().listMigrations(as(member), {}), { reason: "FORBIDDEN" });
    for (const wish of [{ allProjects: true }, { projectId: stranger.projectId }])
      await assert.rejects(service().listMigrations(as(manager), wish), { reason: "FORBIDDEN" });
    const all = await service().listMigrations(as(administrator), { allProjects: true });
    assert.equal(all.migrations.length, 8);
    const foreign = await service().listMigrations(as(administrator), { projectId: stranger.projectId });
    assert.deepEqual(
      foreign.migrations.map(({ serverId }) => serverId),
      [other],
    );
  });

  it("are found by what is asked for, and tokens belong to what was asked", async () => {
    const count = async (
      wish: Parameters<ReturnType<typeof service>["listMigrations"]>[1],
      who = manager,
    ): Promise<number> =>
      (await service().listMigrations(as(who), { hidden: false, ...wish })).migrations.length;
    const seesHosts = { ...manager, roles: ["admin", ...manager.roles] };
    for (const guess of [{ host: "h2" }, { sourceCompute: "h2" }])
      await assert.rejects(count(guess), { reason: "FORBIDDEN" });
    assert.deepEqual(
      {
        type: await count({ type: MigrationType.MIGRATION_TYPE_EVACUATION }),
        status: await count({ status: "finished" }),
        host: await count({ host: "h2" }, seesHosts),
        source: await count({ sourceCompute: "h2" }, seesHosts),
        user: await count({ userId: "somebody" }),
        since: await count({ changesSince: toTimestamp(START + 4_000_000n) }),
        hidden: await count({ hidden: true }),
      },
      { type: 1, status: 4, host: 6, source: 0, user: 1, since: 2, hidden: 1 },
    );
    const { nextPageToken } = await service().listMigrations(as(manager), { pageSize: 1 });
    await assert.rejects(
      service().listMigrations(as(manager), { status: "done", pageToken: nextPageToken }),
      {
        reason: "BAD_PAGE_TOKEN",
      },
    );
  });

  it("are asked for with texts of bounded length, and few servers", async () => {
    const long = "x".repeat(256);
    for (const wish of [
      { sourceCompute: long },
      { host: long },
      { status: long },
      { userId: long },
      { projectId: long },
      { serverIds: [long] },
      { serverIds: Array.from({ length: 201 }, () => server) },
    ])
      await assert.rejects(
        service().listMigrations(as(administrator), wish),
        { reason: "INVALID_REQUEST" },
        Object.keys(wish).join(),
      );
  });

  it("go on after Nova's marker, in whichever cell it is", async () => {
    const after = async (marker: string): Promise<string[]> =>
      (
        await lists().listMigrations(as(manager), { list: { hidden: false }, nova: { marker } })
      ).migrations.map(({ id }) => id);
    assert.deepEqual(await after(own[1] ?? ""), own.slice(2));
    assert.deepEqual(await after(own[2] ?? ""), own.slice(3));
    // One of another project is none of this list's.
    const [foreign] = (await service().listMigrations(as(administrator), { projectId: stranger.projectId }))
      .migrations;
    await assert.rejects(after(foreign?.id ?? ""), {
      reason: "MARKER_NOT_FOUND",
      message: `Marker ${foreign?.id} could not be found.`,
    });
    await assert.rejects(after(randomUUID()), { reason: "MARKER_NOT_FOUND" });
  });

  it("under way are told of one server, with their progress", async () => {
    const list = { serverIds: [server], inProgressOnly: true };
    const { migrations } = await service().listMigrations(as(manager), list);
    assert.deepEqual(
      migrations.map(({ id, progress }) => [id, progress?.memoryTotalBytes]),
      [[own.at(-1), 9n]],
    );
    await assert.rejects(service().listMigrations(as(manager), { ...list, serverIds: [] }), {
      reason: "INVALID_REQUEST",
    });
    await assert.rejects(service().listMigrations(as(manager), { ...list, serverIds: [other] }), {
      reason: "SERVER_NOT_FOUND",
    });
  });

  it("are read one by one, by uuid or number", async () => {
    const get = (migrationId: string, inProgressOnly = false) =>
      service().getMigration(as(administrator), { serverId: server, migrationId, inProgressOnly });
    const live = own.at(-1) ?? "";
    assert.equal((await get(live, true)).migration?.id, live);
    assert.equal((await get("1", true)).migration?.id, live);
    const finished = own.at(-3) ?? "";
    assert.equal((await get(finished)).migration?.status, "finished");
    await assert.rejects(get(finished, true), { reason: "MIGRATION_NOT_FOUND" });
    await assert.rejects(get("99"), { reason: "MIGRATION_NOT_FOUND" });
  });
});
