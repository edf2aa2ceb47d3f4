import buildGuest from "../../pkg/compute/commands/build-guest.js";
import { BuildGuestInput } from "../../gen/kilonova/compute/v1/commands.js";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import { HostsServiceDefinition } from "../../gen/kilonova/cells/v1/hosts_service.js";
import { PlacementServiceDefinition } from "../../gen/kilonova/placement/v1/placement_service.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import { operationOf } from "./requests.js";
import { parseOperationName } from "../../pkg/model/operation-name.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { until } from "../../pkg/testkit/until.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import type { Cloud } from "./cloud.js";
import { migrateCloud, openCloud, schemasOf } from "./cloud.js";
import { act, boot, ended, serverOf } from "./requests.js";

const HOST = "late-1";

/** What a conductor sent before it was overtaken, and what arrives only now. Everybody must refuse it. */
describe("messages delayed past a take-over", function () {
  this.timeout(120_000);
  let cloud: Cloud;
  before(async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`late_${process.pid}`);
    await migrateCloud(connection, schemas);
    // Nobody takes an operation over but where a test says so, however busy the machine is.
    cloud = await openCloud({
      connection,
      schemas,
      folder: processFolder("late"),
      hosts: [HOST],
      neutron: fakeNeutron(),
      conductor: { ownershipMs: 60_000 },
    });
  });
  after(() => cloud.close());

  /** A server whose boot hangs in its build, and that boot as its conductor knew it. */
  async function hangingBoot(delayMs: number) {
    const id = randomUUID();
    await cloud
      .agent(HOST, "operator")
      .scriptFakeDriver(testCtx(), { host: HOST, rules: [{ method: "powerOn", delayMs, times: 1 }] });
    await boot(cloud, { ids: [id] });
    await until(async () => (await serverOf(cloud, id)).taskState === "spawning", { what: "spawning" });
    const name = (await serverOf(cloud, id)).currentOperation;
    const { operation } = await cloud.operations.getStoredOperation(testCtx(), { name });
    const { instance } = await cloud.instances.getInstance(testCtx(), { database: "cell1", serverId: id });
    assert.ok(operation !== undefined && instance !== undefined);
    return { id, operation, instance };
  }
  const store = () => cloud.channel("conductor", "cells").client(OperationStoreServiceDefinition);
  const commandId = (name: string): string => `${parseOperationName(name)?.operationId ?? ""}/build-guest/0`;

  it("neither build, nor claim, nor commit for a boot that a deletion has pre-empted", async () => {
    const { id, operation, instance } = await hangingBoot(60_000);
    const { name, fence } = operation;
    await act(cloud, id, operationOf("server.delete"));
    assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_DELETED);
    const header = {
      commandId: commandId(name),
      operation: name,
      fence,
      serverId: id,
      host: HOST,
      waitMs: 1_000,
    };
    await assert.rejects(
      cloud.agent(HOST, "conductor").runCommand(testCtx(), {
        header,
        command: buildGuest.name,
        input: Buffer.from(BuildGuestInput.encode({ instance, secrets: undefined, volumes: [] }).finish()),
      }),
      {
        reason: "FENCE_LOST",
      },
    );
    const claim = {
      consumerId: id,
      projectId: "project",
      userId: "user",
      consumerType: "INSTANCE",
      allocations: [
        { providerId: instance.server?.hostInfo?.computeNodeUuid ?? "", resources: new Map([["VCPU", 1n]]) },
      ],
    };
    await assert.rejects(
      cloud
        .channel("conductor", "placement")
        .client(PlacementServiceDefinition)
        .claimAllocations(testCtx(), { operation: name, fence, claim }),
      { reason: "CLAIM_TOMBSTONED" },
    );
    const commit = {
      database: "cell1",
      name,
      fence,
      state: OperationState.OPERATION_STATE_SUCCEEDED,
      currentStep: "build-guest",
      change: { server: { vmState: VmState.VM_STATE_ACTIVE }, updateMask: ["vm_state"] },
    };
    await assert.rejects(store().commitStep(testCtx(), commit), { reason: "FENCE_LOST" });
    await cloud.channel("compute", "cells", HOST).client(HostsServiceDefinition).reportCommand(testCtx({}), {
      cell: "cell1",
      host: HOST,
      commandId: header.commandId,
      operation: name,
      fence,
      succeeded: true,
    });
    assert.equal((await serverOf(cloud, id)).vmState, VmState.VM_STATE_DELETED);
    assert.equal(
      (await cloud.agent(HOST, "conductor").inspectGuest(testCtx(), { host: HOST, serverId: id })).defined,
      false,
    );
    assert.deepEqual(
      (await cloud.placement.getAllocations(testCtx(), { consumerId: id })).consumers.flatMap(
        ({ allocations }) => allocations,
      ),
      [],
    );
  });

  it("refuses the old owner's hand-over and commits once another conductor has the operation", async () => {
    const { id, operation } = await hangingBoot(4_000);
    const { name, fence } = operation;
    const kinds = [{ kind: "server.boot", version: 1 }];
    // Its owner falls silent: the ownership runs out, and somebody else takes it.
    const taken = await until(
      async () =>
        (
          await store().acquireOperations(testCtx(), {
            database: "cell1",
            owner: "other",
            kinds,
            limit: 1,
            names: [name],
            ownership: { seconds: 60n },
          })
        ).operations[0] ??
        (await store().releaseOperations(testCtx(), { database: "cell1", owner: operation.owner }),
        undefined),
      { what: "the take-over" },
    );
    assert.ok(taken.fence > fence);
    const commit = {
      database: "cell1",
      name,
      state: OperationState.OPERATION_STATE_RUNNING,
      currentStep: "build-guest",
    };
    await assert.rejects(store().commitStep(testCtx(), { ...commit, fence }), { reason: "FENCE_LOST" });
    await assert.rejects(
      store().commitHandover(testCtx(), { database: "global", name, fence, targetDatabase: "cell1" }),
      { reason: "FENCE_LOST" },
    );
    await store().commitStep(testCtx(), { ...commit, fence: taken.fence, release: true });
    assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_ACTIVE);
  });
});
