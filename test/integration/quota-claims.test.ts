import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { InstanceChange } from "../../gen/kilonova/cells/v1/instance_change.js";
import { AcceptOperationRequest } from "../../gen/kilonova/cells/v1/instances_service.js";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { acceptOperation } from "../../pkg/cells/operations/store/accept-operation.js";
import { settleClaims } from "../../pkg/cells/quota/settle-claims.js";
import { settleClaim, takeClaim } from "../../pkg/cells/quota/store/claims.js";
import type { QuotaClaim } from "../../pkg/cells/quota/domain/claims.js";
import type { Ctx } from "../../pkg/kernel/index.js";
import { releaseHoldings } from "../../pkg/cells/quota/store/quota.js";
import { Stores } from "../../pkg/cells/stores.js";
import { insertInto } from "../../pkg/cells/store/fragments.js";
import { secretBox } from "../../pkg/cells/store/secret-box.js";
import { Sql, sql } from "../../pkg/cells/store/sql.js";
import type { Store } from "../../pkg/cells/store/tables.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { OperationCatalogue } from "../../pkg/model/operation-catalogue.js";
import { anyOperation } from "../../pkg/model/operation-declaration.js";
import type { Holding } from "../../pkg/model/operation-declaration.js";
import { aDeclaration, aForm } from "../../pkg/model/testing/a-declaration.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { systemIds } from "../../pkg/platform/process/ids.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import type { CellsUnderTest } from "./support/cells-service.js";
import { startCellsService } from "./support/cells-service.js";
import { A_CONFLICT } from "./support/a-conflict.js";

const {
  OPERATION_STATE_RUNNING: RUNNING,
  OPERATION_STATE_SUCCEEDED: SUCCEEDED,
  OPERATION_STATE_FAILED: FAILED,
  OPERATION_STATE_NEEDS_OPERATOR: NEEDS_OPERATOR,
} = OperationState;
const CELL = "cell1";
const LIMITS = { maxInstances: 4, maxCores: 8, maxRamMib: 8_192 };
const limits = { instances: 4, cores: 8, ram: 8_192 };

/** Resizes to as many cores as its input says; with none the server counts no more. */
const target = (cores: string): Holding =>
  cores === "0" ? { instances: 0, cores: 0, ram: 0 } : { instances: 1, cores: Number(cores), ram: 512 };

const plain = { ...aForm, vmStates: [VmState.VM_STATE_ACTIVE] };
const kinds = new OperationCatalogue([
  anyOperation(aDeclaration("test.kind")),
  anyOperation(
    aDeclaration("test.size", {
      forms: { plain },
      formOf: () => "plain",
      quota: ({ input }) => target(input),
    }),
  ),
]);

describe("quota of operations", () => {
  let s: CellsUnderTest;
  let stores: Stores;
  before(async () => {
    s = await startCellsService(LIMITS, kinds);
    stores = new Stores(s.globalStore, [s.store]);
  });
  after(() => s.close());

  const conductor = () => s.as("conductor").client(OperationStoreServiceDefinition);
  /** A server of one core in a project of its own, unless named. */
  const server = async (projectId: string = randomUUID(), cores = 1) => {
    const id = randomUUID();
    await putInstance(s.store, testCtx(), aServer({ id, projectId }));
    const { t, db } = s.globalStore;
    await db.write(testCtx(), "test.hold", async (tx) => {
      await insertInto(t.quota_holding, [{ server_id: id, project_id: projectId, cores, ram: 512 }]).execute(
        tx,
      );
      await sql`INSERT INTO ${t.quota_usage} AS u (project_id, instances, cores, ram) VALUES (${projectId}, 1, ${cores}, 512)
        ON CONFLICT (project_id) DO UPDATE SET instances = u.instances + 1, cores = u.cores + excluded.cores, ram = u.ram + 512`.execute(
        tx,
      );
    });
    return { id, projectId };
  };
  const accept = async (serverId: string, cores: string, clientToken = "", kind = "test.size") => {
    const { operation } = await s.instances.acceptOperation(testCtx(), {
      database: CELL,
      serverId,
      kind,
      kindVersion: 1,
      input: Buffer.from(cores),
      method: "Size",
      clientToken,
      bodyHash: Buffer.from(cores),
    });
    return operation?.name ?? assert.fail("no operation");
  };
  const end = async (
    name: string,
    state: OperationState,
    change?: Parameters<typeof InstanceChange.fromPartial>[0],
  ): Promise<void> => {
    const { operations } = await conductor().acquireOperations(testCtx(), {
      database: CELL,
      owner: "a",
      kinds: [{ kind: "test.size", version: 1 }],
      limit: 1,
      names: [name],
      ownership: { seconds: 60n },
    });
    const { fence = 0n } = operations[0] ?? {};
    const commit = { database: CELL, name, fence, state, currentStep: "one" };
    await conductor().commitStep(testCtx(), change === undefined ? commit : { ...commit, change });
  };
  const row = async (store: Store, text: ReturnType<typeof sql>): Promise<unknown> =>
    (await store.db.statement(testCtx(), "test.row", (db) => text.execute(db))).rows[0];
  const used = (projectId: string) =>
    row(
      s.globalStore,
      sql`SELECT instances, cores, ram FROM ${s.globalStore.t.quota_usage} WHERE project_id = ${projectId}`,
    );
  const held = (id: string) =>
    row(s.globalStore, sql`SELECT cores, ram FROM ${s.globalStore.t.quota_holding} WHERE server_id = ${id}`);
  const claims = async (id: string): Promise<unknown> => {
    const { t } = s.globalStore;
    const found = await row(
      s.globalStore,
      sql`SELECT count(*) AS n FROM ${t.quota_claim} WHERE server_id = ${id}`,
    );
    return (found as { n: number }).n;
  };
  const operations = async (id: string): Promise<unknown> => {
    const found = await row(
      s.store,
      sql`SELECT count(*) AS n FROM ${s.store.t.operation} WHERE server_id = ${id}`,
    );
    return (found as { n: number }).n;
  };
  const one = { instances: 1, cores: 1, ram: 512 };

  it("is taken with the acceptance, and what the server holds once it has ended well", async () => {
    const { id, projectId } = await server();
    const name = await accept(id, "6");
    assert.deepEqual(await used(projectId), { ...one, cores: 6 });
    assert.deepEqual(await held(id), { cores: 1, ram: 512 });
    await end(name, SUCCEEDED);
    assert.deepEqual(await used(projectId), { ...one, cores: 6 });
    assert.deepEqual(await held(id), { cores: 6, ram: 512 });
    assert.equal(await claims(id), 0);
  });

  it("is given back when it ends otherwise, but not while an operator has it", async () => {
    const { id, projectId } = await server();
    const name = await accept(id, "6");
    await end(name, NEEDS_OPERATOR);
    await settleClaims(stores, { clock: systemClock }, testCtx(), 0n);
    assert.deepEqual(await used(projectId), { ...one, cores: 6 });
    const other = await server();
    await end(await accept(other.id, "6"), FAILED);
    assert.deepEqual(await used(other.projectId), one);
    assert.deepEqual(await held(other.id), { cores: 1, ram: 512 });
  });

  it("is given back with the end by who needs less, and by who counts no more", async () => {
    const { id, projectId } = await server(undefined, 6);
    const smaller = await accept(id, "2");
    assert.deepEqual(await used(projectId), { ...one, cores: 6 });
    await end(smaller, SUCCEEDED);
    assert.deepEqual(await used(projectId), { ...one, cores: 2 });
    await end(await accept(id, "0"), SUCCEEDED);
    assert.deepEqual(await used(projectId), { instances: 0, cores: 0, ram: 0 });
    assert.equal(await held(id), undefined);
    await end(await accept(id, "3"), SUCCEEDED);
    assert.deepEqual(
      [await used(projectId), await held(id)],
      [
        { ...one, cores: 3 },
        { cores: 3, ram: 512 },
      ],
    );
  });

  it("that does not suffice refuses the operation, and leaves nothing", async () => {
    const { id, projectId } = await server();
    await assert.rejects(accept(id, "9"), {
      reason: "QUOTA_EXCEEDED",
      facts: { resources: "cores", requested: "8", used: "1", limit: "8" },
    });
    assert.deepEqual([await operations(id), await claims(id), await used(projectId)], [0, 0, one]);
  });

  it("is not asked for by what is refused for another reason, nor twice for a repeated token", async () => {
    const { id, projectId } = await server();
    const name = await accept(id, "4", "token");
    assert.equal(await accept(id, "4", "token"), name);
    await assert.rejects(accept(id, "5"), { reason: "OPERATION_IN_PROGRESS" });
    assert.deepEqual([await claims(id), await used(projectId)], [1, { ...one, cores: 4 }]);
  });

  it("is strict when many ask at once", async () => {
    const projectId = randomUUID();
    const all = await Promise.all(Array.from({ length: 4 }, () => server(projectId)));
    const outcomes = await Promise.allSettled(all.map(({ id }) => accept(id, "3")));
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 2);
    assert.deepEqual(await used(projectId), { instances: 4, cores: 8, ram: 2_048 });
  });

  it("goes with a server that is deleted meanwhile", async () => {
    const { id, projectId } = await server();
    const name = await accept(id, "6");
    await releaseHoldings(s.globalStore, testCtx(), [id]);
    assert.deepEqual([await used(projectId), await claims(id)], [{ instances: 0, cores: 0, ram: 0 }, 0]);
    await end(name, SUCCEEDED);
    assert.deepEqual(await used(projectId), { instances: 0, cores: 0, ram: 0 });
  });

  it("is given back by whom another operation took over from", async () => {
    const { id, projectId } = await server();
    await accept(id, "6");
    await accept(id, "join", "", "test.kind");
    await settleClaims(stores, { clock: systemClock }, testCtx());
    assert.deepEqual([await used(projectId), await claims(id)], [one, 0]);
  });

  it("stays taken where its server had what it was for when another one took over", async () => {
    const { id, projectId } = await server();
    const name = await accept(id, "6");
    const flavor = { id: "6", name: "six", vcpus: 6, memoryMib: 512, rootGib: 1 };
    await end(name, RUNNING, { server: { flavor }, updateMask: ["flavor"] });
    await accept(id, "join", "", "test.kind");
    await settleClaims(stores, { clock: systemClock }, testCtx());
    assert.deepEqual(
      [await used(projectId), await held(id), await claims(id)],
      [{ ...one, cores: 6 }, { cores: 6, ram: 512 }, 0],
    );
  });

  describe("when somebody dies", () => {
    const deps = {
      clock: systemClock,
      ids: systemIds,
      box: secretBox([{ id: "k", key: Buffer.alloc(32, 1) }]),
      operations: kinds,
    };
    const request = (serverId: string) =>
      AcceptOperationRequest.fromPartial({
        database: CELL,
        serverId,
        kind: "test.size",
        kindVersion: 1,
        input: Buffer.from("6"),
      });
    const killed = new Error("killed");

    it("between taking it and the acceptance: it is given back, and nothing is accepted under it", async () => {
      const { id, projectId } = await server();
      let operationId = "";
      const dying = acceptOperation(s.store, deps, testCtx(), request(id), {
        take: async (ctx, claim) => {
          ({ operationId } = claim);
          await takeClaim(s.globalStore, deps, ctx, claim, limits);
          throw killed;
        },
        giveBack: () => assert.fail("nobody lives to give it back"),
        settle: () => assert.fail("it is not over"),
      });
      await assert.rejects(dying, killed);
      assert.deepEqual([await used(projectId), await operations(id)], [{ ...one, cores: 6 }, 0]);
      // It may still be on its way.
      await settleClaims(stores, deps, testCtx());
      assert.equal(await claims(id), 1);
      await settleClaims(stores, deps, testCtx(), 0n);
      assert.deepEqual([await used(projectId), await claims(id)], [one, 0]);
      const { t } = s.store;
      assert.ok(
        await row(s.store, sql`SELECT 1 FROM ${t.operation_void} WHERE operation_id = ${operationId}`),
      );
    });

    it("or is only slow: who comes too late takes quota anew", async () => {
      const { id, projectId } = await server();
      const taken: string[] = [];
      const { operation } = await acceptOperation(s.store, deps, testCtx(), request(id), {
        take: async (ctx, claim) => {
          taken.push(claim.operationId);
          await takeClaim(s.globalStore, deps, ctx, claim, limits);
          if (taken.length === 1) await settleClaims(stores, deps, ctx, 0n);
        },
        giveBack: (ctx, operationId) => settleClaim(s.globalStore, ctx, operationId, false),
        settle: () => assert.fail("it is not over"),
      });
      assert.equal(taken.length, 2);
      assert.equal(operation.name.split("/")[2], taken[1]);
      assert.deepEqual([await used(projectId), await claims(id)], [{ ...one, cores: 6 }, 1]);
    });

    it("after the acceptance or the end: it is settled by whoever looks", async () => {
      const { id, projectId } = await server();
      const name = await accept(id, "6");
      await settleClaims(stores, deps, testCtx(), 0n);
      assert.equal(await claims(id), 1);
      await s.store.db.statement(testCtx(), "test.end", (db) =>
        sql`UPDATE ${s.store.t.operation} SET state = 'succeeded', ready_at = NULL WHERE id = ${name.split("/")[2]}`.execute(
          db,
        ),
      );
      await settleClaims(stores, deps, testCtx());
      await settleClaims(stores, deps, testCtx());
      assert.deepEqual(
        [await used(projectId), await held(id), await claims(id)],
        [{ ...one, cores: 6 }, { cores: 6, ram: 512 }, 0],
      );
    });

    it("after the end, and another operation has ended meanwhile: the server holds what the last one brought", async () => {
      const { id, projectId } = await server();
      const name = await accept(id, "0");
      // Ended well; who was to settle it has died.
      await s.store.db.statement(testCtx(), "test.ended", (db) =>
        sql`UPDATE ${s.store.t.operation} SET state = 'succeeded', ready_at = NULL WHERE id = ${name.split("/")[2]}`.execute(
          db,
        ),
      );
      await s.store.db.statement(testCtx(), "test.free", (db) =>
        sql`UPDATE ${s.store.t.instance} SET current_operation = '' WHERE id = ${id}`.execute(db),
      );
      await end(await accept(id, "1"), SUCCEEDED);
      await settleClaims(stores, { clock: systemClock }, testCtx());
      assert.deepEqual([await held(id), await used(projectId)], [{ cores: 1, ram: 512 }, one]);
    });

    it("after the end, and the operation has moved on with its server: it is not taken for one that never was", async () => {
      const { id, projectId } = await server();
      const operationId = (await accept(id, "6")).split("/")[2] ?? "";
      const { t } = s.store;
      await row(
        s.store,
        sql`UPDATE ${t.operation} SET state = 'succeeded', ready_at = NULL WHERE id = ${operationId}`,
      );
      const travelled = await row(
        s.store,
        sql`DELETE FROM ${t.operation} WHERE id = ${operationId} RETURNING *`,
      );
      await row(s.globalStore, insertInto(s.globalStore.t.operation, [travelled as Record<string, unknown>]));
      await settleClaims(stores, deps, testCtx(), 0n);
      assert.deepEqual(
        [await used(projectId), await held(id), await claims(id)],
        [{ ...one, cores: 6 }, { cores: 6, ram: 512 }, 0],
      );
    });

    it("or the same token comes twice at once: the one that is only answered gives it back", async () => {
      const { id, projectId } = await server();
      const twice = AcceptOperationRequest.fromPartial({
        ...request(id),
        input: Buffer.from("4"),
        method: "Size",
        clientToken: "t",
      });
      const giveBack = (ctx: Ctx, operationId: string) => settleClaim(s.globalStore, ctx, operationId, false);
      const settle = () => assert.fail("it is not over");
      const take = (ctx: Ctx, claim: QuotaClaim) => takeClaim(s.globalStore, deps, ctx, claim, limits);
      let first = "";
      const { operation, replayed } = await acceptOperation(s.store, deps, testCtx(), twice, {
        take: async (ctx, claim) => {
          await take(ctx, claim);
          const before = await acceptOperation(s.store, deps, testCtx(), twice, { take, giveBack, settle });
          first = before.operation.name;
        },
        giveBack,
        settle,
      });
      assert.deepEqual([operation.name, replayed], [first, true]);
      assert.deepEqual([await used(projectId), await claims(id)], [{ ...one, cores: 4 }, 1]);
    });

    it("and the transaction has to run again: quota is taken once", async () => {
      const { id, projectId } = await server();
      const { db } = s.store;
      let runs = 0;
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
                // Once to run again, with quota taken.
                if (++runs === 2) await new Sql([A_CONFLICT]).execute(tx);
                return result;
              },
              options,
            ),
        },
      };
      let takes = 0;
      await acceptOperation(disturbed, deps, testCtx(), request(id), {
        take: (ctx, claim) => {
          takes++;
          return takeClaim(s.globalStore, deps, ctx, claim, limits);
        },
        giveBack: () => assert.fail("it was accepted"),
        settle: () => assert.fail("it is not over"),
      });
      assert.deepEqual([runs, takes, await operations(id)], [3, 1, 1]);
      assert.deepEqual([await used(projectId), await claims(id)], [{ ...one, cores: 6 }, 1]);
    });
  });
});
