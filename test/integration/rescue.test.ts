import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { RebootInput } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import { AgentServiceDefinition } from "../../gen/kilonova/compute/v1/agent_service.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { PowerState, VmState } from "../../gen/kilonova/type/v1/server.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import { sql } from "../../pkg/cells/store/sql.js";
import { fromTimestamp } from "../../pkg/model/wire-time.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { until } from "../../pkg/testkit/until.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import type { Cloud } from "../crash/cloud.js";
import { migrateCloud, openCloud, schemasOf } from "../crash/cloud.js";
import { act, boot, ended, operationOf, serverOf } from "../crash/requests.js";

const HOST = "a";
const {
  VM_STATE_ACTIVE: ACTIVE,
  VM_STATE_STOPPED: STOPPED,
  VM_STATE_ERROR: ERROR,
  VM_STATE_RESCUED: RESCUED,
  VM_STATE_DELETED: DELETED,
} = VmState;
const { POWER_STATE_RUNNING: RUNNING, POWER_STATE_SHUTDOWN: SHUTDOWN } = PowerState;

/** Rescues from their acceptance to the fake driver, whose console tells what was booted. */
describe("a server's rescue", () => {
  let cloud: Cloud;
  before(async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`rescue_${process.pid}`);
    await migrateCloud(connection, schemas);
    cloud = await openCloud({
      connection,
      schemas,
      folder: processFolder("rescue"),
      hosts: [HOST],
      neutron: fakeNeutron(),
      conductor: { agentWaitMs: 200 },
    });
  });
  after(() => cloud.close());
  afterEach(() => script([]));

  const script = (rules: { method: string; delayMs?: number; failReason?: string; times?: number }[]) =>
    cloud.agent(HOST, "operator").scriptFakeDriver(testCtx(), { host: HOST, rules });
  /** What was booted, oldest first. */
  const boots = async (serverId: string): Promise<string[]> => {
    const { output } = await cloud
      .channel("api", `agent:${HOST}`)
      .client(AgentServiceDefinition)
      .getConsoleLog(testCtx(), { host: HOST, serverId });
    return [...output.toString().matchAll(/(rescue )?boot \d/g)].map(([said]) => said);
  };
  const does = async (id: string, kind: string) => {
    await act(cloud, id, operationOf(kind));
    return ended(cloud, id);
  };
  const active = async (): Promise<string> => {
    const id = randomUUID();
    await boot(cloud, { ids: [id] });
    assert.equal((await ended(cloud, id)).vmState, ACTIVE);
    return id;
  };
  const stateOf = async (id: string) => {
    const { vmState, taskState, powerState, fault } = await serverOf(cloud, id);
    return [vmState, taskState, powerState, fault?.reason];
  };
  const held = async (id: string) =>
    (await cloud.placement.getAllocations(testCtx(), { consumerId: id })).consumers;

  it("boots another image and then its own again, holding what it held, and keeps no password", async () => {
    const id = await active();
    const before = await serverOf(cloud, id);
    const allocations = await held(id);
    const rescued = await does(id, "server.rescue");
    assert.deepEqual(await stateOf(id), [RESCUED, "", RUNNING, undefined]);
    const since = ({ launchedAt }: typeof before): bigint => fromTimestamp(launchedAt ?? assert.fail());
    assert.ok(since(rescued) > since(before), "usage counts anew");
    assert.deepEqual(await boots(id), ["boot 1", "rescue boot 2"]);
    await does(id, "server.unrescue");
    assert.deepEqual(await stateOf(id), [ACTIVE, "", RUNNING, undefined]);
    assert.deepEqual(await boots(id), ["boot 1", "rescue boot 2", "boot 3"]);
    assert.deepEqual(await held(id), allocations);
    const { actions } = await cloud.instances.listActions(testCtx(), {
      database: "cell1",
      query: { serverId: id },
    });
    assert.deepEqual(
      actions.map(({ action }) => action),
      ["unrescue", "rescue", "create"],
    );
    for (const [nth, event] of ["compute_unrescue_instance", "compute_rescue_instance"].entries()) {
      const { action } = await cloud.instances.getAction(testCtx(), {
        database: "cell1",
        serverId: id,
        requestId: actions[nth]?.requestId ?? "",
      });
      assert.deepEqual(
        action?.events.map((one) => [one.event, one.result]),
        [[event, "Success"]],
      );
    }
    for (const { db, t } of cloud.stores) {
      const { rows } = await db.statement(testCtx(), "test", (one) =>
        sql`SELECT kind FROM ${t.operation} WHERE server_id = ${id} AND secrets IS NOT NULL`.execute(one),
      );
      assert.deepEqual(rows, []);
    }
  });

  it("shows its task states while it is under way", async () => {
    const id = await active();
    for (const [kind, method, taskState] of [
      ["server.rescue", "rescue", "rescuing"],
      ["server.unrescue", "unrescue", "unrescuing"],
    ] as const) {
      await script([{ method, delayMs: 2_000 }]);
      await act(cloud, id, operationOf(kind));
      assert.equal((await serverOf(cloud, id)).taskState, taskState);
      await ended(cloud, id);
    }
  });

  it("ends in ERROR when the host cannot, with its guest running from its own disk as before", async () => {
    const id = await active();
    await script([{ method: "powerOn", failReason: "HYPERVISOR_FAILED", times: 1 }]);
    const { name } = await act(cloud, id, operationOf("server.rescue"));
    await ended(cloud, id);
    assert.deepEqual(await stateOf(id), [ERROR, "", RUNNING, "HYPERVISOR_FAILED"]);
    assert.deepEqual(await boots(id), ["boot 1", "boot 2"]);
    const { operation } = await cloud.operations.getStoredOperation(testCtx(), { name });
    assert.equal(operation?.state, OperationState.OPERATION_STATE_FAILED);
    await does(id, "server.rescue");
    assert.deepEqual(await stateOf(id), [RESCUED, "", RUNNING, undefined]);
  });

  it("says that the guest is off when it cannot be started at all; a hard reboot helps", async () => {
    const id = await active();
    await script([{ method: "powerOn", failReason: "HYPERVISOR_FAILED" }]);
    await does(id, "server.rescue");
    assert.deepEqual(await stateOf(id), [ERROR, "", SHUTDOWN, "HYPERVISOR_FAILED"]);
    await script([]);
    await act(cloud, id, operationOf("server.reboot"), {
      input: RebootInput.encode({ hard: true }).finish(),
    });
    await ended(cloud, id);
    assert.deepEqual(await stateOf(id), [ACTIVE, "", RUNNING, undefined]);
    assert.deepEqual(await boots(id), ["boot 1", "boot 2"]);
  });

  for (const when of ["ACTIVE", "STOPPED"] as const)
    it(`leaves server and guest as they were when it is cancelled (${when})`, async () => {
      const id = await active();
      if (when === "STOPPED") await does(id, "server.stop");
      const before = await stateOf(id);
      await script([{ method: "powerOn", delayMs: 60_000, times: 1 }]);
      const { name } = await act(cloud, id, operationOf("server.rescue"));
      const operation = async () =>
        (await cloud.operations.getStoredOperation(testCtx(), { name })).operation ?? assert.fail("none");
      await until(async () => (await operation()).state === OperationState.OPERATION_STATE_PARKED);
      await cloud.operations.requestCancel(testCtx(), { database: "", name });
      await ended(cloud, id);
      assert.equal((await operation()).state, OperationState.OPERATION_STATE_CANCELLED);
      assert.deepEqual((await stateOf(id)).slice(0, 3), before.slice(0, 3));
      assert.deepEqual(await boots(id), when === "ACTIVE" ? ["boot 1", "boot 2"] : ["boot 1"]);
    });

  it("ends ACTIVE when it was stopped before", async () => {
    const id = await active();
    await does(id, "server.stop");
    assert.equal((await serverOf(cloud, id)).vmState, STOPPED);
    await does(id, "server.rescue");
    assert.deepEqual(await stateOf(id), [RESCUED, "", RUNNING, undefined]);
    await does(id, "server.unrescue");
    assert.deepEqual(await stateOf(id), [ACTIVE, "", RUNNING, undefined]);
  });

  for (const [method, power] of [
    ["unrescue", RUNNING],
    ["powerOn", SHUTDOWN],
  ] as const)
    it(`ends in ERROR when it cannot be ended (${method}), and a hard reboot leads back to its disk`, async () => {
      const id = await active();
      await does(id, "server.rescue");
      await script([{ method, failReason: "HYPERVISOR_FAILED", times: 1 }]);
      await does(id, "server.unrescue");
      assert.deepEqual(await stateOf(id), [ERROR, "", power, "HYPERVISOR_FAILED"]);
      await act(cloud, id, operationOf("server.reboot"), {
        input: RebootInput.encode({ hard: true }).finish(),
      });
      await ended(cloud, id);
      assert.deepEqual(await stateOf(id), [ACTIVE, "", RUNNING, undefined]);
      assert.deepEqual((await boots(id)).at(-1), "boot 3");
    });

  it("lasts when its guest powers itself off, and is ended from there", async () => {
    const id = await active();
    await does(id, "server.rescue");
    await cloud.reportGuest(HOST, id, SHUTDOWN);
    assert.deepEqual(await stateOf(id), [RESCUED, "", SHUTDOWN, undefined]);
    await does(id, "server.unrescue");
    assert.deepEqual(await stateOf(id), [ACTIVE, "", RUNNING, undefined]);
  });

  it("refuses what Nova refuses while it lasts, and lets it be deleted", async () => {
    const id = await active();
    await does(id, "server.rescue");
    const hard = RebootInput.encode({ hard: true }).finish();
    for (const [kind, input] of [
      ["server.rescue"],
      ["server.reboot"],
      ["server.reboot", hard],
      ["server.stop"],
      ["server.start"],
      ["server.pause"],
    ] as const)
      await assert.rejects(act(cloud, id, operationOf(kind), input === undefined ? {} : { input }), {
        reason: "INVALID_STATE",
        facts: { server: id, method: operationOf(kind).action, attr: "vm_state", state: "rescued" },
      });
    await does(id, "server.delete");
    assert.equal((await serverOf(cloud, id)).vmState, DELETED);
    const guest = await cloud.agent(HOST, "conductor").inspectGuest(testCtx(), { host: HOST, serverId: id });
    assert.equal(guest.defined, false);
  });
});
