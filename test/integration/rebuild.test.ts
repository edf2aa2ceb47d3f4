import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RebuildInput } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import { MigrationKind } from "../../gen/kilonova/cells/v1/server_records.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import type { Operation } from "../../gen/kilonova/type/v1/operation.js";
import { PowerState, VmState } from "../../gen/kilonova/type/v1/server.js";
import { ServerSecrets } from "../../gen/kilonova/type/v1/server_spec.js";
import { sql } from "../../pkg/cells/store/sql.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import type { FakeGuest } from "../../pkg/compute/drivers/fake/guest-file.js";
import { isLive } from "../../pkg/model/operation-states.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import { until } from "../../pkg/testkit/until.js";
import type { Cloud } from "../crash/cloud.js";
import { migrateCloud, openCloud, schemasOf } from "../crash/cloud.js";
import { act, boot, databaseOf, ended, operationOf, serverOf } from "../crash/requests.js";

const HOST = "a";
const OTHER = "1a000000-0000-4000-8000-000000000002";
const { VM_STATE_ACTIVE: ACTIVE, VM_STATE_STOPPED: STOPPED, VM_STATE_ERROR: ERROR } = VmState;
const actor = { kind: "user", userId: "user", projectId: "project", roles: ["member"] };
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** What the api makes of a request for another image, a name, a description, metadata, and user data. */
const wanted = (over: Partial<RebuildInput> = {}, properties: Record<string, string> = {}): RebuildInput =>
  RebuildInput.fromPartial({
    server: {
      image: { id: OTHER, properties: new Map([["made", "anew"]]) },
      name: "anew",
      description: "again",
      hasDescription: true,
      metadata: new Map([["k", "new"]]),
      keyName: "key",
    },
    serverMask: ["image", "name", "description", "metadata", "key_name"],
    spec: {
      image: { id: OTHER, diskFormat: "qcow2", properties: new Map(Object.entries(properties)) },
      keyName: "key",
      publicKey: "ssh-ed25519 AAAA",
      keyType: "ssh",
    },
    specMask: ["image", "kernel", "ramdisk", "key_name", "public_key", "key_type"],
    newUserData: true,
    otherImage: true,
    ...over,
  });

/** From the acceptance to the hypervisor, into every trap of docs/contributor/evacuate-vs-rebuild.md. */
describe("a rebuild", () => {
  const folder = processFolder("rebuild");
  let cloud: Cloud;
  before(async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`rebuild_${process.pid}`);
    await migrateCloud(connection, schemas);
    const neutron = fakeNeutron();
    cloud = await openCloud({
      connection,
      schemas,
      folder,
      hosts: [HOST],
      neutron,
      conductor: { agentWaitMs: 200 },
    });
  });
  after(() => cloud.close());
  afterEach(() => script([]));

  const script = (rules: { method: string; delayMs?: number; failReason?: string; times?: number }[]) =>
    cloud.agent(HOST, "operator").scriptFakeDriver(testCtx(), { host: HOST, rules });
  const active = async (): Promise<string> => {
    const id = randomUUID();
    await boot(cloud, { ids: [id], flavor: { ephemeralGib: 1 } });
    assert.equal((await ended(cloud, id)).vmState, ACTIVE);
    return id;
  };
  const rebuild = async (serverId: string, input = wanted(), userData = "#!new"): Promise<Operation> => {
    const { operation } = await cloud.instances.acceptOperation(testCtx(), {
      database: await databaseOf(cloud, serverId),
      serverId,
      actor,
      kind: "server.rebuild",
      kindVersion: 1,
      input: Buffer.from(RebuildInput.encode(input).finish()),
      secrets: Buffer.from(
        ServerSecrets.encode({ adminPassword: "s3cret", userData: base64(userData), userToken: "" }).finish(),
      ),
      method: "RebuildServer",
    });
    return operation ?? assert.fail("no operation");
  };
  const operation = async (name: string) =>
    (await cloud.operations.getStoredOperation(testCtx(), { name })).operation ?? assert.fail("none");
  const over = (name: string) =>
    until(async () => {
      const found = await operation(name);
      return !isLive(found.state) && found;
    });
  const held = async (consumerId: string) =>
    (await cloud.placement.getAllocations(testCtx(), { consumerId })).consumers;
  const record = async (serverId: string) =>
    (await cloud.instances.getInstance(testCtx(), { database: "cell1", serverId, withUserData: true }))
      .instance ?? assert.fail("no record");
  /** The guest as its hypervisor has written it down. */
  const guest = (serverId: string): FakeGuest => {
    const [found] = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
      path.endsWith(`${serverId}.json`),
    );
    return JSON.parse(readFileSync(join(folder, found ?? assert.fail("no guest")), "utf8")) as FakeGuest;
  };
  const prepared = (serverId: string): boolean =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).some((path) =>
      path.endsWith(`${serverId}.next`),
    );
  /** Everything of a server that a rebuild must not touch, whatever becomes of it. */
  const untouched = async (serverId: string) => {
    const { instance } = await cloud.instances.getInstance(testCtx(), { database: "cell1", serverId });
    return {
      held: await held(serverId),
      host: instance?.server?.hostInfo?.host,
      addresses: instance?.server?.addresses,
      number: instance?.number,
    };
  };

  /** An evacuation that somebody once accepted, and nobody ended. */
  const stale = async (serverId: string): Promise<void> => {
    const { operation: stop } = await cloud.instances.acceptOperation(testCtx(), {
      database: "cell1",
      serverId,
      actor,
      kind: "server.reboot",
      kindVersion: 1,
      method: "RebootServer",
      change: {
        migrations: [
          {
            create: true,
            migration: {
              id: randomUUID(),
              kind: MigrationKind.MIGRATION_KIND_EVACUATION,
              source: { host: HOST },
            },
          },
        ],
      },
    });
    assert.ok(stop);
    await over(stop.name);
  };

  it("makes the guest anew on its host, and changes the record with the disk", async () => {
    const id = await active();
    const [before, old] = [await untouched(id), guest(id)];
    const { name, metadata } = await rebuild(id);
    assert.deepEqual(metadata?.asked, {
      $case: "rebuildServer",
      value: { imageId: OTHER, preserveEphemeral: false },
    });
    const server = await ended(cloud, id);
    assert.equal((await operation(name)).state, OperationState.OPERATION_STATE_SUCCEEDED);
    assert.deepEqual(await untouched(id), before);
    assert.deepEqual(
      [server.vmState, server.powerState, server.taskState, server.name, server.description, server.keyName],
      [ACTIVE, PowerState.POWER_STATE_RUNNING, "", "anew", "again", "key"],
    );
    assert.deepEqual([server.image?.id, server.hasDescription], [OTHER, true]);
    assert.deepEqual([...server.metadata], [["k", "new"]]);
    const { spec, server: withUserData } = await record(id);
    assert.deepEqual(
      [spec?.image?.id, spec?.publicKey, withUserData?.userData],
      [OTHER, "ssh-ed25519 AAAA", base64("#!new")],
    );
    const now = guest(id);
    assert.deepEqual(
      [now.rootDisk, now.ephemeralDisk, now.starts, now.powerState],
      [old.rootDisk + 1, old.ephemeralDisk + 1, old.starts + 1, "RUNNING"],
    );
    assert.match(now.digest, new RegExp(OTHER));
    assert.equal(prepared(id), false);
  });

  it("shows Nova's task states, and its action", async () => {
    const id = await active();
    await script([
      { method: "prepareRebuild", delayMs: 2_000 },
      { method: "powerOn", delayMs: 2_000 },
    ]);
    const { name } = await rebuild(id);
    assert.equal((await serverOf(cloud, id)).taskState, "rebuilding");
    const seen = new Set<string>();
    await until(
      async () => {
        const { taskState } = await serverOf(cloud, id);
        if (taskState !== "") seen.add(taskState);
        return !isLive((await operation(name)).state);
      },
      { timeoutMs: 60_000, everyMs: 10 },
    );
    assert.ok(seen.has("rebuild_block_device_mapping") && seen.has("rebuild_spawning"), [...seen].join());
    const { actions } = await cloud.instances.listActions(testCtx(), {
      database: "cell1",
      query: { serverId: id },
    });
    assert.equal(actions[0]?.action, "rebuild");
    const { action } = await cloud.instances.getAction(testCtx(), {
      database: "cell1",
      serverId: id,
      requestId: actions[0]?.requestId ?? "",
    });
    assert.deepEqual(
      action?.events.map(({ event, result }) => [event, result]),
      [
        ["rebuild_server", "Success"],
        ["compute_rebuild_instance", "Success"],
        ["compute_replace_disks", "Success"],
        ["compute_spawn_guest", "Success"],
      ],
    );
  });

  it("keeps an ephemeral disk that it is told to keep, and user data that it is not told to change", async () => {
    const id = await active();
    const old = guest(id);
    await rebuild(id, wanted({ preserveEphemeral: true, newUserData: false }));
    await ended(cloud, id);
    const now = guest(id);
    assert.deepEqual([now.rootDisk, now.ephemeralDisk], [old.rootDisk + 1, old.ephemeralDisk]);
    assert.equal((await record(id)).server?.userData, "IyEvYmluL3No");
  });

  it("leaves a stopped server stopped, without ever starting it", async () => {
    const id = await active();
    await act(cloud, id, operationOf("server.stop"));
    await ended(cloud, id);
    const { starts, rootDisk } = guest(id);
    await rebuild(id);
    const server = await ended(cloud, id);
    assert.deepEqual(
      [server.vmState, server.powerState, server.image?.id],
      [STOPPED, PowerState.POWER_STATE_SHUTDOWN, OTHER],
    );
    assert.deepEqual([guest(id).starts, guest(id).rootDisk], [starts, rootDisk + 1]);
    await act(cloud, id, operationOf("server.start"));
    assert.equal((await ended(cloud, id)).vmState, ACTIVE);
  });

  it("changes nothing when the host is none for the image, and says so in Nova's words", async () => {
    const id = await active();
    const [before, old] = [await untouched(id), guest(id)];
    const { name } = await rebuild(id, wanted({}, { hw_architecture: "aarch64" }));
    const { state, error } = await over(name);
    assert.equal(state, OperationState.OPERATION_STATE_FAILED);
    assert.equal(error?.reason, "NO_VALID_HOST");
    assert.match(error?.message ?? "", /^No valid host was found\./);
    const server = await serverOf(cloud, id);
    assert.deepEqual(
      [server.vmState, server.taskState, server.name, server.image?.id, server.fault?.reason],
      [ACTIVE, "", "vm", undefined, "NO_VALID_HOST"],
    );
    assert.deepEqual([await untouched(id), guest(id)], [before, old]);
  });

  it("does not ask the scheduler about an image that is the same", async () => {
    const id = await active();
    const input = wanted({ otherImage: false }, { hw_architecture: "aarch64" });
    await rebuild(id, input);
    assert.equal((await ended(cloud, id)).name, "anew");
  });

  it("refuses an image whose traits its host lacks", async () => {
    const id = await active();
    const { name } = await rebuild(id, wanted({}, { "trait:CUSTOM_NOWHERE": "required" }));
    const { error } = await over(name);
    assert.equal(error?.reason, "NO_VALID_HOST");
    assert.match(error?.message ?? "", /Image traits cannot be satisfied by the current resource providers/);
    assert.equal((await serverOf(cloud, id)).vmState, ACTIVE);
  });

  it("changes nothing when the new disks cannot be made: the guest runs on", async () => {
    const id = await active();
    const [before, old] = [await untouched(id), guest(id)];
    await script([{ method: "prepareRebuild", failReason: "TOOL_FAILED" }]);
    const { name } = await rebuild(id);
    assert.equal((await over(name)).error?.reason, "TOOL_FAILED");
    const server = await serverOf(cloud, id);
    assert.deepEqual(
      [server.vmState, server.taskState, server.name, server.fault?.reason],
      [ACTIVE, "", "vm", "TOOL_FAILED"],
    );
    assert.equal((await record(id)).server?.userData, "IyEvYmluL3No");
    assert.deepEqual([await untouched(id), guest(id), prepared(id)], [before, old, false]);
  });

  it("is cancelled without a trace while the new disks are made", async () => {
    const id = await active();
    const old = guest(id);
    await script([{ method: "prepareRebuild", delayMs: 60_000 }]);
    const { name } = await rebuild(id);
    await until(async () => (await operation(name)).waitingFor !== "");
    await cloud.operations.requestCancel(testCtx(), { database: "", name });
    assert.equal((await over(name)).state, OperationState.OPERATION_STATE_CANCELLED);
    const server = await serverOf(cloud, id);
    assert.deepEqual([server.vmState, server.name], [ACTIVE, "vm"]);
    assert.deepEqual([guest(id), prepared(id)], [old, false]);
  });

  it("is not cut short while the disks change places: then the server is off, and new", async () => {
    const id = await active();
    await script([{ method: "rebuild", delayMs: 4_000 }]);
    const { name } = await rebuild(id);
    await until(async () => (await operation(name)).currentStep === "replace-disks");
    await cloud.operations.requestCancel(testCtx(), { database: "", name });
    assert.equal((await over(name)).state, OperationState.OPERATION_STATE_CANCELLED);
    const server = await serverOf(cloud, id);
    assert.deepEqual([server.vmState, server.name, server.taskState], [STOPPED, "anew", ""]);
    assert.deepEqual([guest(id).rootDisk, guest(id).powerState], [2, "SHUTDOWN"]);
    await act(cloud, id, operationOf("server.start"));
    assert.equal((await ended(cloud, id)).vmState, ACTIVE);
  });

  it("is not cut short while the new guest starts: there is no way back", async () => {
    const id = await active();
    await script([{ method: "powerOn", delayMs: 4_000 }]);
    const { name } = await rebuild(id);
    await until(async () => {
      const { currentStep, waitingFor } = await operation(name);
      return currentStep === "spawn-guest" && waitingFor !== "";
    });
    await cloud.operations.requestCancel(testCtx(), { database: "", name });
    assert.equal((await over(name)).state, OperationState.OPERATION_STATE_SUCCEEDED);
    assert.deepEqual([(await serverOf(cloud, id)).vmState, guest(id).powerState], [ACTIVE, "RUNNING"]);
  });

  it("ends in ERROR when the disks cannot change places, with what the server holds", async () => {
    const id = await active();
    const before = await untouched(id);
    await script([{ method: "rebuild", failReason: "HYPERVISOR_FAILED" }]);
    await rebuild(id);
    const server = await ended(cloud, id);
    assert.deepEqual([server.vmState, server.fault?.reason], [ERROR, "HYPERVISOR_FAILED"]);
    assert.deepEqual([await untouched(id), prepared(id)], [before, false]);
  });

  it("ends in ERROR when the new guest does not start, and another rebuild mends it", async () => {
    const id = await active();
    const before = await untouched(id);
    await script([{ method: "powerOn", failReason: "HYPERVISOR_FAILED", times: 1 }]);
    await rebuild(id);
    const broken = await ended(cloud, id);
    assert.deepEqual(
      [broken.vmState, broken.fault?.reason, broken.image?.id, broken.taskState],
      [ERROR, "HYPERVISOR_FAILED", OTHER, ""],
    );
    assert.deepEqual(await untouched(id), before);
    await rebuild(id, wanted({ otherImage: false }));
    const mended = await ended(cloud, id);
    assert.deepEqual([mended.vmState, mended.fault], [ACTIVE, undefined]);
    assert.deepEqual(await untouched(id), before);
  });

  it("has nothing to do with an evacuation that was begun and never ended", async () => {
    const id = await active();
    const cell = cloud.stores.find((store) => store.name === "cell1") ?? assert.fail();
    const rows = async () =>
      (
        await cell.db.statement(testCtx(), "test.migrations", (db) =>
          sql`SELECT * FROM ${cell.t.migration} WHERE server_id = ${id}`.execute(db),
        )
      ).rows;
    await stale(id);
    const before = await rows();
    assert.deepEqual(
      before.map((one) => (one as { status: string }).status),
      ["accepted"],
    );
    await rebuild(id);
    assert.equal((await ended(cloud, id)).vmState, ACTIVE);
    await script([{ method: "powerOn", failReason: "HYPERVISOR_FAILED", times: 1 }]);
    await rebuild(id, wanted({ otherImage: false }));
    assert.equal((await ended(cloud, id)).vmState, ERROR);
    assert.deepEqual(await rows(), before);
  });

  it("gives way to a deletion at any time, which leaves nothing", async () => {
    for (const method of ["prepareRebuild", "rebuild", "powerOn"]) {
      const id = await active();
      await script([{ method, delayMs: 4_000 }]);
      const { name } = await rebuild(id);
      await until(async () => (await operation(name)).waitingFor !== "");
      await act(cloud, id, operationOf("server.delete"));
      assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_DELETED, method);
      assert.deepEqual([await held(id), prepared(id)], [[], false], method);
    }
  });
});
