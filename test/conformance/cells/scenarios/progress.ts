import assert from "node:assert/strict";
import { OperationStoreServiceDefinition } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { ServerHostInfo, VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { AGENT_REPORT } from "../../../../pkg/model/signals.js";
import type { Scenario } from "../stage.js";
import { refusal } from "../stage.js";

const {
  OPERATION_STATE_RUNNING: RUNNING,
  OPERATION_STATE_PARKED: PARKED,
  OPERATION_STATE_FAILED: FAILED,
  OPERATION_STATE_SUCCEEDED: SUCCEEDED,
  OPERATION_STATE_CANCELLED: CANCELLED,
} = OperationState;

export const progress: readonly Scenario[] = [
  {
    name: "who takes an operation has it alone, under a fence that grows",
    run: async (s) => {
      const name = await s.begin(await s.put(1), "test.life");
      const first = await s.taken(name, "a");
      assert.deepEqual([first.owner, first.state], ["a", RUNNING]);
      assert.deepEqual(await s.take([name], "b"), []);
      await s.operations.releaseOperations(s.ctx, { database: "cell1", owner: "b" });
      assert.deepEqual(await s.take([name], "b"), []);
      await s.commit(first, { release: true });
      const second = await s.taken(name, "b");
      assert.ok(second.fence > first.fence);
      assert.equal(await refusal(s.commit(first)), "FENCE_LOST");
      await s.commit(second);
    },
  },
  {
    name: "only kinds and versions that a conductor has are taken",
    run: async (s) => {
      const name = await s.begin(await s.put(1), "test.life");
      const take = async (version: number) =>
        (
          await s.operations.acquireOperations(s.ctx, {
            database: "cell1",
            owner: "a",
            kinds: [{ kind: "test.life", version }],
            limit: 1,
            names: [name],
            ownership: { seconds: 60n },
          })
        ).operations.length;
      assert.equal(await take(2), 0);
      assert.equal(await take(1), 1);
    },
  },
  {
    name: "an ownership that was not renewed may be taken over, one that was confirmed not",
    run: async (s) => {
      const name = await s.begin(await s.put(1), "test.life");
      const take = async (owner: string, seconds: bigint) =>
        (
          await s.operations.acquireOperations(s.ctx, {
            database: "cell1",
            owner,
            kinds: [{ kind: "test.life", version: 1 }],
            limit: 1,
            names: [name],
            ownership: { seconds },
          })
        ).operations[0];
      const first = await take("a", -1n);
      assert.ok(first);
      const { fence } = first;
      const ownership = { seconds: 60n };
      await s.operations.confirmOwnership(s.ctx, { database: "cell1", name, fence, ownership });
      assert.equal(await take("b", 60n), undefined);
      await s.operations.renewOperations(s.ctx, {
        database: "cell1",
        owner: "a",
        names: [name],
        ownership: { seconds: -1n },
      });
      const second = await take("b", 60n);
      assert.ok(second !== undefined && second.fence > fence);
      assert.equal(
        await refusal(s.operations.confirmOwnership(s.ctx, { database: "cell1", name, fence, ownership })),
        "FENCE_LOST",
      );
    },
  },
  {
    name: "a commit stores steps, record and timeline together, and moves both generations",
    run: async (s) => {
      const id = await s.put(1, { generation: 1n });
      const operation = await s.taken(await s.begin(id, "test.life"));
      const answer = await s.commit(operation, {
        currentStep: "two",
        steps: [
          { name: "one", state: "done", attempts: 1, event: "did_one", host: "h1" },
          { name: "two", state: "running", attempts: 1, event: "did_two" },
        ],
        change: { server: { progress: 50 }, updateMask: ["progress"] },
      });
      assert.deepEqual([answer.generation, answer.instance?.server?.progress], [3n, 50]);
      await s.commit(operation, {
        currentStep: "two",
        steps: [
          {
            name: "two",
            state: "failed",
            attempts: 2,
            event: "did_two",
            errorReason: "R",
            errorMessage: "m",
          },
        ],
      });
      const stored = await s.stored(operation.name);
      assert.deepEqual(
        [stored.generation, stored.currentStep, stored.steps.map(({ name, state }) => `${name} ${state}`)],
        [3n, "two", ["one done", "two failed"]],
      );
      const { action } = await s.servers.getAction(s.ctx, {
        database: "cell1",
        serverId: id,
        requestId: stored.requestId,
      });
      assert.deepEqual(
        action?.events.map(({ event, result, host, details, traceback }) =>
          [event, result, host, details, traceback].join("|"),
        ),
        ["did_one|Success|h1||", "did_two|Error||m|R"],
      );
      assert.equal(action.message, undefined);
    },
  },
  {
    name: "the end of an operation gives the server free, and a failure marks the action",
    run: async (s) => {
      const id = await s.put(1);
      const operation = await s.taken(await s.begin(id, "test.life"));
      await s.commit(operation, {
        state: FAILED,
        error: { reason: "NO_VALID_HOST", domain: "scheduler", message: "m" },
        change: {
          server: { vmState: VmState.VM_STATE_ERROR },
          updateMask: ["vm_state", "task_state"],
        },
      });
      const server = await s.server(id);
      assert.deepEqual([server.currentOperation, server.vmState], ["", VmState.VM_STATE_ERROR]);
      const stored = await s.stored(operation.name);
      assert.deepEqual([stored.state, stored.owner, stored.error?.reason], [FAILED, "", "NO_VALID_HOST"]);
      const { actions } = await s.servers.listActions(s.ctx, { database: "cell1", query: { serverId: id } });
      assert.deepEqual(
        actions.map(({ message }) => message),
        ["Error"],
      );
      assert.equal(await refusal(s.commit(operation)), "FENCE_LOST");
    },
  },
  {
    name: "a state that the server may not go to is a bug of the caller",
    run: async (s) => {
      const operation = await s.taken(await s.begin(await s.put(1), "test.life"));
      const change = { server: { vmState: VmState.VM_STATE_BUILDING }, updateMask: ["vm_state"] };
      assert.equal(await refusal(s.commit(operation, { change })), "ILLEGAL_TRANSITION");
      const path = { server: { projectId: "x" }, updateMask: ["project_id"] };
      assert.equal(await refusal(s.commit(operation, { change: path })), "INVALID_ARGUMENT");
    },
  },
  {
    name: "a deleted record is hidden and its end noted",
    run: async (s) => {
      const id = await s.put(1);
      const operation = await s.taken(await s.begin(id, "server.delete"));
      await s.commit(operation, { state: SUCCEEDED, change: { deleteRecord: true } });
      const server = await s.server(id);
      assert.deepEqual([server.vmState, server.taskState], [VmState.VM_STATE_DELETED, ""]);
      assert.ok(server.deletedAt !== undefined && server.terminatedAt !== undefined);
      assert.equal(
        await refusal(s.servers.getInstance(s.ctx, { database: "cell1", serverId: id })),
        "SERVER_NOT_FOUND",
      );
    },
  },
  {
    name: "ports replaced fill the addresses",
    run: async (s) => {
      const id = await s.put(1);
      const operation = await s.taken(await s.begin(id, "test.life"));
      const { instance } = await s.commit(operation, {
        change: {
          replacePorts: true,
          ports: [
            {
              portId: "p",
              networkLabel: "net",
              macAddress: "m",
              addresses: [{ ipAddress: "10.0.0.9", version: 4 }],
            },
          ],
        },
      });
      assert.deepEqual(
        instance?.server?.addresses.map(({ address, networkLabel, portId }) => [
          address,
          networkLabel,
          portId,
        ]),
        [["10.0.0.9", "net", "p"]],
      );
      assert.deepEqual(await s.listed({ filter: { ipRegex: "^10\\.0\\.0\\.9$" } }), [1]);
    },
  },
  {
    name: "ports are put in and taken out one by one, and addresses follow",
    run: async (s) => {
      const id = await s.put(1);
      const operation = await s.taken(await s.begin(id, "test.life"));
      const port = (portId: string, ipAddress: string) => ({
        portId,
        networkLabel: "net",
        addresses: [{ ipAddress, version: 4 }],
      });
      await s.commit(operation, { change: { putPorts: [port("p", "10.0.0.9"), port("q", "10.0.0.8")] } });
      const { instance } = await s.commit(operation, {
        change: { putPorts: [port("r", "10.0.0.7")], removePorts: ["p"] },
      });
      assert.deepEqual(
        instance?.ports.map(({ portId }) => portId),
        ["q", "r"],
      );
      assert.deepEqual(
        instance?.server?.addresses.map(({ address }) => address),
        ["10.0.0.8", "10.0.0.7"],
      );
      assert.deepEqual(await s.listed({ filter: { ipRegex: "^10\\.0\\.0\\.7$" } }), [1]);
      assert.deepEqual(await s.listed({ filter: { ipRegex: "^10\\.0\\.0\\.9$" } }), []);
    },
  },
  {
    name: "a parked operation sleeps until its signal comes, even when it came before",
    run: async (s) => {
      const host = s.name("h");
      const id = await s.put(1, { hostInfo: ServerHostInfo.fromPartial({ host }) });
      const name = await s.begin(id, "test.life");
      const report = (commandId: string) =>
        s
          .agent(host)
          .reportCommand(s.ctx, { cell: "cell1", host, commandId, operation: name, succeeded: true });
      const parked = { state: PARKED, release: true, waitingFor: AGENT_REPORT };
      const first = await s.taken(name);
      await s.commit(first, parked);
      assert.deepEqual(await s.take([name]), []);
      await report("c1");
      const second = await s.taken(name);
      assert.deepEqual(
        second.signals.map((one) => one.id),
        [`${AGENT_REPORT}/c1`],
      );
      await report("c2");
      await report("c2");
      const answer = await s.commit(second, { ...parked, consumedSignals: [`${AGENT_REPORT}/c1`] });
      assert.deepEqual(
        answer.signals.map((one) => one.id),
        [`${AGENT_REPORT}/c2`],
      );
      const third = await s.taken(name);
      assert.deepEqual(
        third.signals.map((one) => one.id),
        [`${AGENT_REPORT}/c2`],
      );
    },
  },
  {
    name: "a signal needs a known kind and its sender; an ended operation takes none",
    run: async (s) => {
      const name = await s.begin(await s.put(1), "test.life");
      const send = (kind: string, signalId = "x") =>
        s.operations.signalOperation(s.ctx, { database: "cell1", name, signalId, kind });
      assert.equal(await refusal(send("gossip")), "INVALID_ARGUMENT");
      assert.equal(await refusal(send(AGENT_REPORT)), "SIGNAL_NOT_YOURS");
      assert.equal(await refusal(send("victim-at-rest", "")), "INVALID_ARGUMENT");
      assert.equal((await send("victim-at-rest")).accepted, true);
      await s.commit(await s.taken(name), { state: SUCCEEDED });
      assert.equal((await send("victim-at-rest", "y")).accepted, false);
    },
  },
  {
    name: "no more than a hundred signals wait for one operation",
    run: async (s) => {
      const name = await s.begin(await s.put(1), "test.life");
      const send = (n: number) =>
        s.operations.signalOperation(s.ctx, {
          database: "cell1",
          name,
          signalId: `s${n}`,
          kind: "victim-at-rest",
        });
      for (let n = 0; n < 100; n++) await send(n);
      assert.equal(await refusal(send(100)), "TOO_MANY_SIGNALS");
      await send(99);
    },
  },
  {
    name: "a cancellation wakes who is parked, and leaves what has ended",
    run: async (s) => {
      const name = await s.begin(await s.put(1), "test.life");
      await s.commit(await s.taken(name), { state: PARKED, release: true, waitingFor: AGENT_REPORT });
      const { operation } = await s.world
        .as("api")
        .client(OperationStoreServiceDefinition)
        .requestCancel(s.ctx, { database: "cell1", name });
      assert.equal(operation?.cancelRequested, true);
      const taken = await s.taken(name);
      assert.equal(taken.cancelRequested, true);
      await s.commit(taken, { state: CANCELLED });
      const again = await s.world
        .as("api")
        .client(OperationStoreServiceDefinition)
        .requestCancel(s.ctx, { database: "cell1", name });
      assert.equal(again.operation?.state, CANCELLED);
    },
  },
  {
    name: "whoever leaves a pre-empted operation tells its heir",
    run: async (s) => {
      const id = await s.put(1);
      const victim = await s.taken(await s.begin(id, "test.life"));
      const heir = await s.begin(id, "server.delete");
      const { name, fence } = victim;
      const settle = async () =>
        (await s.operations.settleOperation(s.ctx, { database: "cell1", name })).atRest;
      assert.equal(await settle(), false);
      const { takenBack } = await s.operations.leaveOperation(s.ctx, { database: "cell1", name, fence });
      assert.equal(takenBack, false);
      assert.equal(await settle(), true);
      assert.deepEqual(
        (await s.taken(heir)).signals.map(({ id: one, kind }) => [one, kind]),
        [[`at-rest/${name}`, "victim-at-rest"]],
      );
      const again = await s.operations.leaveOperation(s.ctx, { database: "cell1", name, fence });
      assert.equal(again.takenBack, true);
    },
  },
  {
    name: "an operation that is not there, or whose name is none, is not found",
    run: async (s) => {
      const id = await s.put(1);
      const read = (name: string) => s.operations.getStoredOperation(s.ctx, { database: "cell1", name });
      assert.equal(await refusal(read(`operations/${id}/${s.id(5)}`)), "OPERATION_NOT_FOUND");
      assert.equal(await refusal(read("nonsense")), "OPERATION_NOT_FOUND");
    },
  },
];
