import assert from "node:assert/strict";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { until } from "../../../../pkg/testkit/until.js";
import type { Scenario, Stage } from "../stage.js";
import { refusal } from "../stage.js";

const {
  OPERATION_STATE_SUCCEEDED: SUCCEEDED,
  OPERATION_STATE_FAILED: FAILED,
  OPERATION_STATE_PREEMPTED: PREEMPTED,
} = OperationState;
const { VM_STATE_ACTIVE: ACTIVE, VM_STATE_SOFT_DELETED: SOFT_DELETED } = VmState;

const onHost = { hostInfo: { host: "h", cell: "cell1" } };
const SOFT = "server.soft-delete";
const HARD = "server.delete";
const deferrable = { deferrable: true, method: "DeleteServer" };

const becomes = (vmState: VmState) => ({
  state: SUCCEEDED,
  change: { server: { vmState, taskState: "" }, updateMask: ["vm_state", "task_state"] },
});

/** Deletes a server as far as it can be restored. */
async function deleted(s: Stage, id: string): Promise<void> {
  await s.commit(await s.taken(await s.begin(id, HARD, deferrable)), becomes(SOFT_DELETED));
}

async function used(s: Stage): Promise<number> {
  const { limits } = await s.global.getQuota(s.ctx, { projectId: s.project, userId: s.user });
  return Number(limits.find(({ resource }) => resource === "instances")?.used ?? -1);
}

export const deferral: readonly Scenario[] = [
  {
    name: "a deletion that may be deferred is, for a server that was active and has a host",
    run: async (s) => {
      const kindOf = async (n: number, init: object, wish: object): Promise<string> =>
        (await s.stored(await s.begin(await s.put(n, init), HARD, wish))).kind;
      assert.equal(await kindOf(1, onHost, deferrable), SOFT);
      const { taskState, vmState } = await s.server(s.id(1));
      assert.deepEqual([taskState, vmState], ["soft-deleting", ACTIVE]);
      assert.equal(await kindOf(2, onHost, { method: "ForceDeleteServer" }), HARD);
      assert.equal(await kindOf(3, { ...onHost, launchedAt: undefined }, deferrable), HARD);
      assert.equal(await kindOf(4, {}, deferrable), HARD);
      const stopped = s.begin(await s.put(5, onHost), "server.stop", { deferrable: true });
      assert.equal((await s.stored(await stopped)).kind, "server.stop");
    },
  },
  {
    name: "it is known since when a server can be restored, and forgotten with every other state",
    run: async (s) => {
      const id = await s.put(1, onHost);
      await deleted(s, id);
      const since = (await s.server(id)).softDeletedAt ?? assert.fail("nobody knows");
      await deleted(s, id);
      assert.deepEqual((await s.server(id)).softDeletedAt, since);
      await s.commit(await s.taken(await s.begin(id, "server.restore")), becomes(ACTIVE));
      assert.equal((await s.server(id)).softDeletedAt, undefined);
    },
  },
  {
    name: "deleting again while it is deleted joins, for good or not; for good takes over from what is not",
    run: async (s) => {
      const id = await s.put(1, onHost);
      const soft = await s.begin(id, HARD, deferrable);
      assert.equal(await s.begin(id, HARD, deferrable), soft);
      const hard = await s.begin(id, HARD);
      assert.equal((await s.stored(soft)).state, PREEMPTED);
      assert.equal(await s.begin(id, HARD, deferrable), hard);
      assert.equal(await s.begin(id, HARD), hard);
    },
  },
  {
    name: "it takes over from what moves the guest's power, lets other lanes go on, and waits for nothing else",
    run: async (s) => {
      const id = await s.put(1, onHost);
      const [stop, attach] = [
        await s.taken(await s.begin(id, "server.stop")),
        await s.taken(await s.begin(id, "test.attach")),
      ];
      const soft = await s.begin(id, HARD, deferrable);
      assert.equal((await s.stored(stop.name)).state, PREEMPTED);
      await s.begin(id, "test.plug");
      await s.commit(attach, { state: SUCCEEDED });
      await s.commit(await s.taken(soft), becomes(SOFT_DELETED));
      const others = [
        ...["rebuilding", "rescuing", "shelving", "restoring"],
        ...["image_snapshot_pending", "image_backup", "updating_password"],
      ];
      for (const [n, taskState] of others.entries()) {
        const busy = await s.put(2 + n, { ...onHost, taskState });
        assert.equal(await refusal(s.begin(busy, HARD, deferrable)), "INVALID_STATE", taskState);
      }
    },
  },
  {
    name: "a repeated call with its token is answered with the operation that it began",
    run: async (s) => {
      const id = await s.put(1, onHost);
      const wish = { ...deferrable, clientToken: "once", bodyHash: Buffer.from("body") };
      const first = await s.begin(id, HARD, wish);
      await s.commit(await s.taken(first), becomes(SOFT_DELETED));
      assert.equal(await s.begin(id, HARD, wish), first);
    },
  },
  {
    name: "a lock refuses it, and hides what a restore is refused for",
    run: async (s) => {
      const id = await s.put(1, { ...onHost, lock: { lockedBy: "admin" } });
      assert.equal(await refusal(s.begin(id, HARD, deferrable)), "INSTANCE_LOCKED");
      const kept = await s.put(2, { ...onHost, vmState: SOFT_DELETED, lock: { lockedBy: "admin" } });
      assert.equal(await refusal(s.begin(kept, "server.restore")), "INVALID_STATE");
      await s.begin(kept, "server.restore", { bypassLock: true });
    },
  },
  {
    name: "only what is SOFT_DELETED can be restored, by one at a time",
    run: async (s) => {
      const id = await s.put(1, onHost);
      assert.equal(await refusal(s.begin(id, "server.restore")), "INVALID_STATE");
      await deleted(s, id);
      await s.begin(id, "server.restore");
      assert.equal(await refusal(s.begin(id, "server.restore")), "INVALID_STATE");
    },
  },
  {
    name: "what is SOFT_DELETED counts in nobody's quota, and takes it again when it is restored",
    run: async (s) => {
      const id = await s.put(1, onHost);
      const grown = await s.taken(await s.begin(id, "test.grow", { input: Buffer.from("1") }));
      await s.commit(grown, { state: SUCCEEDED });
      assert.equal(await used(s), 1);
      const soft = await s.taken(await s.begin(id, HARD, deferrable));
      assert.equal(await used(s), 1);
      await s.commit(soft, becomes(SOFT_DELETED));
      assert.equal(await used(s), 0);
      const failing = await s.taken(await s.begin(id, "server.restore"));
      assert.equal(await used(s), 1);
      const change = { server: { taskState: "" }, updateMask: ["task_state"] };
      await s.commit(failing, { state: FAILED, change });
      assert.equal(await used(s), 0);
      for (const n of [2, 3, 4, 5]) await s.begin(await s.put(n), "test.grow", { input: Buffer.from("1") });
      assert.equal(await refusal(s.begin(id, "server.restore")), "QUOTA_EXCEEDED");
      const { vmState, taskState } = await s.server(id);
      assert.deepEqual([vmState, taskState], [SOFT_DELETED, ""]);
    },
  },
  {
    name: "a restore that a deletion for good takes over from leaves nothing in the quota",
    run: async (s) => {
      const id = await s.put(1, { ...onHost, vmState: SOFT_DELETED });
      await s.begin(id, "server.restore");
      assert.equal(await used(s), 1);
      await s.begin(id, HARD);
      // In SQL by who looks for it, from time to time.
      await until(async () => (await used(s)) === 0, { timeoutMs: 30_000, what: "the claim to be settled" });
    },
  },
  {
    name: "what has changed since it was looked at is not taken",
    run: async (s) => {
      const id = await s.put(1, onHost);
      const stale = s.begin(id, HARD, { expectedGeneration: 7n });
      assert.equal(await refusal(stale), "GENERATION_CONFLICT");
      await s.begin(id, HARD, { expectedGeneration: (await s.server(id)).generation });
    },
  },
  {
    name: "a deletion for good looks after what was taken over before it",
    run: async (s) => {
      const id = await s.put(1, onHost);
      const begun = await s.taken(await s.begin(id, "test.attach"));
      await s.begin(id, "test.plug");
      await deleted(s, id);
      const { alsoPreempted } = await s.stored(await s.begin(id, HARD));
      assert.deepEqual(
        alsoPreempted.map(({ name }) => name),
        [begun.name],
      );
    },
  },
];
