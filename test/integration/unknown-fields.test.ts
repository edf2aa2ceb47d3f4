import assert from "node:assert/strict";
import { OperationCatalogue } from "../../pkg/model/operation-catalogue.js";
import { anyOperation, theServer } from "../../pkg/model/operation-declaration.js";
import { aDeclaration, aForm } from "../../pkg/model/testing/a-declaration.js";
import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Aggregate } from "../../gen/kilonova/api/v1/aggregates_service.js";
import { ServerGroup, ServerGroupPolicy } from "../../gen/kilonova/api/v1/server_groups_service.js";
import {
  ConsoleToken,
  ConsoleTokenServiceDefinition,
} from "../../gen/kilonova/cells/v1/console_tokens_service.js";
import { AcceptServersRequest } from "../../gen/kilonova/cells/v1/global_service.js";
import {
  ComputeNode,
  HostService,
  HostsServiceDefinition,
  ReportCommandRequest,
} from "../../gen/kilonova/cells/v1/hosts_service.js";
import { InstanceChange, InstanceRecord } from "../../gen/kilonova/cells/v1/instance_change.js";
import { InstancesServiceDefinition } from "../../gen/kilonova/cells/v1/instances_service.js";
import {
  OperationStoreServiceDefinition,
  StepRecord,
  StoredOperation,
} from "../../gen/kilonova/cells/v1/operations_service.js";
import type { CommitStepRequest } from "../../gen/kilonova/cells/v1/operations_service.js";
import { Actor } from "../../gen/kilonova/type/v1/actor.js";
import { Flavor } from "../../gen/kilonova/type/v1/flavor.js";
import { KeyPair } from "../../gen/kilonova/type/v1/key_pair.js";
import { OperationError, OperationProgress, OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { PowerState, VmState } from "../../gen/kilonova/type/v1/server.js";
import { ServerSecrets } from "../../gen/kilonova/type/v1/server_spec.js";
import {
  BlockDeviceRecord,
  MigrationKind,
  MigrationRecord,
} from "../../gen/kilonova/cells/v1/server_records.js";
import type { ServerRecords } from "../../gen/kilonova/cells/v1/server_records.js";
import { toTimestamp } from "../../pkg/model/wire-time.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { sql } from "../../pkg/cells/store/sql.js";
import type { InstanceRow, OperationRow } from "../../pkg/cells/store/rows.js";
import { loadRecord, storeRecord } from "../../pkg/cells/servers/domain/records.js";
import { aServer, putInstance, recordsOf } from "../../pkg/cells/testing/records.js";
import { packageRoot } from "../../pkg/platform/service/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { saltIn, saltable, salted, saltedAs } from "../../pkg/testkit/unknown-fields.js";
import { until } from "../../pkg/testkit/until.js";
import { bootRequest } from "../crash/requests.js";
import type { CellsUnderTest } from "./support/cells-service.js";
import { startCellsService } from "./support/cells-service.js";

const RECORD = "kilonova.cells.v1.InstanceRecord";
const SERVER = "kilonova.cells.v1.Server";
const DEVICE = "kilonova.cells.v1.BlockDeviceRecord";
const MIGRATION = "kilonova.cells.v1.MigrationRecord";
const OPERATION = "kilonova.cells.v1.StoredOperation";
const STEP = "kilonova.cells.v1.StepRecord";
const STEPS = "kilonova.cells.v1.StoredSteps";
const ERROR = "kilonova.type.v1.OperationError";
const SERVICE = "kilonova.cells.v1.HostService";
const NODE = "kilonova.cells.v1.ComputeNode";
const FLAVOR = "kilonova.type.v1.Flavor";
const AGGREGATE = "kilonova.api.v1.Aggregate";
const GROUP = "kilonova.api.v1.ServerGroup";
const KEY_PAIR = "kilonova.type.v1.KeyPair";
const CONSOLE_TOKEN = "kilonova.cells.v1.ConsoleToken";
const ACTOR = "kilonova.type.v1.Actor";
const PROGRESS = "kilonova.type.v1.OperationProgress";
const REPORT = "kilonova.cells.v1.ReportCommandRequest";
const SECRETS = "kilonova.type.v1.ServerSecrets";

/** Never changed: made anew of a StoredOperation at each change, of a request, or by the cell itself. */
const DERIVED = ["Operation", "BootInput", "EndMoveInput"];

const { OPERATION_STATE_RUNNING: RUNNING, OPERATION_STATE_NEEDS_OPERATOR: NEEDS_OPERATOR } = OperationState;

/** Servers that are full of fields are locked, too. */
const KIND = aDeclaration("test.kind", {
  forms: {
    plain: { ...aForm, lock: "ignores" },
    preempting: { ...aForm, lock: "ignores", contention: "pre-empts" },
    joining: { ...aForm, lock: "ignores", contention: "pre-empts-all" },
  },
  formOf: (input) => (input === "pre-empt" ? "preempting" : input === "join" ? "joining" : "plain"),
  result: theServer,
});
const BESIDE = aDeclaration("test.beside", {
  lane: "volumes",
  forms: { plain: { ...aForm, lock: "ignores" } },
  formOf: () => "plain",
});

type Encodable<M> = { encode(message: M): { finish(): Uint8Array } };

describe("fields of a newer build in what is stored", function () {
  this.timeout(120_000);
  let s: CellsUnderTest;
  const passed = new Set<string>();
  before(async () => {
    s = await startCellsService({}, new OperationCatalogue([anyOperation(KIND), anyOperation(BESIDE)]));
  });
  after(() => s.close());

  /** @param except  places that were replaced by what this build says: themselves, and what is below */
  function keeps(what: string, name: string, bytes: Uint8Array, except: readonly string[] = []): void {
    const left = saltIn(name, bytes);
    const lost = [...saltable(name)].filter(
      (path) =>
        !left.has(path) && !except.some((one) => path === one || (one !== "" && path.startsWith(`${one}.`))),
    );
    assert.deepEqual(lost, [], `${what}: lost in ${name}`);
    passed.add(name.split(".").at(-1) ?? "");
  }
  const keepsAll = <M>(
    what: string,
    name: string,
    type: Encodable<M>,
    message: M | undefined,
    except: readonly string[] = [],
  ): void => keeps(what, name, type.encode(message ?? assert.fail(`${what}: nothing`)).finish(), except);

  /** What the feed tells last of an entity. */
  async function told(
    what: string,
    database: string,
    entityId: string,
    name: string,
    except: readonly string[] = [],
  ): Promise<void> {
    const { t, db } = database === "global" ? s.globalStore : s.store;
    const { rows } = await db.statement(testCtx(), "test.newest", (at) =>
      sql<{
        generation: number;
      }>`SELECT max(generation) AS generation FROM ${t.outbox} WHERE entity_id = ${entityId}`.execute(at),
    );
    const generation = BigInt(rows[0]?.generation ?? 0);
    const entry = await until(
      async () => {
        for (let from = { afterRevision: 0n, incarnation: "" }; ;) {
          const page = await s.feed.readFeed(testCtx(), { database, ...from });
          const found = page.entries.find(
            (one) => one.entityId === entityId && one.generation === generation,
          );
          if (found !== undefined || page.revision === from.afterRevision) return found;
          from = { afterRevision: page.revision, incarnation: page.incarnation };
        }
      },
      { what: `${what} in the feed` },
    );
    keeps(`${what}, in the feed`, name, entry.payload, except);
  }

  async function recordOf(id: string): Promise<InstanceRecord> {
    const { t, db } = s.store;
    const { rows } = await db.statement(testCtx(), "test.record", (at) =>
      sql<InstanceRow>`SELECT number, server, details, user_data FROM ${t.instance} WHERE id = ${id}`.execute(
        at,
      ),
    );
    return loadRecord(rows[0] ?? assert.fail("no record"));
  }
  async function operationRow(name: string): Promise<OperationRow> {
    const { t, db } = s.store;
    const { rows } = await db.statement(testCtx(), "test.operation", (at) =>
      sql<OperationRow>`SELECT * FROM ${t.operation} WHERE id = ${name.split("/")[2] ?? ""}`.execute(at),
    );
    return rows[0] ?? assert.fail("no operation");
  }

  const aRecord = (id: string): InstanceRecord =>
    saltedAs(
      RECORD,
      InstanceRecord,
      InstanceRecord.fromPartial({
        server: aServer({
          id,
          hostInfo: { host: "h1", node: "h1", cell: "cell1" } as never,
          addresses: [{ portId: "p2", address: "10.0.0.2" } as never],
        }),
        ports: [
          { portId: "p1", addresses: [{ ipAddress: "10.0.0.1", version: 4 }] },
          { portId: "p2", addresses: [{ ipAddress: "10.0.0.2", version: 4 }] },
        ],
        records: {
          blockDevices: [{ id: "device", serverId: id, volumeId: "v", createdAt: toTimestamp(1n) }],
          migrations: [
            {
              id: randomUUID(),
              serverId: id,
              kind: MigrationKind.MIGRATION_KIND_RESIZE,
              status: "pre-migrating",
              createdAt: toTimestamp(1n),
            },
          ],
        },
      }),
    );
  /** A record's rows lie in tables of their own; they are with it only while it travels. */
  const APART = ["records"];

  /** A server whose record a newer build has written. */
  async function newerServer(): Promise<string> {
    const id = randomUUID();
    const record = aRecord(id);
    await putInstance(s.store, testCtx(), record.server ?? assert.fail(), record.ports);
    const { server, details } = storeRecord(record);
    await s.store.db.statement(testCtx(), "test.salt", (at) =>
      sql`UPDATE ${s.store.t.instance} SET server = ${server}, details = ${details} WHERE id = ${id}`.execute(
        at,
      ),
    );
    return id;
  }

  const agent = () => s.as("compute", "h1").client(HostsServiceDefinition);
  const conductor = () => s.as("conductor").client(OperationStoreServiceDefinition);
  const operator = () => s.as("operator").client(OperationStoreServiceDefinition);
  const actor = saltedAs(
    ACTOR,
    Actor,
    Actor.fromPartial({ kind: "user", userId: "u", projectId: "project" }),
  );

  async function accept(serverId: string, input = "", kind = "test.kind"): Promise<string> {
    const { operation } = await s.instances.acceptOperation(testCtx(), {
      database: "cell1",
      serverId,
      actor,
      kind,
      kindVersion: 1,
      input: Buffer.from(input),
    });
    return operation?.name ?? assert.fail("no operation");
  }
  async function acquire(name: string, database = "cell1") {
    const { operations, instances } = await conductor().acquireOperations(testCtx(), {
      database,
      owner: "a",
      kinds: [
        { kind: "test.kind", version: 1 },
        { kind: "test.beside", version: 1 },
        { kind: "server.boot", version: 1 },
      ],
      limit: 1,
      names: [name],
      ownership: { seconds: 60n, nanos: 0 },
    });
    return {
      operation: operations[0] ?? assert.fail("not acquired"),
      instance: instances[0] ?? assert.fail("no instance"),
    };
  }
  const getStored = async (name: string) =>
    (await conductor().getStoredOperation(testCtx(), { database: "cell1", name })).operation;
  const commit = (name: string, fence: bigint, wish: Partial<CommitStepRequest> = {}) =>
    conductor().commitStep(testCtx(), {
      database: "cell1",
      name,
      fence,
      state: RUNNING,
      currentStep: "one",
      ...wish,
    });

  it("stays with records through user's changes and reports of hosts", async () => {
    const id = await newerServer();
    const kept = async (what: string): Promise<void> => {
      keepsAll(what, RECORD, InstanceRecord, await recordOf(id), APART);
      await told(what, "cell1", id, SERVER);
    };
    const updated = await s.instances.updateInstance(testCtx(), {
      database: "cell1",
      server: { id, name: "renamed", pinnedAvailabilityZone: "z" },
      updateMask: ["name", "pinned_availability_zone"],
      metadata: { set: new Map([["k", "v"]]), maxItems: -1n },
      tags: { add: ["t"], maxTags: 50 },
    });
    keepsAll("answer of a user's change", RECORD, InstanceRecord, updated.instance, APART);
    await kept("user's change");
    await s
      .as("compute", "h1")
      .client(InstancesServiceDefinition)
      .saveServerPassword(testCtx(), { database: "cell1", serverId: id, serverPassword: "x" });
    await kept("password of the guest");
    await agent().reportGuest(testCtx(), {
      cell: "cell1",
      host: "h1",
      serverId: id,
      powerState: PowerState.POWER_STATE_SHUTDOWN,
      reportNumber: 1n,
    });
    assert.equal((await recordOf(id)).server?.vmState, VmState.VM_STATE_STOPPED);
    await kept("guest's report");
    await agent().reportLostPorts(testCtx(), { cell: "cell1", host: "h1", serverId: id, portIds: ["p1"] });
    assert.deepEqual(
      (await recordOf(id)).server?.addresses.map(({ address }) => address),
      ["10.0.0.2"],
    );
    await kept("lost port");
    const { instances } = await agent().listHostInstances(testCtx(), { cell: "cell1", host: "h1" });
    keepsAll(
      "what a host reads",
      RECORD,
      InstanceRecord,
      instances.find(({ server }) => server?.id === id),
      APART,
    );
  });

  it("stays with records and operations through acceptance, steps, retry and abandoning", async () => {
    const id = await newerServer();
    const name = await accept(id);
    const kept = async (what: string, except: readonly string[] = []): Promise<void> => {
      keepsAll(what, RECORD, InstanceRecord, await recordOf(id), [...except, ...APART]);
      await told(what, "cell1", id, SERVER, except);
    };
    await kept("acceptance");
    const { operation, instance } = await acquire(name);
    keepsAll("what a conductor acquires", RECORD, InstanceRecord, instance, APART);
    keepsAll("who asked", ACTOR, Actor, operation.actor);
    const step = saltedAs(
      STEP,
      StepRecord,
      StepRecord.fromPartial({ name: "one", state: "running", attempts: 1, errorReason: "BUSY" }),
    );
    const { server } = instance;
    const answer = await commit(name, operation.fence, {
      steps: [step],
      change: {
        ...InstanceChange.fromPartial({}),
        server: { ...(server ?? assert.fail()), taskState: "going-on" },
        updateMask: ["task_state", "host_info", "flavor", "image", "lock", "fault"],
        ports: instance.ports,
        replacePorts: true,
        spec: instance.spec,
        specMask: ["flavor", "image", "networks"],
        hostResources: instance.hostResources,
        replaceHostResources: true,
      },
    });
    keepsAll("answer of a step", RECORD, InstanceRecord, answer.instance, APART);
    await kept("step");
    // A newer cells service has added to what holds the steps as well.
    const { id: operationId, steps } = await operationRow(name);
    await s.store.db.statement(testCtx(), "test.salt", (at) =>
      sql`UPDATE ${s.store.t.operation} SET steps = ${salted(STEPS, steps)}, generation = generation + 1 WHERE id = ${operationId}`.execute(
        at,
      ),
    );
    const failed = saltedAs(ERROR, OperationError, OperationError.fromPartial({ reason: "BUSY" }));
    await commit(name, operation.fence, {
      steps: [{ ...step, attempts: 2 }, StepRecord.fromPartial({ name: "two", state: "running" })],
      error: failed,
      state: NEEDS_OPERATOR,
    });
    const stopped = await operationRow(name);
    keeps("steps", STEPS, stopped.steps);
    keeps("error", ERROR, stopped.error ?? assert.fail("no error"));
    await kept("end for now");
    const { operation: again } = await operator().retryOperation(testCtx(), { database: "cell1", name });
    keepsAll("answer of a retry", STEP, StepRecord, again?.steps[0]);
    keeps("steps after a retry", STEPS, (await operationRow(name)).steps);
    await kept("retry");
    await operator().abandonOperation(testCtx(), { database: "cell1", name, reason: "enough" });
    // The fault is a new one.
    await kept("abandoning", ["server.fault", "fault"]);
  });

  it("stays with operations when they end well, and when another takes over", async () => {
    const salt = async (name: string): Promise<void> => {
      const { id, other_fields } = await operationRow(name);
      await s.store.db.statement(testCtx(), "test.salt", (at) =>
        sql`UPDATE ${s.store.t.operation} SET other_fields = ${salted(OPERATION, other_fields)} WHERE id = ${id}`.execute(
          at,
        ),
      );
    };
    /** The rest of the message is in columns of its own. */
    const kept = async (what: string, name: string): Promise<StoredOperation> => {
      const { other_fields } = await operationRow(name);
      const left = saltIn(OPERATION, other_fields);
      // Of a oneof the last one that was salted is left.
      const asked = [...left].some((path) => path.startsWith("metadata."));
      assert.ok(asked && left.has("") && left.has("metadata"), `${what}: lost`);
      return StoredOperation.decode(other_fields);
    };
    const id = await newerServer();
    const victim = await accept(id);
    await salt(victim);
    const heir = await accept(id, "pre-empt");
    assert.equal((await kept("pre-emption", victim)).successor, heir);
    await salt(heir);
    const { operation } = await acquire(heir);
    await commit(heir, operation.fence, { state: OperationState.OPERATION_STATE_SUCCEEDED });
    const outcome = (await kept("success", heir)).result?.outcome;
    assert.ok(outcome?.$case === "server" && outcome.value.id === id);
  });

  it("stays with the operations of other lanes that one takes over", async () => {
    const id = await newerServer();
    const name = await accept(id, "", "test.beside");
    const { operation } = await acquire(name);
    const step = saltedAs(STEP, StepRecord, StepRecord.fromPartial({ name: "one", state: "done" }));
    await commit(name, operation.fence, { steps: [step] });
    const { id: operationId, other_fields } = await operationRow(name);
    await s.store.db.statement(testCtx(), "test.salt", (at) =>
      sql`UPDATE ${s.store.t.operation} SET other_fields = ${salted(OPERATION, other_fields)} WHERE id = ${operationId}`.execute(
        at,
      ),
    );
    const heir = await acquire(await accept(id, "join"));
    const [victim] = heir.operation.alsoPreempted;
    assert.deepEqual([victim?.name, heir.operation.preempts], [name, ""]);
    keepsAll("step of an operation of another lane", STEP, StepRecord, victim?.steps[0]);
    assert.ok(saltIn(OPERATION, victim?.otherFields ?? Buffer.alloc(0)).has(""), "lost");
  });

  it("stays with servers from their acceptance on, and with their secrets", async () => {
    const id = randomUUID();
    const request = bootRequest({ ids: [id] });
    const asked = AcceptServersRequest.decode(
      salted("kilonova.cells.v1.AcceptServersRequest", AcceptServersRequest.encode(request).finish()),
    );
    const { operations } = await s.global.acceptServers(testCtx(), asked);
    const { operation, instance } = await acquire(operations[0]?.name ?? "", "global");
    // The record itself begins here: ports are made later, and it has come from nowhere.
    keepsAll("accepted server", RECORD, InstanceRecord, instance, [
      "",
      "ports[]",
      "kept",
      "host_resources",
      ...APART,
    ]);
    keepsAll("accepted secrets", SECRETS, ServerSecrets, ServerSecrets.decode(operation.secrets));
    keepsAll("who asked", ACTOR, Actor, operation.actor);
    await told("accepted server", "global", id, SERVER);
  });

  it("stays with what is handed over to another database", async () => {
    const id = randomUUID();
    const name = `operations/${id}/${randomUUID()}`;
    const moved = saltedAs(
      OPERATION,
      StoredOperation,
      StoredOperation.fromPartial({
        name,
        kind: "test.kind",
        kindVersion: 1,
        serverId: id,
        projectId: "project",
        state: RUNNING,
        currentStep: "one",
        steps: [{ name: "one", state: "running" }],
        fence: 1n,
        generation: 3n,
      }),
    );
    const { t } = s.store;
    await conductor().prepareHandover(testCtx(), {
      database: "cell1",
      sourceDatabase: "global",
      operation: moved,
      instance: Buffer.from(InstanceRecord.encode(aRecord(id)).finish()),
      change: { server: { taskState: "networking" }, updateMask: ["task_state"] },
      fence: 1n,
    });
    const { rows } = await s.store.db.statement(testCtx(), "test.dormant", (at) =>
      sql<{
        operation: Buffer;
        instance: Buffer;
      }>`SELECT operation, instance FROM ${t.dormant_operation} WHERE server_id = ${id}`.execute(at),
    );
    keeps("dormant operation", OPERATION, rows[0]?.operation ?? Buffer.alloc(0));
    keeps("dormant record", RECORD, rows[0]?.instance ?? Buffer.alloc(0));
    const { operation, instance } = await conductor().activateHandover(testCtx(), {
      database: "cell1",
      name,
      owner: "a",
      ownership: { seconds: 60n, nanos: 0 },
      committed: { database: "global", cancelRequested: false },
    });
    // Signals stay at the source; an operation begins its life here without an error, and pre-empted none.
    // Progress is of a step here.
    const left = ["signals[]", "error", "preempted_steps[]", "also_preempted[]", "progress"];
    keepsAll("operation handed over", OPERATION, StoredOperation, operation, left);
    keepsAll("record handed over", RECORD, InstanceRecord, instance, APART);
    const ofServer = async (what: string): Promise<ServerRecords> => {
      const records = await recordsOf(s.store, testCtx(), id);
      keepsAll(what, DEVICE, BlockDeviceRecord, records.blockDevices[0]);
      keepsAll(what, MIGRATION, MigrationRecord, records.migrations[0]);
      return records;
    };
    const [migration] = (await ofServer("rows handed over")).migrations;
    await told("record handed over", "cell1", id, SERVER);
    // It is handed on: what another conductor acquires is what a hand-over copies.
    await conductor().releaseOperations(testCtx(), { database: "cell1", owner: "a" });
    const taken = await acquire(name);
    keepsAll("operation taken over", OPERATION, StoredOperation, taken.operation, left);
    await commit(name, taken.operation.fence, { steps: taken.operation.steps });
    await commit(name, taken.operation.fence, {
      change: InstanceChange.fromPartial({
        blockDevices: [{ device: { id: "device", tag: "t" } }],
        migrations: [{ migration: { id: migration?.id ?? "", status: "error" }, updateMask: ["status"] }],
      }),
    });
    const changed = await ofServer("rows after a step");
    assert.deepEqual([changed.blockDevices[0]?.tag, changed.migrations[0]?.status], ["t", "error"]);
    keepsAll("operation after a step", OPERATION, StoredOperation, await getStored(name), left);
    // Who pre-empts it has its steps, and all else that a newer build noted.
    const victim = (
      await s.instances.acceptOperation(testCtx(), {
        database: "cell1",
        serverId: id,
        actor,
        kind: "test.kind",
        kindVersion: 1,
        input: Buffer.from("pre-empt"),
      })
    ).operation?.name;
    const heir = await operationRow(victim ?? "");
    keeps("pre-empted operation", OPERATION, heir.preempted ?? Buffer.alloc(0), [...left, "actor"]);
  });

  it("stays with reports of commands", async () => {
    const id = await newerServer();
    const name = await accept(id);
    const report = saltedAs(
      REPORT,
      ReportCommandRequest,
      ReportCommandRequest.fromPartial({
        cell: "cell1",
        host: "h1",
        commandId: "c",
        operation: name,
        succeeded: true,
      }),
    );
    await agent().reportCommand(testCtx(), report);
    const [signal] = (await acquire(name)).operation.signals;
    keeps("report", REPORT, signal?.payload ?? Buffer.alloc(0));
  });

  it("stays with progress that agents tell, as long as it is shown", async () => {
    const id = await newerServer();
    const name = await accept(id);
    const { operation } = await acquire(name);
    const progress = saltedAs(
      PROGRESS,
      OperationProgress,
      OperationProgress.fromPartial({ percent: 10, phase: "disks" }),
    );
    const commandId = `${name.split("/")[2] ?? ""}/step/0`;
    const { fence } = operation;
    await agent().reportProgress(testCtx(), {
      cell: "cell1",
      host: "h1",
      operation: name,
      commandId,
      fence,
      progress,
    });
    await commit(name, fence, { state: RUNNING, currentStep: "step" });
    keepsAll("progress", PROGRESS, OperationProgress, (await getStored(name))?.progress);
  });

  it("stays with hosts through their registration and operators' changes", async () => {
    const service = saltedAs(
      SERVICE,
      HostService,
      HostService.fromPartial({ binary: "nova-compute", host: "h1", availabilityZone: "nova", address: "a" }),
    );
    const node = saltedAs(NODE, ComputeNode, ComputeNode.fromPartial({ hypervisorHostname: "h1", vcpus: 4 }));
    const { epoch, serviceId, computeNodeId } = await agent().registerHost(testCtx(), {
      cell: "cell1",
      service,
      node,
    });
    const kept = async (what: string): Promise<void> => {
      await told(what, "cell1", serviceId, SERVICE);
      await told(what, "cell1", computeNodeId, NODE);
      const { services, nodes } = await s.hosts.listHosts(testCtx(), { cell: "cell1", host: "h1" });
      keepsAll(what, SERVICE, HostService, services[0]);
      keepsAll(what, NODE, ComputeNode, nodes[0]);
    };
    await kept("registration");
    await agent().registerHost(testCtx(), { cell: "cell1", service, node, epoch });
    await kept("audit");
    await s.hosts.updateHostService(testCtx(), { cell: "cell1", serviceId, disabled: true });
    await kept("operator's change");
    const { service: conducting } = await s
      .as("conductor")
      .client(HostsServiceDefinition)
      .registerService(testCtx(), { cell: "cell1", service: { ...service, binary: "nova-conductor" } });
    keepsAll("control service", SERVICE, HostService, conducting);
  });

  it("stays with flavors, aggregates, server groups and key pairs", async () => {
    const flavor = saltedAs(FLAVOR, Flavor, Flavor.fromPartial({ id: "f", name: "f", vcpus: 1 }));
    await s.global.createStoredFlavor(testCtx(), { flavor });
    const { flavor: changed } = await s.global.updateStoredFlavor(testCtx(), {
      flavor: { id: "f", description: "d" },
      updateMask: ["description"],
      setExtraSpecs: new Map([["a:b", "c"]]),
      addProjects: ["p"],
    });
    keepsAll("flavor", FLAVOR, Flavor, changed);
    const { flavor: read } = await s.global.getStoredFlavor(testCtx(), { flavorId: "f", seeAll: true });
    keepsAll("flavor", FLAVOR, Flavor, read);
    await told("flavor", "global", "f", FLAVOR);

    const aggregate = saltedAs(AGGREGATE, Aggregate, Aggregate.fromPartial({ id: randomUUID(), name: "a" }));
    const aggregateId = aggregate.id;
    await s.aggregates.createStoredAggregate(testCtx(), { aggregate });
    const { aggregate: after } = await s.aggregates.updateStoredAggregate(testCtx(), {
      aggregateId,
      addHost: "h1",
      setMetadata: new Map([["k", "v"]]),
    });
    keepsAll("aggregate", AGGREGATE, Aggregate, after);
    await told("aggregate", "global", aggregateId, AGGREGATE);

    const group = saltedAs(
      GROUP,
      ServerGroup,
      ServerGroup.fromPartial({
        id: randomUUID(),
        name: "g",
        projectId: "project",
        policy: ServerGroupPolicy.SERVER_GROUP_POLICY_AFFINITY,
      }),
    );
    await s.groups.createStoredServerGroup(testCtx(), { serverGroup: group });
    const { serverGroups } = await s.groups.listStoredServerGroups(testCtx(), { projectId: "project" });
    keepsAll("server group", GROUP, ServerGroup, serverGroups[0]);

    const keyPair = saltedAs(KEY_PAIR, KeyPair, KeyPair.fromPartial({ userId: "u", name: "k" }));
    await s.global.createStoredKeyPair(testCtx(), { keyPair });
    const { keyPair: stored } = await s.global.getStoredKeyPair(testCtx(), { userId: "u", name: "k" });
    keepsAll("key pair", KEY_PAIR, KeyPair, stored);

    const token = saltedAs(
      CONSOLE_TOKEN,
      ConsoleToken,
      ConsoleToken.fromPartial({
        tokenHash: randomBytes(32),
        serverId: randomUUID(),
        expiresAt: toTimestamp(systemClock.now() + 60_000_000n),
      }),
    );
    await s.as("api").client(ConsoleTokenServiceDefinition).storeConsoleToken(testCtx(), { token });
    const { rows } = await s.globalStore.db.statement(testCtx(), "test.token", (db) =>
      sql<{
        body: Buffer;
      }>`SELECT body FROM ${s.globalStore.t.console_token} WHERE token_hash = ${token.tokenHash}`.execute(db),
    );
    keepsAll(
      "console token",
      CONSOLE_TOKEN,
      ConsoleToken,
      ConsoleToken.decode(rows[0]?.body ?? new Uint8Array()),
    );
  });

  it("has been looked for in every message that is stored", () => {
    const folder = join(packageRoot(), "pkg", "cells");
    const sources = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !/\.test\.ts$|^testing/.test(file))
      .map((file) => readFileSync(join(folder, file), "utf8"))
      .join("\n");
    const stored = new Set(
      [...sources.matchAll(/\b(?:encoded|otherFieldsOf)\(\s*([A-Z]\w+)|\b([A-Z]\w+)\.encode\(/g)].map(
        ([, first, second]) => first ?? second ?? "",
      ),
    );
    assert.ok(stored.size >= 10, [...stored].join(" "));
    const unproven = [...stored].filter((name) => !passed.has(name) && !DERIVED.includes(name));
    assert.deepEqual(unproven, [], "messages that are stored, and no test above puts them through");
  });
});
