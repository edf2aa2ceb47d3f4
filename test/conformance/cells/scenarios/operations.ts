import assert from "node:assert/strict";
import { LockInput } from "../../../../gen/kilonova/cells/v1/operation_inputs.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { ServerHostInfo, VmState } from "../../../../gen/kilonova/type/v1/server.js";
import type { Scenario } from "../stage.js";
import { refusal } from "../stage.js";

const onHost = (host: string) => ({ hostInfo: ServerHostInfo.fromPartial({ host }) });
const RUNNING = OperationState.OPERATION_STATE_RUNNING;

export const operationScenarios: readonly Scenario[] = [
  {
    name: "an accepted operation owns the server, shows its task state and has an action",
    run: async (s) => {
      const id = await s.put(1, { ...onHost("h"), generation: 3n });
      const name = await s.begin(id, "server.stop");
      const server = await s.server(id);
      assert.deepEqual(
        [server.currentOperation, server.taskState, server.generation],
        [name, "powering-off", 4n],
      );
      const stored = await s.stored(name);
      assert.deepEqual([stored.state, stored.generation, stored.lane], [RUNNING, 1n, "life"]);
      const { actions } = await s.servers.listActions(s.ctx, { database: "cell1", query: { serverId: id } });
      assert.deepEqual(
        actions.map(({ action }) => action),
        ["stop"],
      );
    },
  },
  {
    name: "a kind or version that nobody knows is unavailable, for now",
    run: async (s) => {
      const id = await s.put(1);
      assert.equal(await refusal(s.begin(id, "server.teleport")), "UNKNOWN_KIND");
      assert.equal(await refusal(s.begin(id, "server.stop", { kindVersion: 99 })), "UNKNOWN_KIND");
    },
  },
  {
    name: "a server that is not there, deleted, or of another project is not found",
    run: async (s) => {
      const id = await s.put(1);
      const gone = await s.put(2, { deletedAt: { seconds: 1n, nanos: 0 } });
      assert.equal(await refusal(s.begin(s.id(9), "server.delete")), "SERVER_NOT_FOUND");
      assert.equal(await refusal(s.begin(gone, "server.delete")), "SERVER_NOT_FOUND");
      assert.equal(await refusal(s.begin(id, "server.delete", { projectId: "x" })), "SERVER_NOT_FOUND");
    },
  },
  {
    name: "refusals come in Nova's order: lock, host, state, task, launch",
    run: async (s) => {
      const lock = { lockedBy: "owner", reason: "" };
      const stopped = VmState.VM_STATE_STOPPED;
      const locked = await s.put(1, { lock, vmState: stopped });
      const homeless = await s.put(2, { vmState: stopped });
      const wrong = await s.put(3, { ...onHost("h"), vmState: stopped, taskState: "x" });
      const busy = await s.put(4, { ...onHost("h"), taskState: "x", launchedAt: undefined });
      const unborn = await s.put(5, { ...onHost("h"), launchedAt: undefined });
      assert.equal(await refusal(s.begin(locked, "server.stop")), "INSTANCE_LOCKED");
      assert.equal(await refusal(s.begin(locked, "server.stop", { bypassLock: true })), "NOT_READY");
      assert.equal(await refusal(s.begin(homeless, "server.stop")), "NOT_READY");
      const factsOf = async (id: string) => {
        try {
          await s.begin(id, "server.stop");
        } catch (error) {
          return { ...(error as { facts: Record<string, unknown> }).facts };
        }
        return assert.fail("accepted");
      };
      const facts = { server: wrong, method: "stop", attr: "vm_state", state: "stopped" };
      assert.deepEqual(await factsOf(wrong), facts);
      assert.deepEqual(await factsOf(busy), { ...facts, server: busy, attr: "task_state", state: "x" });
      assert.deepEqual(await factsOf(unborn), {
        ...facts,
        server: unborn,
        attr: "never-launched",
        state: "",
      });
    },
  },
  {
    name: "what the host cannot do is refused; what it has registered is accepted",
    run: async (s) => {
      const [able, unable] = [s.name("able"), s.name("unable")];
      await s.register(able, { capabilities: ["pause"] });
      await s.register(unable);
      assert.equal(
        await refusal(s.begin(await s.put(1, onHost(unable)), "server.pause")),
        "CAPABILITY_MISSING",
      );
      await s.begin(await s.put(2, onHost(able)), "server.pause");
    },
  },
  {
    name: "one operation at a time: a second one is refused",
    run: async (s) => {
      const id = await s.put(1);
      await s.begin(id, "test.life");
      assert.equal(await refusal(s.begin(id, "test.life")), "OPERATION_IN_PROGRESS");
    },
  },
  {
    name: "a token repeated answers with the same operation, also when the server is deleted by then",
    run: async (s) => {
      const id = await s.put(1);
      const wish = { clientToken: "t", bodyHash: Buffer.from("b") };
      const name = await s.begin(id, "server.delete", wish);
      assert.equal(await s.begin(id, "server.delete", wish), name);
      const operation = await s.taken(name);
      await s.commit(operation, {
        state: OperationState.OPERATION_STATE_SUCCEEDED,
        change: { deleteRecord: true },
      });
      assert.equal(await s.begin(id, "server.delete", wish), name);
      assert.equal(await refusal(s.begin(id, "server.delete")), "SERVER_NOT_FOUND");
    },
  },
  {
    name: "a token is known whatever generation is expected, state and input; an unknown one begins nothing then",
    run: async (s) => {
      const id = await s.put(1);
      const wish = { clientToken: "t", bodyHash: Buffer.from("b") };
      const name = await s.begin(id, "test.life", wish);
      const nobodys = { expectedGeneration: 2n ** 63n - 1n, input: Buffer.alloc(0) };
      assert.equal(await s.begin(id, "test.life", { ...wish, ...nobodys }), name);
      const unknown = { ...wish, ...nobodys, clientToken: "u" };
      assert.equal(await refusal(s.begin(id, "test.life", unknown)), "GENERATION_CONFLICT");
    },
  },
  {
    name: "a token is refused for another request, and free for another method",
    run: async (s) => {
      const id = await s.put(1);
      const wish = { clientToken: "t", bodyHash: Buffer.from("b") };
      await s.begin(id, "test.life", wish);
      assert.equal(
        await refusal(s.begin(id, "test.life", { ...wish, bodyHash: Buffer.from("c") })),
        "TOKEN_REUSED",
      );
      assert.equal(
        await refusal(s.begin(id, "test.life", { ...wish, method: "Other" })),
        "OPERATION_IN_PROGRESS",
      );
    },
  },
  {
    name: "pre-emption ends the running one, tells what it had done, and takes the server",
    run: async (s) => {
      const id = await s.put(1);
      const victim = await s.taken(await s.begin(id, "test.life"));
      await s.commit(victim, { currentStep: "one", steps: [{ name: "one", state: "done", attempts: 1 }] });
      const name = await s.begin(id, "test.life", { input: Buffer.from("pre-empt") });
      assert.equal((await s.stored(victim.name)).state, OperationState.OPERATION_STATE_PREEMPTED);
      const heir = await s.stored(name);
      assert.deepEqual(
        [heir.preempts, heir.preemptedKind, heir.preemptedSteps.map((step) => step.name)],
        [victim.name, "test.life", ["one"]],
      );
      assert.equal((await s.server(id)).currentOperation, name);
      assert.equal(await refusal(s.commit(victim)), "FENCE_LOST");
      const taken = await s.taken(name);
      assert.ok(taken.fence > victim.fence);
    },
  },
  {
    name: "a commit shows several steps at once; what was still running ends with a take-over",
    run: async (s) => {
      const id = await s.put(1);
      const operation = await s.taken(await s.begin(id, "test.life"));
      const at = (seconds: bigint) => ({ seconds, nanos: 0 });
      const step = (name: string, state: string, finished?: bigint) => ({
        name,
        state,
        event: `event_${name}`,
        startedAt: at(100n),
        ...(finished === undefined ? {} : { finishedAt: at(finished) }),
      });
      const shown = async () => {
        const { actions } = await s.servers.listActions(s.ctx, {
          database: "cell1",
          query: { serverId: id },
        });
        const requestId = actions.at(-1)?.requestId ?? assert.fail("no action");
        const { action } = await s.servers.getAction(s.ctx, { database: "cell1", serverId: id, requestId });
        return action?.events.map(({ event, finishedAt, result }) => [event, finishedAt?.seconds, result]);
      };
      await s.commit(operation, { steps: [step("a", "running"), step("b", "running")] });
      assert.deepEqual(await shown(), [
        ["event_a", undefined, undefined],
        ["event_b", undefined, undefined],
      ]);
      const started = { ...step("c", "running"), startedAt: at(101n) };
      await s.commit(operation, { steps: [step("a", "done", 101n), step("b", "done", 102n), started] });
      assert.deepEqual(await shown(), [
        ["event_a", 101n, "Success"],
        ["event_b", 102n, "Success"],
        ["event_c", undefined, undefined],
      ]);
      await s.begin(id, "test.life", { input: Buffer.from("pre-empt") });
      const cut = (await shown())?.at(-1);
      assert.deepEqual([cut?.[0], typeof cut?.[1], cut?.[2]], ["event_c", "bigint", "Error"]);
    },
  },
  {
    name: "a delete that runs answers a second delete",
    run: async (s) => {
      const id = await s.put(1);
      const name = await s.begin(id, "server.delete");
      const { operation, replayed } = await s.servers.acceptOperation(s.ctx, {
        database: "cell1",
        serverId: id,
        kind: "server.delete",
        kindVersion: 1,
        actor: s.actor,
      });
      assert.deepEqual([operation?.name, replayed], [name, true]);
    },
  },
  {
    name: "an instant operation is done with its acceptance, whatever runs beside it",
    run: async (s) => {
      const id = await s.put(1, { generation: 1n });
      const running = await s.begin(id, "test.life");
      const input = Buffer.from(LockInput.encode(LockInput.fromPartial({ reason: "why" })).finish());
      const name = await s.begin(id, "server.lock", { input });
      const server = await s.server(id);
      assert.deepEqual(
        [server.lock, server.currentOperation, server.generation],
        [{ lockedBy: "owner", reason: "why" }, running, 3n],
      );
      const stored = await s.stored(name);
      assert.equal(stored.state, OperationState.OPERATION_STATE_SUCCEEDED);
      const { action } = await s.servers.getAction(s.ctx, {
        database: "cell1",
        serverId: id,
        requestId: stored.requestId,
      });
      assert.deepEqual(
        action?.events.map(({ event, result }) => [event, result]),
        [["api_lock", "Success"]],
      );
    },
  },
  {
    name: "an instant operation that changes nothing is stored, but not shown",
    run: async (s) => {
      const id = await s.put(1, { generation: 1n, lock: { lockedBy: "owner", reason: "first" } });
      await s.begin(id, "server.lock");
      assert.deepEqual([(await s.server(id)).generation, (await s.server(id)).lock?.reason], [1n, "first"]);
      const { actions } = await s.servers.listActions(s.ctx, { database: "cell1", query: { serverId: id } });
      assert.deepEqual(actions, []);
    },
  },
  {
    name: "secrets are the owner's alone, and gone with the end",
    run: async (s) => {
      const id = await s.put(1);
      const name = await s.begin(id, "test.life", { secrets: Buffer.from("open sesame") });
      assert.equal((await s.stored(name)).secrets.length, 0);
      const operation = await s.taken(name);
      assert.equal(operation.secrets.toString(), "open sesame");
      await s.commit(operation, { state: OperationState.OPERATION_STATE_NEEDS_OPERATOR });
      assert.equal((await s.stored(name)).state, OperationState.OPERATION_STATE_NEEDS_OPERATOR);
    },
  },
  {
    name: "operations are listed newest first, by server and state, in pages",
    run: async (s) => {
      const id = await s.put(1);
      const names: string[] = [];
      for (let n = 0; n < 3; n++) {
        const operation = await s.taken(await s.begin(id, "test.life"));
        names.unshift(operation.name);
        if (n < 2) await s.commit(operation, { state: OperationState.OPERATION_STATE_SUCCEEDED });
      }
      const list = async (more: object) => {
        const query = { database: "cell1", serverId: id, ...more };
        const { operations, nextPageToken } = await s.operations.listStoredOperations(s.ctx, query);
        return { names: operations.map(({ name }) => name), nextPageToken };
      };
      assert.deepEqual((await list({})).names, names);
      assert.deepEqual((await list({ states: [RUNNING] })).names, names.slice(0, 1));
      const first = await list({ pageSize: 2 });
      assert.deepEqual(first.names, names.slice(0, 2));
      const rest = await list({ pageSize: 2, pageToken: first.nextPageToken });
      assert.deepEqual([rest.names, rest.nextPageToken], [names.slice(2), ""]);
      assert.equal(await refusal(list({ pageToken: "nonsense" })), "INVALID_ARGUMENT");
    },
  },
  {
    name: "actions are listed newest first, in pages, after a marker, and by their last change",
    run: async (s) => {
      const id = await s.put(1);
      for (let n = 0; n < 3; n++) {
        const operation = await s.taken(await s.begin(id, "test.life"));
        await s.commit(operation, { state: OperationState.OPERATION_STATE_SUCCEEDED });
      }
      const list = async (query: object, marker = "") => {
        const { actions, nextPageToken } = await s.servers.listActions(s.ctx, {
          database: "cell1",
          query: { serverId: id, ...query },
          marker,
        });
        return { requests: actions.map(({ requestId }) => requestId), nextPageToken, actions };
      };
      const { requests, actions } = await list({});
      assert.equal(requests.length, 3);
      const first = await list({ pageSize: 2 });
      assert.deepEqual(first.requests, requests.slice(0, 2));
      assert.deepEqual(
        (await list({ pageSize: 2, pageToken: first.nextPageToken })).requests,
        requests.slice(2),
      );
      assert.deepEqual((await list({}, requests[1] ?? "")).requests, requests.slice(2));
      assert.equal(await refusal(list({}, "req-unknown")), "MARKER_NOT_FOUND");
      const middle = actions[1]?.updatedAt;
      assert.deepEqual((await list({ changesSince: middle })).requests, requests.slice(0, 2));
      assert.deepEqual((await list({ changesBefore: middle })).requests, requests.slice(1));
      assert.equal(
        await refusal(
          s.servers.getAction(s.ctx, { database: "cell1", serverId: id, requestId: "req-unknown" }),
        ),
        "ACTION_NOT_FOUND",
      );
    },
  },
];
