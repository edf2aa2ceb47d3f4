import { z } from "zod";
import type { EndMoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { MigrationRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { CommonErrors } from "../../kernel/errors.js";
import { done, fail } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import type { Ports } from "../ports.js";
import { readMigration, statusIs } from "./moves.js";

/** The migration that is led on, encoded, as it rested. */
export const restingMigration = outputOf("read-migration", z.object({ migration: z.string() }));

/** The same, decoded. @throws OUTPUT_MISSING before that step */
export const ledOn = ({ outputs }: Pick<StepCall, "outputs">): MigrationRecord =>
  MigrationRecord.decode(Buffer.from(outputs.get(restingMigration).migration, "base64"));

/** Name of a host of the migration that is led on; "" before it is read. */
export const hostAt =
  (end: "source" | "target") =>
  ({ outputs }: Pick<StepCall, "outputs">): string =>
    outputs.find(restingMigration) === undefined ? "" : (ledOn({ outputs })[end]?.host ?? "");

/**
 * Looks whether the hosts are there that have something to do with it: nobody knows for how long one is down,
 * and then nothing is begun. With its commit the owner's word counts.
 */
export const readRestingMigration = (
  ports: Pick<Ports, "migrations" | "agents">,
  {
    status,
    needs,
  }: {
    readonly status: "confirming" | "reverting";
    readonly needs: readonly ("source" | "target")[];
  },
): Step<EndMoveInput> => ({
  name: restingMigration.step,
  event: "",
  timeoutMs: 60_000,
  async run(call) {
    const migration = await readMigration(call, ports, call.input.migrationId);
    if (migration.status !== "finished")
      return fail(
        CommonErrors.INVALID_ARGUMENT({ field: "input.migration_id", problem: "names none that rests" }),
      );
    for (const end of needs) {
      const host = migration[end]?.host ?? "";
      if (!(await ports.agents.isUp(call.ctx, { cell: call.database, host })))
        return fail(CommonErrors.UNAVAILABLE({ what: "A host of the server" }));
    }
    const encoded = Buffer.from(MigrationRecord.encode(migration).finish()).toString("base64");
    return done({ migration: encoded }, { more: { migrations: [statusIs(status, migration.id)] } });
  },
});
