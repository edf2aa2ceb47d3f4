import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { InstanceChange, InstanceRecord } from "../../gen/kilonova/cells/v1/instance_change.js";
import {
  AcceptOperationRequest,
  InstancesServiceDefinition,
} from "../../gen/kilonova/cells/v1/instances_service.js";
import {
  ActivateHandoverRequest,
  CommitHandoverRequest,
  HandoverProtocol,
  OperationStoreServiceDefinition,
  PrepareHandoverRequest,
} from "../../gen/kilonova/cells/v1/operations_service.js";
import type { CommitStepRequest, StoredOperation } from "../../gen/kilonova/cells/v1/operations_service.js";
import { MigrationKind } from "../../gen/kilonova/cells/v1/server_records.js";
import type { BlockDeviceRecord, MigrationRecord } from "../../gen/kilonova/cells/v1/server_records.js";
import { ServerRecordsServiceDefinition } from "../../gen/kilonova/cells/v1/server_records_service.js";
import { Flavor } from "../../gen/kilonova/type/v1/flavor.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { cellMigrations } from "../../pkg/cells/index.js";
import { acceptOperation } from "../../pkg/cells/operations/store/accept-operation.js";
import { activate } from "../../pkg/cells/operations/hand-over/activate.js";
import { operationStoreHandlers } from "../../pkg/cells/operations/rpc/operation-store.js";
import { NumberBlocks } from "../../pkg/cells/store/number-blocks.js";
import { secretBox } from "../../pkg/cells/store/secret-box.js";
import { Sql, sql } from "../../pkg/cells/store/sql.js";
import { openStore } from "../../pkg/cells/store/tables.js";
import type { Store } from "../../pkg/cells/store/tables.js";
import { Stores } from "../../pkg/cells/stores.js";
import { aServer, putInstance, recordsOf } from "../../pkg/cells/testing/records.js";
import { OperationCatalogue } from "../../pkg/model/operation-catalogue.js";
import { anyOperation } from "../../pkg/model/operation-declaration.js";
import { aDeclaration, aForm } from "../../pkg/model/testing/a-declaration.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { systemIds } from "../../pkg/platform/process/ids.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testDatabase } from "../../pkg/testkit/postgres.js";
import { bootRequest } from "../crash/requests.js";
import type { CellsUnderTest } from "./support/cells-service.js";
import { startCellsService } from "./support/cells-service.js";
import { A_CONFLICT } from "./support/a-conflict.js";

const { OPERATION_STATE_RUNNING: RUNNING, OPERATION_STATE_SUCCEEDED: SUCCEEDED } = OperationState;
const {
  MIGRATION_KIND_RESIZE: RESIZE,
  MIGRATION_KIND_LIVE_MIGRATION: LIVE,
  MIGRATION_KIND_EVACUATION: EVACUATION,
} = MigrationKind;

const large = Flavor.fromPartial({ id: "2", name: "m1.large", vcpus: 4, memoryMib: 8192, rootGib: 1 });
const member = { kind: "user", userId: "mover", projectId: "project", roles: ["member"] };

const kinds = new OperationCatalogue([
  anyOperation(aDeclaration("test.kind")),
  anyOperation(
    aDeclaration("test.move", {
      forms: { plain: { ...aForm, vmStates: [VmState.VM_STATE_ACTIVE], taskState: "resize_prep" } },
      formOf: () => "plain",
      migration: ({ server }) => ({ kind: RESIZE, oldFlavor: server.flavor, newFlavor: large }),
    }),
  ),
  anyOperation(
    aDeclaration("test.wait", {
      lane: "volumes",
      forms: { plain: { ...aForm, contention: "waits" } },
      formOf: () => "plain",
    }),
  ),
  anyOperation(aDeclaration("test.plug", { lane: "ports", forms: { plain: aForm }, formOf: () => "plain" })),
]);

describe("rows of a server", () => {
  let s: CellsUnderTest;
  before(async () => {
    s = await startCellsService({}, kinds);
  });
  after(() => s.close());

  const conductor = () => s.as("conductor").client(OperationStoreServiceDefinition);
  const rows = (peer = "api") => s.as(peer).client(ServerRecordsServiceDefinition);
  const server = async (over: Partial<Parameters<typeof aServer>[0]> = {}): Promise<string> => {
    const id = randomUUID();
    await putInstance(
      s.store,
      testCtx(),
      aServer({
        id,
        hostInfo: { host: "h1", node: "n1", computeNodeUuid: "c1", cell: "cell1" } as never,
        ...over,
      }),
    );
    return id;
  };
  type Partials = Parameters<typeof InstanceChange.fromPartial>[0];
  const accept = async (
    serverId: string,
    kind: string,
    change?: Partials,
    clientToken = "",
  ): Promise<string> => {
    const { operation } = await s
      .as("api")
      .client(InstancesServiceDefinition)
      .acceptOperation(testCtx(), {
        database: "cell1",
        serverId,
        actor: member,
        kind: `test.${kind}`,
        kindVersion: 1,
        method: "Move",
        clientToken,
        ...(change === undefined ? {} : { change }),
      });
    return operation?.name ?? assert.fail("no operation");
  };
  const taken = async (name: string): Promise<StoredOperation> => {
    const { operations } = await conductor().acquireOperations(testCtx(), {
      database: "cell1",
      owner: "a",
      kinds: kinds.all.map(({ kind }) => ({ kind, version: 1 })),
      limit: 1,
      names: [name],
      ownership: { seconds: 60n },
    });
    return operations[0] ?? assert.fail("not acquired");
  };
  const commit = (
    { name, fence }: StoredOperation,
    change: Partials,
    wish: Partial<CommitStepRequest> = {},
  ) =>
    conductor().commitStep(testCtx(), {
      database: "cell1",
      name,
      fence,
      state: RUNNING,
      currentStep: "one",
      change,
      ...wish,
    });
  const recordOf = async (serverId: string): Promise<InstanceRecord> =>
    (await s.instances.getInstance(testCtx(), { database: "cell1", serverId, withUserData: true }))
      .instance ?? assert.fail("no record");
  const devices = async (serverId: string, peer = "api", database = "cell1"): Promise<BlockDeviceRecord[]> =>
    (await rows(peer).listBlockDevices(testCtx(), { database, serverId, withConnectionInfo: true }))
      .blockDevices;
  const migrations = async (
    query: Parameters<ReturnType<typeof rows>["listMigrations"]>[1] = {},
  ): Promise<MigrationRecord[]> =>
    (await rows().listMigrations(testCtx(), { database: "cell1", ...query })).rows.map(
      ({ migration }) => migration ?? assert.fail("no migration"),
    );
  /** How many rows of everything an acceptance writes there are. */
  const counts = async (store: Store, serverId: string): Promise<unknown> => {
    const { t } = store;
    const found = await store.db.statement(testCtx(), "test.counts", (db) =>
      sql`SELECT (SELECT count(*) FROM ${t.operation} WHERE server_id = ${serverId}) AS operations,
        (SELECT count(*) FROM ${t.block_device} WHERE server_id = ${serverId}) AS devices,
        (SELECT count(*) FROM ${t.migration} WHERE server_id = ${serverId}) AS migrations,
        (SELECT count(*) FROM ${t.instance_action} WHERE server_id = ${serverId}) AS actions,
        (SELECT count(*) FROM ${t.outbox} WHERE entity_id = ${serverId}) AS told,
        (SELECT generation FROM ${t.instance} WHERE id = ${serverId}) AS generation`.execute(db),
    );
    return found.rows[0];
  };

  const everything: Partials = {
    server: { name: "renamed", image: { id: "image-2" } },
    updateMask: ["name", "image"],
    spec: { image: { id: "image-2" }, keyName: "k" },
    specMask: ["image", "key_name"],
    userData: "bmV3",
    hostResources: { limits: { vcpus: 8n }, mappings: new Map([["", { ids: ["provider"] }]]) },
    replaceHostResources: true,
    blockDevices: [
      { device: { id: "d1", volumeId: "v1", deviceName: "/dev/vdb", deleteOnTermination: true } },
    ],
  };

  describe("in an acceptance", () => {
    it("are stored with everything else that changes, once", async () => {
      const id = await server();
      const name = await accept(id, "move", everything);
      const { server: after, spec, hostResources } = await recordOf(id);
      assert.deepEqual(
        [
          after?.name,
          after?.image?.id,
          after?.taskState,
          after?.userData,
          after?.generation,
          after?.flavor?.id,
        ],
        ["renamed", "image-2", "resize_prep", "bmV3", 2n, "1"],
      );
      assert.deepEqual([spec?.image?.id, spec?.keyName], ["image-2", "k"]);
      assert.deepEqual(hostResources?.mappings.get("")?.ids, ["provider"]);
      assert.deepEqual(
        after?.volumes.map(({ id: volume, deleteOnTermination }) => [volume, deleteOnTermination]),
        [["v1", true]],
      );
      const [migration] = await migrations({ serverIds: [id] });
      assert.deepEqual(
        {
          id: migration?.id,
          status: migration?.status,
          kind: migration?.kind,
          who: [migration?.userId, migration?.projectId, migration?.operation],
          from: [migration?.source?.host, migration?.source?.node, migration?.source?.computeNodeId],
          flavors: [migration?.oldFlavor?.id, migration?.newFlavor?.id],
        },
        {
          id: name.split("/")[2],
          status: "pre-migrating",
          kind: RESIZE,
          who: ["mover", "project", name],
          from: ["h1", "n1", "c1"],
          flavors: ["1", "2"],
        },
      );
      assert.ok((migration?.number ?? 0n) > 0n);
      assert.deepEqual(await counts(s.store, id), {
        operations: 1,
        devices: 1,
        migrations: 1,
        actions: 1,
        told: 1,
        generation: 2,
      });
    });

    it("leave nothing when anything is refused", async () => {
      const id = await server();
      const nothing = { operations: 0, devices: 0, migrations: 0, actions: 0, told: 0, generation: 1 };
      const twice = ["a", "b"].map((device) => ({ device: { id: device, volumeId: "v1" } }));
      const refused: readonly (readonly [Partials, string])[] = [
        [{ ...everything, blockDevices: twice }, "VOLUME_ATTACHED_TWICE"],
        [
          {
            ...everything,
            migrations: [{ migration: { id: "none", status: "error" }, updateMask: ["status"] }],
          },
          "MIGRATION_NOT_FOUND",
        ],
        [
          {
            ...everything,
            migrations: [
              { migration: { status: "confirmed" }, updateMask: ["status"] },
              { migration: { status: "migrating" }, updateMask: ["status"] },
            ],
          },
          "ILLEGAL_TRANSITION",
        ],
        [{ ...everything, specMask: ["nothing_of_it"] }, "INVALID_ARGUMENT"],
        [{ ...everything, updateMask: ["task_state"] }, "INVALID_ARGUMENT"],
        [{ ...everything, deleteRecord: true }, "INVALID_ARGUMENT"],
      ];
      for (const [change, reason] of refused) {
        await assert.rejects(accept(id, "move", change), { reason });
        assert.deepEqual(await counts(s.store, id), nothing, reason);
      }
      await assert.rejects(accept(id, "wait", { userData: "x" }), { reason: "INVALID_ARGUMENT" });
      assert.deepEqual(await counts(s.store, id), nothing);
    });

    it("are the same after a transaction that had to run again", async () => {
      const id = await server();
      let runs = 0;
      // The engine itself refuses the first run, after everything is written.
      const { db } = s.store;
      const disturbed: Store = {
        ...s.store,
        db: {
          ...db,
          write: (ctx, name, fn, options) =>
            db.write(
              ctx,
              name,
              async (tx) => {
                const result = await fn(tx);
                if (++runs === 1) await new Sql([A_CONFLICT]).execute(tx);
                return result;
              },
              options,
            ),
        },
      };
      const request = AcceptOperationRequest.fromPartial({
        database: "cell1",
        serverId: id,
        actor: member,
        kind: "test.move",
        kindVersion: 1,
        change: everything,
      });
      const deps = {
        clock: systemClock,
        ids: systemIds,
        box: secretBox([{ id: "k", key: Buffer.alloc(32, 1) }]),
        operations: kinds,
      };
      const desk = {
        take: () => assert.fail("takes none"),
        giveBack: () => assert.fail("has none"),
        settle: () => assert.fail("has none"),
      };
      await acceptOperation(disturbed, deps, testCtx(), request, desk);
      assert.equal(runs, 2);
      assert.deepEqual(await counts(s.store, id), {
        operations: 1,
        devices: 1,
        migrations: 1,
        actions: 1,
        told: 1,
        generation: 2,
      });
    });

    it("change beside a server's life without taking it", async () => {
      const id = await server();
      const life = await accept(id, "kind");
      await accept(id, "plug", { blockDevices: [{ device: { id: "d", deviceName: "/dev/vdz" } }] });
      const { server: after } = await recordOf(id);
      assert.equal(after?.currentOperation, life);
      assert.deepEqual(
        (await devices(id)).map((device) => device.id),
        ["d"],
      );
    });

    it("are answered again, and not made again, for a repeated token", async () => {
      const id = await server();
      const name = await accept(id, "move", everything, "token");
      assert.equal(await accept(id, "move", everything, "token"), name);
      assert.equal((await migrations({ serverIds: [id] })).length, 1);
    });
  });

  describe("in a step's commit", () => {
    it("add, change and remove devices, and the server's volumes follow", async () => {
      const id = await server();
      const operation = await taken(await accept(id, "kind"));
      const volumes = async () => (await recordOf(id)).server?.volumes.map((one) => one.id);
      await commit(operation, {
        blockDevices: [
          { device: { id: "a", volumeId: "va", deviceName: "/dev/vdb" } },
          { device: { id: "b", volumeId: "vb", deviceName: "/dev/vdc", tag: "t" } },
        ],
      });
      assert.deepEqual(await volumes(), ["va", "vb"]);
      await commit(operation, {
        blockDevices: [
          { device: { id: "b", volumeId: "vc", tag: "x" }, updateMask: ["volume_id"] },
          { device: { id: "a" }, remove: true },
        ],
      });
      assert.deepEqual(await volumes(), ["vc"]);
      const [left] = await devices(id);
      assert.deepEqual([left?.id, left?.volumeId, left?.tag, left?.deviceName], ["b", "vc", "t", "/dev/vdc"]);
      assert.ok(left?.updatedAt !== undefined);
      // A repetition changes nothing; a name and a volume that were given back may be used again.
      await commit(operation, { blockDevices: [{ device: { id: "a" }, remove: true }] });
      await commit(operation, {
        blockDevices: [{ device: { id: "c", volumeId: "va", deviceName: "/dev/vdb" } }],
      });
      assert.deepEqual(await volumes(), ["vc", "va"]);
      const { blockDevices } = await rows().listBlockDevices(testCtx(), {
        database: "cell1",
        volumeId: "va",
      });
      assert.deepEqual(
        blockDevices.map((device) => [device.serverId, device.id]),
        [[id, "c"]],
      );
    });

    it("refuse a device name and a volume that the server has", async () => {
      const id = await server();
      const operation = await taken(await accept(id, "kind"));
      const device = { id: "a", volumeId: "va", deviceName: "/dev/vdb" };
      await commit(operation, { blockDevices: [{ device }] });
      for (const [other, reason] of [
        [{ id: "b", deviceName: "/dev/vdb" }, "DEVICE_NAME_IN_USE"],
        [{ id: "b", volumeId: "va" }, "VOLUME_ATTACHED_TWICE"],
      ] as const)
        await assert.rejects(commit(operation, { blockDevices: [{ device: other }] }), { reason });
      assert.equal((await devices(id)).length, 1);
      assert.equal((await recordOf(id)).server?.generation, 3n);
    });

    it("move a migration's status forward only, with all else or not at all", async () => {
      const id = await server();
      const operation = await taken(await accept(id, "move"));
      const to = (status: string, more: Partials = {}) =>
        commit(operation, {
          ...more,
          migrations: [
            {
              migration: { status, target: { host: "h2", address: "10.0.0.2" } },
              updateMask: ["status", "target"],
            },
          ],
        });
      await to("migrating");
      const [migration] = await migrations({ host: "h2", serverIds: [id] });
      assert.deepEqual([migration?.status, migration?.target?.address], ["migrating", "10.0.0.2"]);
      await assert.rejects(
        to("pre-migrating", { server: { taskState: "resize_migrating" }, updateMask: ["task_state"] }),
        { reason: "ILLEGAL_TRANSITION" },
      );
      assert.equal((await recordOf(id)).server?.taskState, "resize_prep");
      await to("finished");
      await commit(operation, {}, { state: SUCCEEDED });
      assert.deepEqual(
        (await migrations({ serverIds: [id] })).map(({ status }) => status),
        ["finished"],
      );
    });

    it("make a migration that no acceptance made, once", async () => {
      const id = await server();
      const operation = await taken(await accept(id, "kind"));
      const make = { migrations: [{ migration: { id: randomUUID(), kind: EVACUATION }, create: true }] };
      await commit(operation, make);
      await commit(operation, make);
      const made = await migrations({ serverIds: [id] });
      assert.deepEqual(
        made.map(({ status, operation: name }) => [status, name]),
        [["accepted", operation.name]],
      );
    });

    it("keep how a volume is reached encrypted, and tell it to conductors that ask", async () => {
      const id = await server();
      const operation = await taken(await accept(id, "kind"));
      const connectionInfo = '{"auth_password":"chap-secret"}';
      await commit(operation, { blockDevices: [{ device: { id: "a", volumeId: "va", connectionInfo } }] });
      const { t, db } = s.store;
      const stored = await db.statement(testCtx(), "test.body", (at) =>
        sql<{ body: Buffer }>`SELECT body FROM ${t.block_device} WHERE server_id = ${id}`.execute(at),
      );
      assert.equal(stored.rows[0]?.body.includes("chap-secret"), false);
      const [secret] = await devices(id, "conductor");
      assert.equal(secret?.connectionInfo, connectionInfo);
      const [open] = await devices(id);
      assert.deepEqual([open?.connectionInfo, open?.encryptedConnectionInfo.length], ["", 0]);
      // It stays with a change of something else, and goes when it is cleared.
      await commit(operation, { blockDevices: [{ device: { id: "a", tag: "t" }, updateMask: ["tag"] }] });
      assert.equal((await devices(id, "conductor"))[0]?.connectionInfo, connectionInfo);
      await commit(operation, { blockDevices: [{ device: { id: "a" }, updateMask: ["connection_info"] }] });
      assert.equal((await devices(id, "conductor"))[0]?.connectionInfo, "");
    });

    it("replace user data where the change is one statement, too", async () => {
      const id = await server();
      const operation = await taken(await accept(id, "kind"));
      await commit(operation, { userData: "b25l" });
      assert.equal((await recordOf(id)).server?.userData, "b25l");
      await commit(operation, { server: { progress: 1 }, updateMask: ["progress"] });
      assert.equal((await recordOf(id)).server?.userData, "b25l");
      await commit(operation, { userData: "" });
      assert.equal((await recordOf(id)).server?.userData, "");
    });
  });

  describe("through a server's life", () => {
    const KIB = 1024n;
    /** A server on its way into its cell. */
    async function boot(id: string): Promise<StoredOperation> {
      const flavor = { ephemeralGib: 2, swapMib: 64 };
      const { operations } = await s.global.acceptServers(testCtx(), bootRequest({ ids: [id], flavor }));
      const { operations: owned, instances } = await conductor().acquireOperations(testCtx(), {
        database: "global",
        owner: "a",
        kinds: [{ kind: "server.boot", version: 1 }],
        limit: 1,
        names: [operations[0]?.name ?? ""],
        ownership: { seconds: 60n },
      });
      const [operation, instance] = [owned[0] ?? assert.fail(), instances[0] ?? assert.fail()];
      const { name, fence } = operation;
      await conductor().prepareHandover(testCtx(), {
        database: "cell1",
        sourceDatabase: "global",
        operation,
        instance: Buffer.from(InstanceRecord.encode(instance).finish()),
        fence,
      });
      await conductor().commitHandover(testCtx(), {
        database: "global",
        name,
        fence,
        targetDatabase: "cell1",
      });
      const woken = await conductor().activateHandover(testCtx(), {
        database: "cell1",
        name,
        owner: "a",
        ownership: { seconds: 60n },
        committed: { database: "global", cancelRequested: false },
      });
      return woken.operation ?? assert.fail("not awake");
    }
    const seen = (all: readonly BlockDeviceRecord[]) =>
      all.map(({ deviceName, sizeMib, guestFormat, bootIndex, imageId }) => [
        deviceName,
        sizeMib,
        guestFormat,
        bootIndex,
        imageId !== "",
      ]);
    const booted = [
      ["/dev/vda", KIB, "", 0, true],
      ["/dev/vdb", 2n * KIB, "", undefined, false],
      ["/dev/vdc", 64n, "swap", undefined, false],
    ];

    it("begin with the disks that it is built with", async () => {
      const id = randomUUID();
      const flavor = { ephemeralGib: 2, swapMib: 64 };
      await s.global.acceptServers(testCtx(), bootRequest({ ids: [id], flavor }));
      const early = await devices(id, "api", "global");
      assert.deepEqual(seen(early), booted);
      assert.deepEqual(new Set(early.map((device) => device.id)), new Set([""]));
      const other = randomUUID();
      await boot(other);
      const late = await devices(other);
      assert.deepEqual(seen(late), booted);
      assert.equal(new Set(late.map((device) => device.id)).size, 3);
    });

    it("are made with the first change of one that an older build has built", async () => {
      const id = randomUUID();
      const operation = await boot(id);
      await s.store.db.statement(testCtx(), "test.old", (db) =>
        sql`DELETE FROM ${s.store.t.block_device} WHERE server_id = ${id}`.execute(db),
      );
      assert.deepEqual(seen(await devices(id)), booted);
      await commit(operation, {
        blockDevices: [{ device: { id: "d", volumeId: "v", deviceName: "/dev/vdd" } }],
      });
      assert.deepEqual(
        (await devices(id)).map(({ deviceName }) => deviceName),
        ["/dev/vda", "/dev/vdb", "/dev/vdc", "/dev/vdd"],
      );
    });

    it("end with it, and are still there for who asks for those of deleted ones", async () => {
      const id = randomUUID();
      const operation = await boot(id);
      await commit(operation, { migrations: [{ migration: { kind: LIVE }, create: true }] });
      await commit(operation, { deleteRecord: true }, { state: SUCCEEDED });
      assert.deepEqual(await devices(id), []);
      assert.deepEqual(await migrations({ serverIds: [id] }), []);
      const [gone] = await migrations({ serverIds: [id], withDeleted: true });
      assert.ok(gone?.deletedAt !== undefined);
      assert.equal(((await counts(s.store, id)) as { devices: number }).devices, 3);
    });

    it("travel with it to another cell, ended ones and secrets too, and leave nothing behind", async () => {
      const id = await server();
      const operation = await taken(await accept(id, "move"));
      const connectionInfo = "secret";
      await commit(operation, {
        blockDevices: [
          { device: { id: "a", volumeId: "va", connectionInfo } },
          { device: { id: "b", volumeId: "vb" } },
        ],
      });
      await commit(operation, { blockDevices: [{ device: { id: "b" }, remove: true }] });
      const before = await recordsOf(s.store, testCtx(), id);
      const target = openStore("cell2", (await testDatabase(cellMigrations)).open());
      const { t, db } = s.store;
      const deps = {
        clock: systemClock,
        ids: systemIds,
        box: secretBox([{ id: "k", key: Buffer.alloc(32, 1) }]),
        operations: kinds,
      };
      const stores = new Stores(s.globalStore, [s.store, target]);
      await s.globalStore.db.statement(testCtx(), "test.mapping", (at) =>
        sql`INSERT INTO ${s.globalStore.t.instance_mapping} (server_id, database, project_id, user_id, created_at)
          VALUES (${id}, 'cell1', 'project', 'user', ${systemClock.now()})`.execute(at),
      );
      const places = operationStoreHandlers({
        stores,
        deps,
        waker: { wake: () => {} },
        guestNumbers: () => new NumberBlocks(target, "instance"),
      });
      const { name, fence } = operation;
      const protocol = HandoverProtocol.HANDOVER_PROTOCOL_MOVE;
      await places.prepareHandover(
        testCtx(),
        PrepareHandoverRequest.fromPartial({
          database: "cell2",
          sourceDatabase: "cell1",
          operation,
          instance: Buffer.from(InstanceRecord.encode(await recordOf(id)).finish()),
          fence,
          protocol,
        }),
      );
      await places.commitHandover(
        testCtx(),
        CommitHandoverRequest.fromPartial({
          database: "cell1",
          name,
          fence,
          targetDatabase: "cell2",
          protocol,
        }),
      );
      const woken = await activate(
        { stores, deps },
        testCtx(),
        ActivateHandoverRequest.fromPartial({
          database: "cell2",
          name,
          owner: "a",
          ownership: { seconds: 60n },
        }),
      );
      assert.equal(woken.operation?.name, name);
      assert.deepEqual(await recordsOf(target, testCtx(), id), before);
      assert.deepEqual([before?.blockDevices.length, before?.migrations.length], [2, 1]);
      const { rows: left } = await db.statement(testCtx(), "test.left", (at) =>
        sql`SELECT id FROM ${t.block_device} WHERE server_id = ${id} UNION ALL SELECT id FROM ${t.migration} WHERE server_id = ${id}`.execute(
          at,
        ),
      );
      assert.deepEqual(left, []);
    });

    it("do not change while it has no cell", async () => {
      const id = randomUUID();
      await putInstance(s.globalStore, testCtx(), aServer({ id }));
      await assert.rejects(
        s.instances.acceptOperation(testCtx(), {
          database: "global",
          serverId: id,
          kind: "test.kind",
          kindVersion: 1,
          change: { blockDevices: [{ device: { volumeId: "v" } }] },
        }),
        { reason: "NOT_READY" },
      );
    });
  });

  describe("in lists of migrations", () => {
    const project = randomUUID();
    let made: string[];
    before(async () => {
      made = [];
      for (let index = 0; index < 5; index++) {
        const id = await server({ projectId: project });
        const operation = await taken(await accept(id, "move"));
        await commit(operation, {
          migrations: [
            {
              migration: { status: index % 2 === 0 ? "migrating" : "error", target: { host: `t${index}` } },
              updateMask: ["status", "target"],
            },
          ],
        });
        made.unshift(operation.name.split("/")[2] ?? "");
      }
    });

    it("come newest first, a page at a time, after any of their rows", async () => {
      const query = { database: "cell1", projectId: project, pageSize: 2 };
      const ids: string[] = [];
      let token = "";
      for (let more = true; more;) {
        const page = await rows().listMigrations(testCtx(), { ...query, pageToken: token });
        ids.push(...page.rows.map(({ migration }) => migration?.id ?? ""));
        token = page.rows.at(-1)?.pageToken ?? "";
        more = page.more;
      }
      assert.deepEqual(ids, made);
      const { pageToken } = await rows().getMigration(testCtx(), {
        database: "cell1",
        migrationId: made[1] ?? "",
      });
      const marked = await migrations({ ...query, pageSize: 0, pageToken });
      assert.deepEqual(
        marked.map(({ id }) => id),
        made.slice(2),
      );
      await assert.rejects(migrations({ pageToken: "x" }), { reason: "INVALID_ARGUMENT" });
    });

    it("are found by host, status, kind, project, user and time of their last change", async () => {
      const found = async (query: Parameters<typeof migrations>[0]): Promise<number> =>
        (await migrations({ projectId: project, ...query })).length;
      const { updatedAt } = (await migrations({ projectId: project }))[2] ?? assert.fail();
      assert.deepEqual(
        {
          source: await found({ sourceHost: "h1" }),
          target: await found({ host: "t3" }),
          notSource: await found({ sourceHost: "t3" }),
          status: await found({ statuses: ["error"] }),
          kind: await found({ kinds: [LIVE, EVACUATION] }),
          user: await found({ userId: "nobody" }),
          since: await found({ changesSince: updatedAt }),
          before: await found({ changesBefore: updatedAt }),
          hidden: await found({ hidden: true }),
          otherProject: await found({ projectId: "none" }),
        },
        {
          source: 5,
          target: 1,
          notSource: 0,
          status: 2,
          kind: 0,
          user: 0,
          since: 3,
          before: 3,
          hidden: 0,
          otherProject: 0,
        },
      );
    });

    it("are read one by one, by uuid or number, of their own server only", async () => {
      const [first] = await migrations({ projectId: project });
      const { id, number, serverId } = first ?? assert.fail();
      for (const migrationId of [id, String(number)]) {
        const { migration } = await rows().getMigration(testCtx(), {
          database: "cell1",
          serverId,
          migrationId,
        });
        assert.equal(migration?.id, id);
      }
      await assert.rejects(
        rows().getMigration(testCtx(), { database: "cell1", serverId: randomUUID(), migrationId: id }),
        { reason: "MIGRATION_NOT_FOUND" },
      );
    });
  });
});
