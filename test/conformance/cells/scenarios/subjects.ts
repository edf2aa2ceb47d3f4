import assert from "node:assert/strict";
import { OperationStoreServiceDefinition } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { Operation, OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { parseOperationName } from "../../../../pkg/model/operation-name.js";
import type { Scenario, Stage } from "../stage.js";
import { refusal } from "../stage.js";

const {
  OPERATION_STATE_RUNNING: RUNNING,
  OPERATION_STATE_SUCCEEDED: SUCCEEDED,
  OPERATION_STATE_FAILED: FAILED,
  OPERATION_STATE_PREEMPTED: PREEMPTED,
  OPERATION_STATE_CANCELLED: CANCELLED,
  OPERATION_STATE_NEEDS_OPERATOR: NEEDS_OPERATOR,
} = OperationState;

/** A host that can be filled. @returns the id of its compute node */
const host = async (s: Stage, name = s.name("h"), capabilities = ["pause"]): Promise<string> =>
  (await s.register(name, { capabilities })).computeNodeId;
const UNKNOWN = "0e44cc9c-e052-415d-afbf-469b0d384170";

export const subjects: readonly Scenario[] = [
  {
    name: "an operation of a host is found by its name alone, told on its cell's feed, and of no project",
    run: async (s) => {
      const id = await host(s);
      const mark = await s.mark();
      const name = await s.beginOn(id, "test.fill", { input: Buffer.from("in") });
      assert.deepEqual(parseOperationName(name)?.subject, { kind: "host", id });
      const stored = await s.stored(name, "");
      assert.deepEqual(
        [stored.serverId, stored.projectId, stored.state, stored.lane, stored.input.toString()],
        ["", "", RUNNING, "images", "in"],
      );
      const { operationId = "" } = parseOperationName(name) ?? {};
      const told = await s.told(mark, { entity: operationId });
      assert.deepEqual(
        told.map(({ entityKind, eventType, projectId }) => [entityKind, eventType, projectId]),
        [["operation", "created", ""]],
      );
    },
  },
  {
    name: "hosts that are not there, cannot do it, or are none of the kind's are refused",
    run: async (s) => {
      const unable = await host(s, s.name("h"), []);
      assert.equal(await refusal(s.beginOn(UNKNOWN, "test.fill")), "HOST_NOT_FOUND");
      assert.equal(await refusal(s.beginOn(UNKNOWN, "test.fill", { database: "cell1" })), "HOST_NOT_FOUND");
      assert.equal(await refusal(s.beginOn(unable, "test.fill")), "HOST_CANNOT");
      for (const kind of ["test.sweep", "test.life", "test.none"])
        assert.equal(await refusal(s.beginOn(unable, kind)), "UNKNOWN_KIND");
      assert.equal(await refusal(s.beginOn("", "test.fill")), "UNKNOWN_KIND");
      assert.equal(await refusal(s.begin(await s.put(1), "test.fill")), "UNKNOWN_KIND");
    },
  },
  {
    name: "a token repeated answers with the same operation, and is one body's",
    run: async (s) => {
      const id = await host(s);
      const token = { clientToken: s.name("t"), bodyHash: Buffer.from("body") };
      const ask = (wish: object = {}) =>
        s.operations.acceptSubjectOperation(s.ctx, {
          hostId: id,
          kind: "test.fill",
          kindVersion: 1,
          method: "Fill",
          actor: s.actor,
          ...token,
          ...wish,
        });
      const first = await ask();
      const again = await ask();
      assert.deepEqual(
        [again.operation?.name, again.replayed, first.replayed],
        [first.operation?.name, true, false],
      );
      assert.equal(await refusal(ask({ bodyHash: Buffer.from("other") })), "TOKEN_REUSED");
    },
  },
  {
    name: "those of one lane of a host run one after the other, those of two side by side, each fenced",
    run: async (s) => {
      const id = await host(s);
      const [first, second] = [await s.beginOn(id, "test.fill"), await s.beginOn(id, "test.fill")];
      const beside = await s.beginOn(id, "test.sole");
      assert.equal(await refusal(s.beginOn(id, "test.sole")), "SUBJECT_BUSY");
      const taken = await s.take([first, second, beside]);
      assert.deepEqual(taken.map(({ name }) => name).sort(), [first, beside].sort());
      assert.equal(new Set(taken.map(({ fence }) => fence)).size, 2);
      const running = taken.find(({ name }) => name === first) ?? assert.fail();
      const stale = { name: first, fence: running.fence - 1n };
      assert.equal(await refusal(s.commit(stale)), "FENCE_LOST");
      await s.commit(running, { state: SUCCEEDED });
      assert.equal((await s.taken(second)).fence > running.fence, true);
    },
  },
  {
    name: "who takes operations of hosts is told which hosts they are, and no server",
    run: async (s) => {
      const [one, other] = [s.name("h"), s.name("i")];
      const names = [
        await s.beginOn(await host(s, one), "test.fill"),
        await s.beginOn(await host(s, other), "test.fill"),
        await s.begin(await s.put(1), "test.life"),
      ];
      const { operations, instances, hosts } = await s.operations.acquireOperations(s.ctx, {
        database: "cell1",
        owner: "a",
        kinds: [
          { kind: "test.fill", version: 1 },
          { kind: "test.life", version: 1 },
        ],
        limit: 10,
        names,
        ownership: { seconds: 60n },
      });
      assert.deepEqual(hosts.map((node) => node.host).sort(), [one, other].sort());
      for (const [place, { serverId }] of operations.entries())
        assert.equal(instances[place]?.server?.id ?? "", serverId);
      assert.deepEqual(operations.map(({ name }) => name).sort(), [...names].sort());
    },
  },
  {
    name: "a commit stores its steps and answers without a server, and may change none",
    run: async (s) => {
      const operation = await s.taken(await s.beginOn(await host(s), "test.fill"));
      const step = { name: "one", state: "done", round: 0, attempts: 1 };
      const { instance, generation } = await s.commit(operation, { currentStep: "one", steps: [step] });
      assert.deepEqual([instance, generation], [undefined, 0n]);
      const stored = await s.stored(operation.name);
      assert.deepEqual([stored.steps.map(({ name }) => name), stored.currentStep], [["one"], "one"]);
      const change = { server: { name: "n" }, updateMask: ["name"] };
      assert.equal(await refusal(s.commit(operation, { change })), "INVALID_ARGUMENT");
    },
  },
  {
    name: "a host's operations end with it, told, and are found by its id ever after",
    run: async (s) => {
      const { computeNodeId: hostId, serviceId } = await s.register(s.name("h"), { capabilities: ["pause"] });
      const running = await s.taken(await s.beginOn(hostId, "test.fill"));
      const waiting = await s.beginOn(hostId, "test.fill");
      const halted = await s.taken(await s.beginOn(hostId, "test.sole"));
      await s.commit(halted, { state: NEEDS_OPERATOR, waitingFor: "running" });
      const mark = await s.mark();
      await s.hosts.deleteHostService(s.ctx, { cell: "cell1", serviceId });
      assert.equal(await refusal(s.commit(running, { state: SUCCEEDED })), "FENCE_LOST");
      for (const name of [running.name, waiting, halted.name]) {
        const { state, owner, error } = await s.stored(name, "");
        assert.deepEqual([state, owner, error?.reason], [FAILED, "", "HOST_NOT_FOUND"]);
        const told = await s.told(mark, { entity: parseOperationName(name)?.operationId ?? "" });
        assert.deepEqual(
          told.map(({ payload }) => Operation.decode(payload).state),
          [FAILED],
        );
      }
      const { fence, name } = running;
      await s.operations.leaveOperation(s.ctx, { database: "cell1", name, fence });
      assert.deepEqual(await s.take([name]), []);
      const { operations } = await s.operations.listStoredOperations(s.ctx, { hostId });
      assert.equal(operations.length, 3);
      const operator = s.world.as("operator").client(OperationStoreServiceDefinition);
      assert.equal(await refusal(operator.retryOperation(s.ctx, { name })), "NOT_NEEDING_OPERATOR");
      assert.equal(await refusal(s.beginOn(hostId, "test.fill")), "HOST_NOT_FOUND");
    },
  },
  {
    name: "an operation of a host is cancelled and given back by its name",
    run: async (s) => {
      const id = await host(s);
      const [running, waiting] = [await s.beginOn(id, "test.fill"), await s.beginOn(id, "test.fill")];
      const api = s.world.as("api").client(OperationStoreServiceDefinition);
      const cancel = async (name: string) =>
        (await api.requestCancel(s.ctx, { database: "", name })).operation;
      assert.equal((await cancel(waiting))?.state, CANCELLED);
      assert.equal((await cancel(running))?.cancelRequested, true);
      const { fence } = await s.taken(running);
      const left = await s.operations.leaveOperation(s.ctx, { database: "cell1", name: running, fence });
      assert.equal(left.takenBack, false);
      assert.equal((await s.stored(running)).owner, "");
    },
  },
  {
    name: "an agent speaks for operations of its own host only",
    run: async (s) => {
      const [mine, other] = [s.name("h"), s.name("i")];
      const name = await s.beginOn(await host(s, mine), "test.fill");
      await host(s, other);
      await s.taken(name);
      const report = (from: string) =>
        s.agent(from).reportCommand(s.ctx, {
          cell: "cell1",
          host: from,
          operation: name,
          commandId: `${parseOperationName(name)?.operationId ?? ""}/one/x`,
        });
      await report(mine);
      assert.equal(await refusal(report(other)), "WRONG_OPERATION");
      assert.equal((await s.stored(name)).signals.length, 0);
    },
  },
  {
    name: "the cloud's operations are in the global database, and take each other over where they do",
    run: async (s) => {
      const mark = await s.mark("global");
      const first = await s.beginOn("", "test.sweep");
      assert.match(first, /^operations\/cloud\//);
      const [taken] = await s.take([first], "a", "global");
      assert.equal(taken?.serverId, "");
      const second = await s.beginOn("", "test.sweep");
      const victim = await s.stored(first, "global");
      assert.deepEqual([victim.state, victim.successor], [PREEMPTED, second]);
      const heir = await s.stored(second, "");
      assert.deepEqual([heir.preempts, heir.preemptedKind], [first, "test.sweep"]);
      const [owned] = await s.take([second], "a", "global");
      assert.equal((owned?.fence ?? 0n) > (taken?.fence ?? 0n), true);
      await s.commit(owned ?? assert.fail(), { database: "global", state: SUCCEEDED });
      const ids = [first, second].map((name) => parseOperationName(name)?.operationId ?? "");
      const told = (await s.told(mark, { database: "global", kinds: ["operation"] })).filter(({ entityId }) =>
        ids.includes(entityId),
      );
      assert.equal(told.length, 4);
    },
  },
];
