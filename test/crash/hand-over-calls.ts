import assert from "node:assert/strict";
import { InstanceChange, InstanceRecord } from "../../gen/kilonova/cells/v1/instance_change.js";
import type { HandoverProtocol, StoredOperation } from "../../gen/kilonova/cells/v1/operations_service.js";
import { sql } from "../../pkg/cells/store/sql.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { GOER } from "./hand-over-scenario.js";
import type { HandOverWorld } from "./hand-over-scenario.js";
import { GOING } from "./toy.moves.js";

const OWNERSHIP = { seconds: 60n, nanos: 0 };

/** An operation in a conductor's hands, with its server. */
export interface Held {
  readonly operation: StoredOperation;
  readonly instance: InstanceRecord;
}

/** Takes an operation as a conductor of this name does. */
export async function acquire(
  { store }: HandOverWorld,
  database: string,
  name: string,
  owner: string,
): Promise<Held> {
  const kinds = Object.values(GOING).map(({ kind }) => ({ kind, version: 1 }));
  const got = await store.acquireOperations(testCtx(), {
    database,
    owner,
    kinds,
    limit: 1,
    names: [name],
    ownership: OWNERSHIP,
  });
  const [operation] = got.operations;
  const [instance] = got.instances;
  assert.ok(operation !== undefined && instance !== undefined, `${name} cannot be acquired`);
  return { operation, instance };
}

/** The calls of a conductor that hands over what it holds. */
export const calls = (
  { store }: HandOverWorld,
  { operation, instance }: Held,
  source: string,
  target: string,
  protocol: HandoverProtocol,
) => {
  const { name, fence } = operation;
  return {
    prepare: (step: string, change: Parameters<typeof InstanceChange.fromPartial>[0] = {}) =>
      store.prepareHandover(testCtx(), {
        database: target,
        sourceDatabase: source,
        operation: { ...operation, currentStep: step },
        instance: Buffer.from(InstanceRecord.encode(instance).finish()),
        fence,
        protocol,
        change: InstanceChange.fromPartial(change),
      }),
    commit: () =>
      store.commitHandover(testCtx(), {
        database: source,
        name,
        fence,
        targetDatabase: target,
        protocol,
        instanceGeneration: instance.server?.generation ?? 0n,
      }),
    activate: (owner: string, committed = true) =>
      store.activateHandover(testCtx(), {
        database: target,
        name,
        owner,
        ownership: OWNERSHIP,
        ...(committed ? { committed: { database: source, cancelRequested: false } } : {}),
      }),
  };
};

/** Names of the databases that have the server's record. */
export async function whereIs({ stores }: HandOverWorld): Promise<string[]> {
  const found: string[] = [];
  for (const one of stores.all) {
    const { rows } = await one.db.statement(testCtx(), "test.where", (db) =>
      sql`SELECT 1 FROM ${one.t.instance} WHERE id = ${GOER}`.execute(db),
    );
    if (rows.length > 0) found.push(one.name);
  }
  return found;
}
