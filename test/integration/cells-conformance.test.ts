import { insertInto } from "../../pkg/cells/store/fragments.js";
import { putInstance } from "../../pkg/cells/testing/records.js";
import { compactFeed, outboxRows, renewIncarnation } from "../../pkg/platform/db/feed/index.js";
import { systemIds } from "../../pkg/platform/process/ids.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";
import { cellsConformance } from "../conformance/cells/suite.js";
import { KINDS, LIMITS } from "../conformance/cells/world.js";
import type { CellsUnderTest } from "./support/cells-service.js";
import { startCellsService } from "./support/cells-service.js";

/** Entries of a feed that the process which numbers it keeps in memory. */
const KEPT = 500;

cellsConformance("SQL on PostgreSQL", async () => {
  const service = await startCellsService(LIMITS, KINDS);
  const storeOf = (database: string): CellsUnderTest["store"] =>
    database === "global" ? service.globalStore : service.store;
  return {
    as: (name, host = "") => service.as(name, host),
    put: (database, server, ports = []) => putInstance(storeOf(database), testCtx(), server, ports),
    compact: async (database) => {
      const { db, t } = storeOf(database);
      const filler = Array.from({ length: KEPT }, (_, index) => ({
        entityKind: "filler",
        entityId: String(index),
        projectId: "",
        generation: 1,
        eventType: "changed",
        payload: new Uint8Array(),
      }));
      const rows = outboxRows(filler, systemIds, 1n).map((row) => ({ ...row }));
      await db.statement(testCtx(), "testing.fill-feed", (d) => insertInto(t.outbox, rows).execute(d));
      await until(async () => {
        const { revision, expectedRevision } = await service.feed.getFeedHead(testCtx(), { database });
        return revision === expectedRevision;
      });
      await compactFeed(testCtx(), db, { keepMs: -60_000 });
    },
    renew: async (database) => {
      await renewIncarnation(testCtx(), storeOf(database).db);
    },
    alive: service.alive,
    close: service.close,
  };
});
