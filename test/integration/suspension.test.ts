import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { RebootInput } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import { PowerState, VmState } from "../../gen/kilonova/type/v1/server.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import { until } from "../../pkg/testkit/until.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import type { Cloud } from "../crash/cloud.js";
import { migrateCloud, openCloud, schemasOf } from "../crash/cloud.js";
import { act, boot, ended, operationOf, serverOf } from "../crash/requests.js";

const { VM_STATE_ACTIVE: ACTIVE, VM_STATE_SUSPENDED: SUSPENDED, VM_STATE_ERROR: ERROR } = VmState;
const HOST = "a";

describe("suspension as an operation", () => {
  let cloud: Cloud;
  let id = "";
  before(async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`suspension_${process.pid}`);
    await migrateCloud(connection, schemas);
    cloud = await openCloud({
      connection,
      schemas,
      folder: processFolder("suspension"),
      hosts: [HOST],
      neutron: fakeNeutron(),
    });
  });
  after(() => cloud.close());
  beforeEach(async () => {
    id = randomUUID();
    await boot(cloud, { ids: [id] });
    assert.equal((await ended(cloud, id)).vmState, ACTIVE);
  });
  afterEach(() => script([]));

  const script = async (
    rules: { method: string; failReason?: string; failMessage?: string; delayMs?: number }[],
  ): Promise<void> => {
    await cloud.agent(HOST, "operator").scriptFakeDriver(testCtx(), { host: HOST, rules });
  };
  const power = async () =>
    (await cloud.agent(HOST, "conductor").inspectGuest(testCtx(), { host: HOST, serverId: id })).powerState;
  const done = async (kind: string) => {
    await act(cloud, id, operationOf(kind));
    return ended(cloud, id);
  };

  it("shows the state of server and guest, and the events of its actions by Nova's names", async () => {
    await script([{ method: "suspend", delayMs: 2_000 }]);
    await act(cloud, id, operationOf("server.suspend"));
    assert.equal((await serverOf(cloud, id)).taskState, "suspending");
    const suspended = await ended(cloud, id);
    assert.deepEqual(
      [suspended.vmState, suspended.powerState, suspended.taskState],
      [SUSPENDED, PowerState.POWER_STATE_SUSPENDED, ""],
    );
    await script([{ method: "resume", delayMs: 2_000 }]);
    await act(cloud, id, operationOf("server.resume"));
    assert.equal((await serverOf(cloud, id)).taskState, "resuming");
    const resumed = await ended(cloud, id);
    assert.deepEqual([resumed.vmState, resumed.powerState], [ACTIVE, PowerState.POWER_STATE_RUNNING]);
    const { actions } = await cloud.instances.listActions(testCtx(), {
      database: "cell1",
      query: { serverId: id },
    });
    const events = await Promise.all(
      actions.slice(0, 2).map(async ({ action, requestId }) => {
        const told = await cloud.instances.getAction(testCtx(), {
          database: "cell1",
          serverId: id,
          requestId,
        });
        return [action, ...(told.action?.events.map(({ event, result }) => `${event} ${result}`) ?? [])];
      }),
    );
    assert.deepEqual(events, [
      ["resume", "compute_resume_instance Success"],
      ["suspend", "compute_suspend_instance Success"],
    ]);
  });

  it("leaves a server ACTIVE whose guest could not be suspended and runs on, with the reason", async () => {
    await script([{ method: "suspend", failReason: "NO_ROOM_FOR_MEMORY", failMessage: "No room." }]);
    const { vmState, fault } = await done("server.suspend");
    assert.deepEqual([vmState, fault?.reason, fault?.message], [ACTIVE, "NO_ROOM_FOR_MEMORY", "No room."]);
    assert.equal(await power(), PowerState.POWER_STATE_RUNNING);
  });

  it("stays SUSPENDED when it cannot be resumed now, and is in ERROR when its memory is gone", async () => {
    await done("server.suspend");
    await script([{ method: "resume", failReason: "HYPERVISOR_FAILED", failMessage: "Not now." }]);
    assert.equal((await done("server.resume")).vmState, SUSPENDED);
    assert.equal(await power(), PowerState.POWER_STATE_SUSPENDED);
    await script([{ method: "resume", failReason: "SAVED_MEMORY_LOST", failMessage: "Gone." }]);
    const { vmState, fault } = await done("server.resume");
    assert.deepEqual([vmState, fault?.reason], [ERROR, "SAVED_MEMORY_LOST"]);
    await script([]);
    await act(cloud, id, operationOf("server.reboot"), {
      input: RebootInput.encode({ hard: true }).finish(),
    });
    assert.equal((await ended(cloud, id)).vmState, ACTIVE);
  });

  it("gives way to a hard reboot and to a deletion while it is under way", async () => {
    await script([{ method: "suspend", delayMs: 60_000 }]);
    await act(cloud, id, operationOf("server.suspend"));
    await until(async () => (await serverOf(cloud, id)).progress > 0, {
      what: "some of the memory to be written",
    });
    await act(cloud, id, operationOf("server.reboot"), {
      input: RebootInput.encode({ hard: true }).finish(),
    });
    const rebooted = await ended(cloud, id);
    assert.deepEqual([rebooted.vmState, await power()], [ACTIVE, PowerState.POWER_STATE_RUNNING]);
    await act(cloud, id, operationOf("server.suspend"));
    await act(cloud, id, operationOf("server.delete"));
    assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_DELETED);
  });

  it("is taken back when it is cancelled: the guest goes on", async () => {
    await script([{ method: "suspend", delayMs: 60_000 }]);
    const { name } = await act(cloud, id, operationOf("server.suspend"));
    await until(async () => (await serverOf(cloud, id)).progress > 0, {
      what: "some of the memory to be written",
    });
    await cloud.operations.requestCancel(testCtx(), { database: "", name });
    const { vmState, taskState } = await ended(cloud, id);
    assert.deepEqual([vmState, taskState, await power()], [ACTIVE, "", PowerState.POWER_STATE_RUNNING]);
  });

  it("does not wait for an interrupt that is under way, which does not wait for it", async () => {
    await script([{ method: "injectNmi", delayMs: 8_000 }]);
    const { name } = await act(cloud, id, operationOf("server.trigger-crash-dump"));
    assert.equal((await done("server.suspend")).vmState, SUSPENDED);
    const end = await until(async () => {
      const { operation } = await cloud.operations.getStoredOperation(testCtx(), { name });
      return operation?.error;
    });
    assert.equal(end.reason, "GUEST_NOT_RUNNING");
    await assert.rejects(act(cloud, id, operationOf("server.trigger-crash-dump")), {
      reason: "INVALID_STATE",
    });
  });

  it("leaves a server in ERROR as it is when its guest is interrupted, and when it is not", async () => {
    await script([{ method: "reboot", failReason: "HYPERVISOR_FAILED", failMessage: "no" }]);
    await done("server.suspend");
    await act(cloud, id, operationOf("server.reboot"), {
      input: RebootInput.encode({ hard: true }).finish(),
    });
    assert.equal((await ended(cloud, id)).vmState, ERROR);
    const { vmState, taskState } = await done("server.trigger-crash-dump");
    assert.deepEqual([vmState, taskState], [ERROR, ""]);
    const { operations } = await cloud.operations.listStoredOperations(testCtx(), { serverId: id });
    const last = operations.find(({ kind }) => kind === "server.trigger-crash-dump");
    assert.equal(last?.error?.reason, "GUEST_NOT_RUNNING");
  });
});
