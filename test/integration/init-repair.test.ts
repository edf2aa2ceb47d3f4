import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RebootInput } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import type { StoredOperation } from "../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { PowerState, VmState } from "../../gen/kilonova/type/v1/server.js";
import { sql } from "../../pkg/cells/store/sql.js";
import type { Store } from "../../pkg/cells/store/tables.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import { isLive } from "../../pkg/model/operation-states.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import { until } from "../../pkg/testkit/until.js";
import type { Cloud } from "../crash/cloud.js";
import { migrateCloud, openCloud, schemasOf } from "../crash/cloud.js";
import { act, boot, ended, operationOf, serverOf } from "../crash/requests.js";

const {
  VM_STATE_ACTIVE: ACTIVE,
  VM_STATE_STOPPED: STOPPED,
  VM_STATE_PAUSED: PAUSED,
  VM_STATE_SUSPENDED: SUSPENDED,
  VM_STATE_RESCUED: RESCUED,
  VM_STATE_SOFT_DELETED: SOFT_DELETED,
  VM_STATE_DELETED: DELETED,
  VM_STATE_ERROR: ERROR,
} = VmState;
const {
  POWER_STATE_RUNNING: RUNNING,
  POWER_STATE_SHUTDOWN: OFF,
  POWER_STATE_PAUSED: IS_PAUSED,
  POWER_STATE_SUSPENDED: IS_SUSPENDED,
  POWER_STATE_NOSTATE: NONE,
} = PowerState;
const HOST = "a";
const LONG_MS = 3_600_000;
const PATIENCE_MS = 120_000;

/** What an agent finds that died while its driver was at it. */
interface AtWork {
  /** How Nova's task state begins then. */
  readonly task: string;
  readonly kind: string;
  /** What brings a new server to where it begins. */
  readonly before?: readonly string[];
  readonly input?: Uint8Array;
  /** The driver's method in which the agent dies. */
  readonly dies: string;
  readonly ends: readonly [VmState, PowerState];
}

const reboot = (hard: boolean): Uint8Array => RebootInput.encode({ hard }).finish();

const atWork: readonly AtWork[] = [
  { task: "powering-off", kind: "server.stop", dies: "powerOff", ends: [STOPPED, OFF] },
  {
    task: "powering-on",
    kind: "server.start",
    before: ["server.stop"],
    dies: "powerOn",
    ends: [ACTIVE, RUNNING],
  },
  { task: "rebooting", kind: "server.reboot", input: reboot(false), dies: "reboot", ends: [ACTIVE, RUNNING] },
  {
    task: "rebooting_hard",
    kind: "server.reboot",
    input: reboot(true),
    dies: "reboot",
    ends: [ACTIVE, RUNNING],
  },
  { task: "pausing", kind: "server.pause", dies: "pause", ends: [PAUSED, IS_PAUSED] },
  {
    task: "unpausing",
    kind: "server.unpause",
    before: ["server.pause"],
    dies: "unpause",
    ends: [ACTIVE, RUNNING],
  },
  { task: "suspending", kind: "server.suspend", dies: "suspend", ends: [SUSPENDED, IS_SUSPENDED] },
  {
    task: "resuming",
    kind: "server.resume",
    before: ["server.suspend"],
    dies: "resume",
    ends: [ACTIVE, RUNNING],
  },
  { task: "rescuing", kind: "server.rescue", dies: "rescue", ends: [RESCUED, RUNNING] },
  {
    task: "unrescuing",
    kind: "server.unrescue",
    before: ["server.rescue"],
    dies: "unrescue",
    ends: [ACTIVE, RUNNING],
  },
  { task: "rebuild", kind: "server.rebuild", dies: "prepareRebuild", ends: [ACTIVE, RUNNING] },
  { task: "image_", kind: "server.create-image", dies: "takeSnapshot", ends: [ACTIVE, RUNNING] },
  { task: "deleting", kind: "server.delete", dies: "remove", ends: [DELETED, NONE] },
];

/**
 * Whether the agent has an operation's command and does not come to an end; a deletion asks again and again.
 */
const isAtWork = (operation: StoredOperation | undefined): boolean =>
  operation?.state === OperationState.OPERATION_STATE_PARKED ||
  (operation?.currentStep === "destroy-guest" && (operation.steps.at(-1)?.attempts ?? 0) > 1);

/** What an agent finds that was away for a while: the server by its record, and the guest. */
interface Found {
  readonly what: string;
  /** What brings a new server there. */
  readonly by: readonly string[];
  readonly guest: "RUNNING" | "SHUTDOWN" | "CRASHED" | "PAUSED";
  readonly ends: readonly [VmState, PowerState];
  /** What the guest is in the end. */
  readonly leaves: PowerState;
  /** Whether its timeline shows a stop of nobody. */
  readonly stops?: true;
}

const found: readonly Found[] = [
  { what: "active, guest off", by: [], guest: "SHUTDOWN", ends: [STOPPED, OFF], leaves: OFF, stops: true },
  {
    what: "active, guest crashed",
    by: [],
    guest: "CRASHED",
    ends: [STOPPED, OFF],
    leaves: PowerState.POWER_STATE_CRASHED,
    stops: true,
  },
  { what: "active, guest paused", by: [], guest: "PAUSED", ends: [ACTIVE, IS_PAUSED], leaves: IS_PAUSED },
  {
    what: "stopped, guest runs",
    by: ["server.stop"],
    guest: "RUNNING",
    ends: [STOPPED, OFF],
    leaves: OFF,
    stops: true,
  },
  {
    what: "stopped, guest paused",
    by: ["server.stop"],
    guest: "PAUSED",
    ends: [STOPPED, OFF],
    leaves: OFF,
    stops: true,
  },
  {
    what: "paused, guest off",
    by: ["server.pause"],
    guest: "SHUTDOWN",
    ends: [STOPPED, OFF],
    leaves: OFF,
    stops: true,
  },
  { what: "rescued, guest off", by: ["server.rescue"], guest: "SHUTDOWN", ends: [RESCUED, OFF], leaves: OFF },
  {
    what: "soft-deleted, guest runs",
    by: ["server.delete"],
    guest: "RUNNING",
    ends: [SOFT_DELETED, RUNNING],
    leaves: RUNNING,
  },
];

/**
 * Every state of a server that an agent may find when it comes up, on fake hosts. What Nova's `init_host`
 * repairs by its record is here the stored operation's: it goes on where it was.
 */
describe("an agent that comes up", function () {
  this.timeout(PATIENCE_MS * 2);
  let cloud: Cloud;
  let cell: Store;
  before(async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`init_${process.pid}`);
    await migrateCloud(connection, schemas);
    cloud = await openCloud({
      connection,
      schemas,
      folder: processFolder("init-repair"),
      hosts: [HOST],
      neutron: fakeNeutron(),
      cells: { reclaimInstanceIntervalS: 3_600 },
      conductor: { agentWaitMs: 200 },
    });
    cell = cloud.stores[2] ?? assert.fail("no cell1");
  });
  after(() => cloud.close());
  afterEach(async () => {
    await cloud.agent(HOST, "operator").scriptFakeDriver(testCtx(), { host: HOST, rules: [] });
  });

  const booted = async (): Promise<string> => {
    const id = randomUUID();
    await boot(cloud, { ids: [id] });
    assert.equal((await ended(cloud, id)).vmState, ACTIVE);
    return id;
  };
  const doing = async (id: string, kind: string): Promise<void> => {
    if (kind === "server.delete")
      await cloud.instances.acceptOperation(testCtx(), {
        database: "cell1",
        serverId: id,
        kind,
        kindVersion: 1,
        actor: { kind: "user", userId: "user", projectId: "project" },
        deferrable: true,
      });
    else await act(cloud, id, operationOf(kind));
  };
  const brought = async (by: readonly string[]): Promise<string> => {
    const id = await booted();
    for (const kind of by) {
      await doing(id, kind);
      assert.equal((await ended(cloud, id)).taskState, "", kind);
    }
    return id;
  };
  const newest = async (id: string) =>
    (await cloud.operations.listStoredOperations(testCtx(), { serverId: id })).operations[0];
  const guest = async (id: string): Promise<PowerState> =>
    (await cloud.agent(HOST, "conductor").inspectGuest(testCtx(), { host: HOST, serverId: id })).powerState;
  const fileOf = (stateDir: string, id: string): string => join(stateDir, "guests", `${id}.json`);
  const leaveGuest = (stateDir: string, id: string, powerState: string): void => {
    const file = fileOf(stateDir, id);
    const stored = JSON.parse(readFileSync(file, "utf8")) as object;
    writeFileSync(file, JSON.stringify({ ...stored, powerState, pid: powerState === "RUNNING" ? 1 : 0 }));
  };
  const stopsOfNobody = async (id: string): Promise<number> =>
    (
      await cloud.instances.listActions(testCtx(), { database: "cell1", query: { serverId: id } })
    ).actions.filter(({ action, userId }) => action === "stop" && userId === "").length;

  it("has every operation go on that its death cut short, and to the end that it was begun for", async () => {
    const servers = new Map<AtWork, string>();
    for (const row of atWork) servers.set(row, await brought(row.before ?? []));
    const building = randomUUID();
    const rules = [...new Set([...atWork.map(({ dies }) => dies), "define"])].map((method) => ({
      method,
      delayMs: LONG_MS,
    }));
    await cloud.agent(HOST, "operator").scriptFakeDriver(testCtx(), { host: HOST, rules });
    for (const [{ kind, input }, id] of servers)
      await act(cloud, id, operationOf(kind), input === undefined ? {} : { input });
    await boot(cloud, { ids: [building] });
    const all = [...servers.values(), building];
    for (const id of all)
      await until(async () => isAtWork(await newest(id)), {
        timeoutMs: PATIENCE_MS,
        what: "the agent to be at it",
      });
    for (const [{ task }, id] of servers)
      assert.ok((await serverOf(cloud, id)).taskState.startsWith(task), task);

    await cloud.restartAgent(HOST);

    for (const id of all)
      await until(
        async () => {
          const operation = await newest(id);
          return operation !== undefined && !isLive(operation.state);
        },
        { timeoutMs: PATIENCE_MS, what: "the operation to end", everyMs: 100 },
      );
    const rows = [...servers, [{ task: "spawning", ends: [ACTIVE, RUNNING] }, building]] as const;
    for (const [{ task, ends }, id] of rows) {
      const { vmState, powerState, taskState, fault } = await serverOf(cloud, id);
      assert.deepEqual(
        [task, vmState, taskState, fault, (await newest(id))?.state],
        [task, ends[0], "", undefined, OperationState.OPERATION_STATE_SUCCEEDED],
      );
      if (vmState !== DELETED) assert.equal(powerState, ends[1], task);
      assert.equal(await guest(id), ends[1], task);
    }
  });

  it("makes of each server that nobody works on what Nova makes of it", async () => {
    const servers = new Map<Found, string>();
    for (const row of found) servers.set(row, await brought(row.by));
    await cloud.restartAgent(HOST, async (stateDir) => {
      for (const [row, id] of servers) leaveGuest(stateDir, id, row.guest);
    });
    for (const [{ what, ends, leaves, stops }, id] of servers) {
      await until(
        async () => {
          const { vmState, powerState } = await serverOf(cloud, id);
          return vmState === ends[0] && powerState === ends[1] && (await guest(id)) === leaves;
        },
        { timeoutMs: PATIENCE_MS, what },
      );
      assert.equal(await stopsOfNobody(id), stops ? 1 : 0, what);
      const { taskState, currentOperation } = await serverOf(cloud, id);
      assert.deepEqual([taskState, currentOperation], ["", ""], what);
    }
  });

  it("removes the guest of a server that is deleted, and keeps one of which nobody knows", async () => {
    const [gone, unknown] = [await booted(), randomUUID()];
    let folder = "";
    await cloud.restartAgent(HOST, async (stateDir) => {
      folder = stateDir;
      const stored = JSON.parse(readFileSync(fileOf(stateDir, gone), "utf8")) as object;
      writeFileSync(fileOf(stateDir, unknown), JSON.stringify({ ...stored, instanceUuid: unknown }));
      await cell.db.statement(testCtx(), "test.delete", (db) =>
        sql`UPDATE ${cell.t.instance} SET deleted_at = now(), vm_state = 'deleted' WHERE id = ${gone}`.execute(
          db,
        ),
      );
    });
    assert.ok(!existsSync(fileOf(folder, gone)));
    assert.ok(existsSync(fileOf(folder, unknown)));
    assert.equal(await guest(unknown), RUNNING);
  });

  it("leaves a server in error alone, whatever its guest does", async () => {
    const id = await brought(["server.suspend"]);
    const rules = [{ method: "resume", failReason: "SAVED_MEMORY_LOST", failMessage: "As asked." }];
    await cloud.agent(HOST, "operator").scriptFakeDriver(testCtx(), { host: HOST, rules });
    await act(cloud, id, operationOf("server.resume"));
    assert.equal((await ended(cloud, id)).vmState, ERROR);
    await cloud.restartAgent(HOST, async (stateDir) => leaveGuest(stateDir, id, "SHUTDOWN"));
    await until(async () => (await serverOf(cloud, id)).powerState === OFF, {
      timeoutMs: PATIENCE_MS,
      what: "the power state to be told",
    });
    assert.equal((await serverOf(cloud, id)).vmState, ERROR);
  });

  it("powers on what ran where the operator wants that, and nothing else", async () => {
    const [ran, stopped] = [await booted(), await brought(["server.stop"])];
    await cloud.restartAgent(HOST, async (stateDir) => leaveGuest(stateDir, ran, "SHUTDOWN"), {
      resumeGuestsStateOnHostBoot: true,
    });
    assert.deepEqual([await guest(ran), await guest(stopped)], [RUNNING, OFF]);
    const { vmState, powerState } = await serverOf(cloud, ran);
    assert.deepEqual([vmState, powerState, await stopsOfNobody(ran)], [ACTIVE, RUNNING, 0]);
  });
});
