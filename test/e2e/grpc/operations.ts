import assert from "node:assert/strict";
import type { ListOperationsRequest } from "../../../gen/kilonova/api/v1/operations_service.js";
import { InitiatorKind, OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { until } from "../../../pkg/testkit/until.js";
import { call, failure } from "../support/grpc-user.js";
import type { GrpcUser } from "../support/grpc-user.js";
import { getJson } from "../support/identity.js";
import type { Stage } from "./stage.js";

const { OPERATION_STATE_SUCCEEDED, OPERATION_STATE_FAILED, OPERATION_STATE_CANCELLED } = OperationState;
/** Longer than any of these tests: what is that slow has not ended by itself. */
const SLOW_MS = 600_000;
/** Within which a call that must not wait for it is answered, also where the machine stands still. */
const SOON_MS = 120_000;

/** Work that was accepted ends, and says how. */
export function operations(stage: Stage): void {
  const allocationsOf = async (serverId: string): Promise<unknown> =>
    (
      await getJson<{ allocations: unknown }>(
        `http://127.0.0.1:${stage.cloud.port(8778)}/allocations/${serverId}`,
        stage.admin.token,
      )
    ).allocations;
  const portsOf = async (serverId: string): Promise<readonly unknown[]> =>
    (
      await getJson<{ ports: unknown[] }>(
        `http://127.0.0.1:${stage.cloud.port(9696)}/v2.0/ports?device_id=${serverId}`,
        stage.admin.token,
      )
    ).ports;
  const assertNothingHeld = async (serverId: string): Promise<void> => {
    assert.deepEqual(await allocationsOf(serverId), {});
    assert.deepEqual(await portsOf(serverId), []);
  };
  const atStep = (operation: Operation, step: string): Promise<Operation> =>
    until(
      async () => {
        const { operation: now } = await stage.demo.operations.getOperation(call(), { name: operation.name });
        return now?.currentStep === step ? now : undefined;
      },
      { timeoutMs: 120_000, what: step, everyMs: 100 },
    );

  afterEach(() => stage.script());

  it("waits for success and tells each step", async () => {
    const { server, operation } = await stage.demo.create("fine");
    assert.deepEqual([operation.kind, operation.done, operation.serverId], ["server.boot", false, server.id]);
    const done = await stage.demo.wait(operation);
    assert.deepEqual([done.state, done.done, done.error], [OPERATION_STATE_SUCCEEDED, true, undefined]);
    assert.deepEqual(
      done.steps.map(({ name }) => name),
      ["select-destinations", "hand-over", "claim-host", "allocate-networks", "build-guest"],
    );
    for (const step of done.steps)
      assert.ok(step.startedAt && step.finishedAt && step.result === "success", step.name);
    const booted = await stage.demo.get(server.id);
    assert.equal(booted.vmState, VmState.VM_STATE_ACTIVE);
    assert.equal((await portsOf(server.id)).length, 1);
    assert.equal(Object.keys((await allocationsOf(server.id)) as object).length, 1);
    const { name, flavor, image, userId, projectId } = booted;
    assert.deepEqual(done.metadata?.asked, {
      $case: "createServer",
      value: { name, flavorId: flavor?.id, imageId: image?.id },
    });
    assert.deepEqual(
      [done.action, done.initiator],
      ["create", { kind: InitiatorKind.INITIATOR_KIND_PROJECT, userId, projectId }],
    );
    const made = done.result?.outcome;
    assert.ok(made?.$case === "server" && made.value.id === server.id);
    const { generation } = made.value;
    assert.ok(generation > 1n && generation <= booted.generation);
    assert.equal((await stage.demo.delete(server.id)).state, OPERATION_STATE_SUCCEEDED);
    await assertNothingHeld(server.id);
    assert.equal(
      (await failure(stage.demo.servers.getServer(call(), { serverId: server.id }))).kind,
      "missing",
    );
  });

  it("answers a wait that is too short with the operation as it is", async () => {
    await stage.script({ method: "powerOn", delayMs: SLOW_MS });
    const { server, operation } = await stage.demo.create("slow");
    await atStep(operation, "build-guest");
    const started = performance.now();
    const unfinished = await stage.demo.wait(operation, 1);
    const waitedMs = performance.now() - started;
    assert.deepEqual(
      [unfinished.done, unfinished.currentStep, unfinished.error],
      [false, "build-guest", undefined],
    );
    assert.ok(waitedMs >= 990 && waitedMs < SOON_MS, `${waitedMs} ms`);
    const polled = await stage.demo.operations.waitOperation(call(), {
      name: operation.name,
      timeout: { seconds: 0n, nanos: 0 },
    });
    assert.equal(polled.operation?.done, false);
    const deletion = await stage.demo.delete(server.id);
    assert.deepEqual([deletion.state, deletion.result], [OPERATION_STATE_SUCCEEDED, undefined]);
    const { state, successor, result } = await stage.demo.wait(operation);
    assert.deepEqual(
      [state, successor, result],
      [OperationState.OPERATION_STATE_PREEMPTED, deletion.name, undefined],
    );
    await assertNothingHeld(server.id);
  });

  it("cancels what has not passed the point of no return, and takes everything back", async () => {
    await stage.script({ method: "powerOn", delayMs: SLOW_MS });
    const { server, operation } = await stage.demo.create("cancelled");
    await atStep(operation, "build-guest");
    await stage.demo.operations.cancelOperation(call(), { name: operation.name });
    const ended = await stage.demo.wait(operation);
    assert.deepEqual(
      [ended.state, ended.done, ended.error?.reason],
      [OPERATION_STATE_CANCELLED, true, "OPERATION_CANCELLED"],
    );
    await assertNothingHeld(server.id);
    assert.equal((await stage.demo.get(server.id)).vmState, VmState.VM_STATE_ERROR);
    const again = await stage.demo.operations.cancelOperation(call(), { name: operation.name });
    assert.equal(again.operation?.state, OPERATION_STATE_CANCELLED);
    assert.equal((await stage.demo.delete(server.id)).state, OPERATION_STATE_SUCCEEDED);
  });

  for (const method of ["define", "powerOn"]) {
    it(`ends a boot in ERROR when ${method} fails on every host, and holds nothing any more`, async () => {
      await stage.script({ method, failReason: "NO_ELECTRICITY", failMessage: "There is no electricity." });
      const { server, operation } = await stage.demo.create(`no-${method.toLowerCase()}`);
      const failed = await stage.demo.wait(operation);
      assert.deepEqual(
        [failed.state, failed.error?.reason, failed.error?.domain],
        [OPERATION_STATE_FAILED, "MAX_RETRIES_EXCEEDED", "conductor"],
      );
      const { vmState, taskState, fault } = await stage.demo.get(server.id);
      assert.deepEqual(
        [vmState, taskState, fault?.code, fault?.reason],
        [VmState.VM_STATE_ERROR, undefined, 500, "MAX_RETRIES_EXCEEDED"],
      );
      assert.match(fault?.message ?? "", /Exceeded maximum number of retries/);
      assert.equal(fault?.details, undefined, "details are for administrators");
      const { server: whole } = await stage.admin.servers.getServer(call(), { serverId: server.id });
      assert.match(whole?.fault?.details ?? "", /no electricity/i);
      await assertNothingHeld(server.id);
      assert.equal((await stage.demo.delete(server.id)).state, OPERATION_STATE_SUCCEEDED);
    });
  }

  it("goes to the host that works when the others fail", async () => {
    const [working = "", ...failing] = stage.hosts;
    await stage.scriptOn(failing, { method: "powerOn", failReason: "NO_ELECTRICITY" });
    const server = await stage.demo.boot("third-try");
    const { server: whole } = await stage.admin.servers.getServer(call(), {
      serverId: server.id,
      withHostInfo: true,
    });
    assert.equal(whole?.hostInfo?.host, working);
    assert.equal((await portsOf(server.id)).length, 1);
    assert.equal(Object.keys((await allocationsOf(server.id)) as object).length, 1);
    await stage.demo.delete(server.id);
    await assertNothingHeld(server.id);
  });

  it("explains why there is no valid host", async () => {
    const { flavor } = await stage.admin.flavors.createFlavor(call(), {
      flavor: { name: "m1.huge", vcpus: 1, memoryMib: 96, rootGib: 1_000_000, isPublic: true },
    });
    const { server, operation } = await stage.demo.create("too-large", { flavorId: flavor?.id ?? "" });
    const { state, error } = await stage.demo.wait(operation);
    assert.deepEqual(
      [state, error?.reason, error?.domain],
      [OPERATION_STATE_FAILED, "NO_VALID_HOST", "scheduler"],
    );
    const fact = (name: string): string =>
      error?.facts.get(name) ?? assert.fail(`${name} in ${JSON.stringify([...(error?.facts ?? [])])}`);
    assert.equal(fact("hosts_considered"), "3");
    assert.match(fact("summary"), /^3 of 3 hosts: .*disk/);
    assert.deepEqual(
      [error?.noValidHost?.hostsConsidered, error?.noValidHost?.refusals.map(({ hosts }) => hosts)],
      [3, [3]],
    );
    assert.ok(
      (JSON.parse(fact("refusals")) as { rule: string; hosts: number }[]).some(({ hosts }) => hosts === 3),
    );
    for (const host of stage.hosts)
      assert.ok(!JSON.stringify([...(error?.facts ?? [])]).includes(host), "tenants learn no host names");
    const { vmState, fault } = await stage.demo.get(server.id);
    assert.deepEqual([vmState, fault?.reason], [VmState.VM_STATE_ERROR, "NO_VALID_HOST"]);
    assert.match(
      fault?.message ?? "",
      /^No valid host was found\. There are not enough hosts available\. 3 of 3 hosts: .*disk.* needed/,
    );
    // What `openstack server show` prints: the default microversion, the owner's token.
    const shown = await getJson<{ server: { fault: { message: string; details?: string } } }>(
      `http://127.0.0.1:${stage.cloud.port(8774)}/v2.1/servers/${server.id}`,
      stage.demo.token,
    );
    assert.deepEqual([shown.server.fault.message, shown.server.fault.details], [fault?.message, undefined]);
    await assertNothingHeld(server.id);
    await stage.demo.delete(server.id);
    await stage.admin.flavors.deleteFlavor(call(), { flavorId: flavor?.id ?? "" });
  });

  it("lists what a project has done, of servers that are gone too, and nothing of other projects", async () => {
    const mine = await stage.demo.create("listed");
    const other = await stage.admin.create("not-listed");
    await stage.demo.wait(mine.operation);
    await stage.admin.wait(other.operation);
    const deletion = await stage.demo.delete(mine.server.id);
    await stage.admin.delete(other.server.id);
    const names = async (user: GrpcUser, request: Partial<ListOperationsRequest> = {}): Promise<string[]> => {
      const found: string[] = [];
      for (let pageToken = "", first = true; first || pageToken !== ""; first = false) {
        const page = await user.operations.listOperations(call(), { ...request, pageToken });
        assert.deepEqual(page.unreachableCells, []);
        found.push(...page.operations.map(({ name }) => name));
        pageToken = page.nextPageToken;
      }
      return found;
    };
    const all = await names(stage.demo, { pageSize: 2 });
    assert.deepEqual(all.slice(0, 2), [deletion.name, mine.operation.name]);
    assert.deepEqual(all, await names(stage.demo));
    assert.ok(!all.includes(other.operation.name));
    const since = mine.operation.createdAt;
    assert.deepEqual(await names(stage.demo, { createdSince: since, kinds: ["server.delete"] }), [
      deletion.name,
    ]);
    assert.deepEqual(await names(stage.demo, { states: [OperationState.OPERATION_STATE_RUNNING] }), []);
    assert.ok((await names(stage.admin, { allProjects: true })).includes(mine.operation.name));
    assert.equal((await failure(names(stage.demo, { allProjects: true }))).reason, "FORBIDDEN");
  });

  it("hides operations of other projects", async () => {
    const { server, operation } = await stage.admin.create("not-yours");
    const { name } = operation;
    const { operations: demos } = stage.demo;
    for (const attempt of [
      () => demos.getOperation(call(), { name }),
      () => demos.waitOperation(call(), { name }),
      () => demos.cancelOperation(call(), { name }),
    ]) {
      assert.equal((await failure(attempt())).reason, "OPERATION_NOT_FOUND");
    }
    await stage.admin.wait(operation);
    await stage.admin.delete(server.id);
  });
}
