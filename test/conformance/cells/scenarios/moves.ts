import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { EndMoveInput, MoveInput } from "../../../../gen/kilonova/cells/v1/operation_inputs.js";
import { MigrationKind } from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { MigrationRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { parseOperationName } from "../../../../pkg/model/operation-name.js";
import type { Scenario, Stage } from "../stage.js";
import { refusal } from "../stage.js";

const { OPERATION_STATE_SUCCEEDED: SUCCEEDED } = OperationState;
const { VM_STATE_ACTIVE: ACTIVE, VM_STATE_RESIZED: RESIZED } = VmState;

/** More processors and less memory than servers of the stage have. */
const NEW = { id: "2", name: "m2", vcpus: 2, memoryMib: 64 };

const migrationOf = async (s: Stage, serverId: string): Promise<MigrationRecord> => {
  const { rows } = await s.records.listMigrations(s.ctx, { database: "cell1", serverIds: [serverId] });
  return rows[0]?.migration ?? assert.fail("no migration");
};
const used = async (s: Stage): Promise<number[]> => {
  const { limits } = await s.global.getQuota(s.ctx, { projectId: s.project, userId: s.user });
  return ["cores", "ram"].map((one) => Number(limits.find(({ resource }) => resource === one)?.used));
};
const status = (to: string, id = "") => ({ migration: { id, status: to }, updateMask: ["status"] });
const becomes = (vmState: VmState, migration: ReturnType<typeof status>) => ({
  state: SUCCEEDED,
  change: {
    server: { vmState, taskState: "" },
    updateMask: ["vm_state", "task_state"],
    migrations: [migration],
  },
});

/** A server on a host that can move it, being resized. */
async function resizing(s: Stage): Promise<{ id: string; operation: StoredOperation; host: string }> {
  const host = s.name("from");
  await s.register(host, { capabilities: ["move"] });
  const id = await s.put(1, { hostInfo: { host, node: host, cell: "cell1", computeNodeUuid: "c" } });
  const input = Buffer.from(MoveInput.encode(MoveInput.fromPartial({ flavor: NEW })).finish());
  return { id, host, operation: await s.taken(await s.begin(id, "server.resize", { input })) };
}

const endMove = (s: Stage, id: string, kind: string, migrationId: string): Promise<string> =>
  s.begin(id, kind, { input: Buffer.from(EndMoveInput.encode({ migrationId }).finish()) });

export const moves: readonly Scenario[] = [
  {
    name: "a resize begins with its migration, which knows where the server is and what it was",
    run: async (s) => {
      const { id, host, operation } = await resizing(s);
      const made = await migrationOf(s, id);
      assert.deepEqual(
        [made.id, made.kind, made.status, made.source?.host, made.source?.computeNodeId, made.wasOff],
        [
          parseOperationName(operation.name)?.operationId,
          MigrationKind.MIGRATION_KIND_RESIZE,
          "pre-migrating",
          host,
          "c",
          false,
        ],
      );
      assert.deepEqual([made.oldFlavor?.id, made.newFlavor?.id], ["1", "2"]);
      assert.equal((await s.server(id)).taskState, "resize_prep");
    },
  },
  {
    name: "it takes of the quota what the larger of both flavors needs, and gives back what the end decides",
    run: async (s) => {
      const { id, operation } = await resizing(s);
      assert.deepEqual(await used(s), [2, 512]);
      await s.commit(operation, becomes(RESIZED, status("finished")));
      assert.deepEqual(await used(s), [2, 512]);
      const { id: migration } = await migrationOf(s, id);
      const revert = await s.taken(await endMove(s, id, "server.revert-resize", migration));
      assert.deepEqual(await used(s), [2, 512]);
      await s.commit(revert, becomes(ACTIVE, status("reverted", migration)));
      assert.deepEqual(await used(s), [1, 512]);
    },
  },
  {
    name: "it is known since when a server is resized, and forgotten with every other state",
    run: async (s) => {
      const { id, operation } = await resizing(s);
      await s.commit(operation, becomes(RESIZED, status("finished")));
      assert.ok((await s.server(id)).resizedAt !== undefined);
      const { id: migration } = await migrationOf(s, id);
      const confirm = await s.taken(await endMove(s, id, "server.confirm-resize", migration));
      await s.commit(confirm, becomes(ACTIVE, status("confirmed", migration)));
      assert.equal((await s.server(id)).resizedAt, undefined);
    },
  },
  {
    name: "what leads on a migration that the server does not have is refused and takes nothing",
    run: async (s) => {
      const { id, operation } = await resizing(s);
      await s.commit(operation, becomes(RESIZED, status("finished")));
      for (const kind of ["server.confirm-resize", "server.revert-resize"])
        for (const migration of [randomUUID(), ""])
          assert.equal(await refusal(endMove(s, id, kind, migration)), "MIGRATION_NOT_FOUND");
      assert.deepEqual([(await s.server(id)).currentOperation, await used(s)], ["", [2, 512]]);
    },
  },
  {
    name: "both hosts of a move speak for its operation until it has ended, and no other host",
    run: async (s) => {
      const { id, host, operation } = await resizing(s);
      const to = s.name("to");
      const other = s.name("other");
      const { name, fence } = operation;
      const report = (from: string): Promise<unknown> =>
        s.agent(from).reportCommand(s.ctx, {
          cell: "cell1",
          host: from,
          operation: name,
          fence,
          commandId: `${parseOperationName(name)?.operationId}/import-guest/0`,
          succeeded: true,
        });
      assert.equal(await refusal(report(to)), "WRONG_OPERATION");
      const target = { migration: { target: { host: to } }, updateMask: ["target"] };
      await s.commit(operation, { change: { migrations: [target] } });
      await report(to);
      await report(host);
      assert.equal(await refusal(report(other)), "WRONG_OPERATION");
      await s.commit(operation, becomes(ACTIVE, status("error")));
      assert.equal(await refusal(report(to)), "WRONG_OPERATION");
      assert.equal((await migrationOf(s, id)).status, "error");
    },
  },
];
