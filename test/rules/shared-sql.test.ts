import assert from "node:assert/strict";
import { cellMigrations, globalMigrations } from "../../pkg/cells/index.js";
import { placementMigrations } from "../../pkg/placement/index.js";
import { standaloneMigrations } from "../../pkg/standalone/migrations/index.js";
import { notShared } from "../../pkg/testkit/shared-sql.js";

/** Statements at work are looked at by `test/integration/support/shared-sql.ts`. */
describe("tables are made by what CockroachDB takes, too", () => {
  for (const [what, migrations] of [
    ["global", globalMigrations],
    ["a cell", cellMigrations],
    ["placement", placementMigrations],
    ["standalone", standaloneMigrations],
  ] as const)
    it(what, () =>
      assert.deepEqual(
        migrations.flatMap(({ name, statements }) =>
          statements.flatMap((one) => notShared(one).map((why) => `${name}: ${why}`)),
        ),
        [],
      ),
    );
});
