import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import { cellMigrations, globalMigrations } from "../../pkg/cells/index.js";
import { hostNotes, notedCell } from "../../pkg/cells/hosts/store/host-mappings.js";
import { insertInto } from "../../pkg/cells/store/fragments.js";
import { sql } from "../../pkg/cells/store/sql.js";
import { openStore } from "../../pkg/cells/store/tables.js";
import type { Store } from "../../pkg/cells/store/tables.js";
import { Stores, byName } from "../../pkg/cells/stores.js";
import { CLOUD } from "../../pkg/model/operation-name.js";
import { DbErrors } from "../../pkg/platform/db/errors.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testDatabase } from "../../pkg/testkit/postgres.js";
import { registerAgent, startCellsService } from "./support/cells-service.js";

/** The same database, that does not answer, and counts who asks. */
function silentCell(store: Store): { readonly store: Store; asked: number } {
  const silent = { store, asked: 0 };
  const fail = async (): Promise<never> => {
    silent.asked++;
    throw DbErrors.DB_UNAVAILABLE({});
  };
  const db = Object.assign(Object.create(store.db) as Store["db"], {
    statement: fail,
    read: fail,
    write: fail,
  });
  return Object.assign(silent, { store: { ...store, name: "cell2", db } });
}

describe("where operations of hosts are looked for", () => {
  let global: Store;
  let cell1: Store;
  before(async () => {
    const [globalDb, cellDb] = await Promise.all([
      testDatabase(globalMigrations),
      testDatabase(cellMigrations),
    ]);
    [global, cell1] = [openStore("global", globalDb.open()), openStore("cell1", cellDb.open())];
  });
  const host = (id: string) => ({ kind: "host", id }) as const;
  /** A host that was there before anybody noted hosts, and is deleted: only its operations are left. */
  const leftover = async (): Promise<string> => {
    const id = randomUUID();
    await cell1.db.statement(testCtx(), "test.subject", (db) =>
      sql`${insertInto(cell1.t.operation_subject, [{ id, operation_fence: 1 }])}`.execute(db),
    );
    return id;
  };

  it("only the noted cell is asked, whatever becomes of the others", async () => {
    const silent = silentCell(cell1);
    const stores = new Stores(global, [cell1, silent.store]);
    const note = hostNotes(global);
    const [here, there] = [randomUUID(), randomUUID()];
    await note(testCtx(), here, "cell1");
    await note(testCtx(), there, "cell2");
    assert.equal((await stores.locateSubject(testCtx(), "", host(here))).name, "cell1");
    assert.equal(silent.asked, 0);
    const found = await stores.locateSubject(testCtx(), "", host(there));
    await assert.rejects(
      byName(found, (store) => store.db.statement(testCtx(), "test.ask", () => assert.fail("it answers"))),
      { reason: "UNAVAILABLE", message: "Cell cell2 is unavailable at this time." },
    );
    await note(testCtx(), there, "cell1");
    assert.equal(await notedCell(global, testCtx(), there), "cell1");
  });

  it("one that nobody noted is found in a cell that answers, also when it is deleted", async () => {
    const { store } = silentCell(cell1);
    const id = await leftover();
    const stores = new Stores(global, [store, cell1]);
    assert.equal((await stores.locateSubject(testCtx(), "", host(id))).name, "cell1");
    await assert.rejects(stores.locateSubject(testCtx(), "", host(randomUUID())), {
      reason: "UNAVAILABLE",
      message: "Cell cell2 is unavailable at this time.",
    });
    await assert.rejects(new Stores(global, [cell1]).locateSubject(testCtx(), "", host(randomUUID())), {
      reason: "HOST_NOT_FOUND",
    });
    assert.equal((await stores.locateSubject(testCtx(), "", CLOUD)).name, "global");
  });

  it("what is wrong otherwise is told as it is", async () => {
    await assert.rejects(
      byName(cell1, () => Promise.reject(DbErrors.CONTENTION({}))),
      { reason: "CONTENTION" },
    );
  });

  it("a registration notes the host, and does without when the global database is away", async () => {
    const s = await startCellsService();
    try {
      const { computeNodeId } = await registerAgent(s, "noted");
      assert.equal(await notedCell(s.globalStore, testCtx(), computeNodeId), "cell1");
      const { operations } = await s
        .as("operator")
        .client(OperationStoreServiceDefinition)
        .listStoredOperations(testCtx(), { hostId: computeNodeId });
      assert.deepEqual(operations, []);
    } finally {
      await s.close();
    }
    await hostNotes(silentCell(global).store)(testCtx(), randomUUID(), "cell1");
  });
});
