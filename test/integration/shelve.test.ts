import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { ResetStateInput, ShelveInput, UnshelveInput } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import type { StoredOperation } from "../../gen/kilonova/cells/v1/operations_service.js";
import { AgentServiceDefinition } from "../../gen/kilonova/compute/v1/agent_service.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { PowerState, VmState } from "../../gen/kilonova/type/v1/server.js";
import { beginDue, offloading } from "../../pkg/cells/operations/due.js";
import { GlanceErrors } from "../../pkg/clients/glance/errors.js";
import { fakeGlance } from "../../pkg/clients/glance/testing/fake-glance.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import { vmStateWord } from "../../pkg/model/instance-states.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import { until } from "../../pkg/testkit/until.js";
import type { Cloud } from "../crash/cloud.js";
import { migrateCloud, openCloud, schemasOf } from "../crash/cloud.js";
import { act, boot, ended, operationOf, serverOf } from "../crash/requests.js";
import { dueDeps } from "./support/due-deps.js";

const HOST = "a";
const {
  OPERATION_STATE_SUCCEEDED: SUCCEEDED,
  OPERATION_STATE_FAILED: FAILED,
  OPERATION_STATE_CANCELLED: CANCELLED,
  OPERATION_STATE_PREEMPTED: PREEMPTED,
} = OperationState;
const {
  VM_STATE_ACTIVE: ACTIVE,
  VM_STATE_STOPPED: STOPPED,
  VM_STATE_PAUSED: PAUSED,
  VM_STATE_SUSPENDED: SUSPENDED,
  VM_STATE_SHELVED: SHELVED,
  VM_STATE_SHELVED_OFFLOADED: OFFLOADED,
  VM_STATE_SOFT_DELETED: SOFT_DELETED,
  VM_STATE_DELETED: DELETED,
} = VmState;
const { POWER_STATE_RUNNING: RUNNING, POWER_STATE_SHUTDOWN: SHUTDOWN } = PowerState;

interface Rule {
  readonly method: string;
  readonly failReason?: string;
  readonly failMessage?: string;
  readonly delayMs?: number;
}
const failing = (method: string): Rule => ({ method, failReason: "HYPERVISOR_FAILED", failMessage: "No." });

/** The states from which a server is shelved, and the way there. */
const WAYS: readonly (readonly [VmState, readonly string[]])[] = [
  [ACTIVE, []],
  [STOPPED, ["server.stop"]],
  [PAUSED, ["server.pause"]],
  [SUSPENDED, ["server.suspend"]],
];

describe("shelving", () => {
  const glance = fakeGlance();
  const neutron = fakeNeutron();
  const network = neutron.addNetwork({ name: "private" });
  neutron.addSubnet({ networkId: network.id });
  let isAway = false;
  let quota = false;
  let cloud: Cloud;
  before(async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`shelve_${process.pid}`);
    await migrateCloud(connection, schemas);
    cloud = await openCloud({
      connection,
      schemas,
      folder: processFolder("shelve"),
      hosts: [HOST],
      neutron,
      // A cancellation is seen when the wait for an agent is over.
      conductor: { agentWaitMs: 200 },
      glance: {
        ...glance,
        createImage: async (ctx, image) => {
          if (quota) throw GlanceErrors.IMAGE_QUOTA({});
          return glance.createImage(ctx, image);
        },
        deleteImage: async (ctx, id) => {
          if (isAway) throw GlanceErrors.IMAGE_UNAVAILABLE({});
          await glance.deleteImage(ctx, id);
        },
      },
    });
  });
  after(() => cloud.close());
  afterEach(async () => {
    isAway = false;
    quota = false;
    await script([]);
  });

  const script = async (rules: readonly Rule[]): Promise<unknown> =>
    cloud.agent(HOST, "operator").scriptFakeDriver(testCtx(), { host: HOST, rules: [...rules] });
  const server = async (way: readonly string[] = []): Promise<string> => {
    const id = randomUUID();
    await boot(cloud, { ids: [id] });
    assert.equal((await ended(cloud, id)).vmState, ACTIVE);
    for (const kind of way) await does(id, kind);
    return id;
  };
  const does = async (id: string, kind: string) => {
    await act(cloud, id, operationOf(kind));
    return ended(cloud, id);
  };
  const shelve = async (id: string) => {
    const imageId = randomUUID();
    const image = { imageId, name: "vm-shelved", owner: "project" };
    const input = ShelveInput.encode(ShelveInput.fromPartial({ image })).finish();
    const { name } = await act(cloud, id, operationOf("server.shelve"), { input });
    return { imageId, name };
  };
  const operation = async (name: string): Promise<StoredOperation | undefined> =>
    (await cloud.operations.getStoredOperation(testCtx(), { database: "", name })).operation;
  const guest = (id: string) =>
    cloud.agent(HOST, "conductor").inspectGuest(testCtx(), { host: HOST, serverId: id });
  /** How often the guest was started. */
  const boots = async (serverId: string): Promise<number> => {
    const agent = cloud.channel("api", `agent:${HOST}`).client(AgentServiceDefinition);
    const { output } = await agent.getConsoleLog(testCtx(), { host: HOST, serverId });
    return [...output.toString().matchAll(/boot \d/g)].length;
  };
  const reaches = (id: string, taskState: string): Promise<unknown> =>
    until(async () => (await serverOf(cloud, id)).taskState === taskState, {
      timeoutMs: 60_000,
      what: taskState,
    });

  for (const [from, way] of WAYS)
    it(`ends a guest that is ${vmStateWord(from)}, keeps its disk as an image, and starts it again`, async () => {
      const id = await server(way);
      assert.equal((await serverOf(cloud, id)).vmState, from);
      const { imageId, name } = await shelve(id);
      const shelved = await ended(cloud, id);
      assert.deepEqual(
        [shelved.vmState, shelved.taskState, shelved.powerState, shelved.shelving?.imageId],
        [SHELVED, "", SHUTDOWN, imageId],
      );
      assert.ok(shelved.shelving?.shelvedAt !== undefined && shelved.hostInfo?.host === HOST);
      assert.equal((await guest(id)).powerState, SHUTDOWN);
      const { status, name: called, diskFormat } = glance.images.get(imageId) ?? assert.fail("no image");
      assert.deepEqual([status, called, diskFormat], ["active", "vm-shelved", "raw"]);
      assert.equal((await operation(name))?.state, SUCCEEDED);
      const back = await does(id, "server.unshelve");
      assert.deepEqual(
        [back.vmState, back.taskState, back.powerState, back.shelving],
        [ACTIVE, "", RUNNING, undefined],
      );
      assert.equal((await guest(id)).powerState, RUNNING);
      assert.equal(glance.images.has(imageId), false);
    });

  it("shows how far it is in Nova's words", async () => {
    const id = await server();
    await script(["powerOff", "takeSnapshot", "openSnapshot"].map((method) => ({ method, delayMs: 2_000 })));
    const seen: string[] = [];
    const watched = async (): Promise<void> => {
      await until(
        async () => {
          const { taskState } = await serverOf(cloud, id);
          if (taskState !== seen.at(-1)) seen.push(taskState);
          return taskState === "";
        },
        { timeoutMs: 60_000, what: "the end of it" },
      );
    };
    await shelve(id);
    await watched();
    assert.deepEqual(seen, ["shelving", "shelving_image_pending_upload", "shelving_image_uploading", ""]);
    await script([{ method: "powerOn", delayMs: 2_000 }]);
    seen.length = 0;
    await act(cloud, id, operationOf("server.unshelve"));
    await watched();
    assert.deepEqual(seen, ["unshelving", ""]);
  });

  it("is aborted without a trace when the server is deleted, and its image goes with a shelved one", async () => {
    for (const method of ["powerOff", "takeSnapshot", "openSnapshot"]) {
      const id = await server();
      await script([{ method, delayMs: 60_000 }]);
      const { imageId, name } = await shelve(id);
      await until(async () => (await operation(name))?.currentStep === STEP_OF[method], {
        timeoutMs: 60_000,
        what: method,
      });
      assert.ok(glance.images.has(imageId));
      assert.equal((await does(id, "server.delete")).vmState, DELETED);
      assert.equal(glance.images.has(imageId), false);
      assert.equal((await operation(name))?.state, PREEMPTED);
      await script([]);
    }
    const id = await server();
    const { imageId } = await shelve(id);
    await ended(cloud, id);
    assert.equal((await does(id, "server.delete")).vmState, DELETED);
    assert.equal(glance.images.has(imageId), false);
  });

  it("leaves an image that is whole when the server is deleted right before the end", async () => {
    // Nobody else knows of it: unlike an image that somebody asked for, it goes.
    const id = await server(["server.pause"]);
    await script([{ method: "powerOff", delayMs: 60_000 }]);
    const { imageId, name } = await shelve(id);
    await until(async () => (await operation(name))?.currentStep === "let-go", {
      timeoutMs: 60_000,
      what: "the last step",
    });
    assert.equal(glance.images.get(imageId)?.status, "active");
    await does(id, "server.delete");
    assert.equal(glance.images.has(imageId), false);
  });

  it("leaves no image of another's keeping to fail a deletion", async () => {
    const id = await server();
    const { imageId } = await shelve(id);
    await ended(cloud, id);
    await glance.updateImage(testCtx(), imageId, [{ op: "set", name: "protected", value: true }]);
    assert.equal((await does(id, "server.delete")).vmState, DELETED);
    assert.equal(glance.images.has(imageId), true);
  });

  it("that fails or is cancelled leaves guests as they were", async () => {
    for (const [from, way] of WAYS)
      for (const how of ["fails", "cancelled"]) {
        const id = await server(way);
        const before = await guest(id);
        await script([
          how === "fails" ? failing("openSnapshot") : { method: "openSnapshot", delayMs: 60_000 },
        ]);
        const { imageId, name } = await shelve(id);
        if (how === "cancelled") {
          await reaches(id, "shelving_image_uploading");
          await cloud.operations.requestCancel(testCtx(), { name });
        }
        const after = await ended(cloud, id);
        await script([]);
        assert.deepEqual(
          [after.vmState, after.taskState, after.shelving, (await guest(id)).powerState],
          [from, "", undefined, before.powerState],
          `${vmStateWord(from)} ${how}`,
        );
        assert.equal(after.powerState, before.powerState);
        assert.equal(glance.images.has(imageId), false);
        assert.equal((await operation(name))?.state, how === "fails" ? FAILED : CANCELLED);
      }
  });

  it("that is cancelled while the guest shuts down has it come to its end, then starts it again", async () => {
    const id = await server();
    await script([{ method: "powerOff", delayMs: 4_000 }]);
    const { name } = await shelve(id);
    await until(async () => (await operation(name))?.currentStep === "shut-down", {
      timeoutMs: 60_000,
      what: "the guest to be told",
    });
    await cloud.operations.requestCancel(testCtx(), { name });
    const after = await ended(cloud, id);
    assert.deepEqual([after.vmState, after.powerState], [ACTIVE, RUNNING]);
    assert.equal((await operation(name))?.state, CANCELLED);
    assert.equal(await boots(id), 2);
  });

  it("is refused by the Image service before any guest is stopped", async () => {
    const id = await server();
    quota = true;
    const { name } = await shelve(id);
    await ended(cloud, id);
    const { steps, error } = (await operation(name)) ?? assert.fail("no operation");
    assert.equal(error?.reason, "IMAGE_QUOTA");
    assert.deepEqual(
      steps.map((step) => step.name),
      ["create-image"],
    );
    assert.equal((await guest(id)).powerState, RUNNING);
  });

  it("leaves a server STOPPED whose guest cannot be started again, and ACTIVE one that never went off", async () => {
    const stopped = await server();
    await script([failing("takeSnapshot"), failing("powerOn")]);
    await shelve(stopped);
    const { vmState, powerState, fault } = await ended(cloud, stopped);
    assert.deepEqual([vmState, powerState], [STOPPED, SHUTDOWN]);
    assert.ok(fault !== undefined);
    await script([]);
    assert.equal((await does(stopped, "server.start")).vmState, ACTIVE);
    const runs = await server();
    await script([failing("powerOff"), failing("powerOn")]);
    await shelve(runs);
    const after = await ended(cloud, runs);
    assert.deepEqual([after.vmState, after.powerState], [ACTIVE, RUNNING]);
  });

  it("is not ended by a start that fails: server and image stay shelved", async () => {
    const id = await server();
    const { imageId } = await shelve(id);
    await ended(cloud, id);
    await script([failing("powerOn")]);
    const { vmState, taskState, shelving, fault } = await does(id, "server.unshelve");
    assert.deepEqual([vmState, taskState, shelving?.imageId], [SHELVED, "", imageId]);
    assert.ok(fault !== undefined && glance.images.has(imageId));
    await script([]);
    assert.equal((await does(id, "server.unshelve")).vmState, ACTIVE);
  });

  it("ends without an Image service; the image then goes with the server", async () => {
    const id = await server();
    const { imageId } = await shelve(id);
    await ended(cloud, id);
    isAway = true;
    const { vmState, shelving } = await does(id, "server.unshelve");
    assert.deepEqual([vmState, shelving?.imageId], [ACTIVE, imageId]);
    isAway = false;
    await does(id, "server.delete");
    assert.equal(glance.images.has(imageId), false);
  });

  it("that is done again after a reset leaves one image", async () => {
    const id = await server();
    const first = await shelve(id);
    await ended(cloud, id);
    const input = ResetStateInput.encode({ vmState: ACTIVE }).finish();
    await act(cloud, id, operationOf("server.reset-state"), { input });
    const second = await shelve(id);
    const { vmState, shelving } = await ended(cloud, id);
    assert.deepEqual([vmState, shelving?.imageId], [SHELVED, second.imageId]);
    assert.deepEqual(
      [first, second].map(({ imageId }) => glance.images.has(imageId)),
      [false, true],
    );
  });

  it("is over when a deletion that is not for good is taken back", async () => {
    const id = await server();
    const { imageId } = await shelve(id);
    await ended(cloud, id);
    assert.equal((await does(id, "server.soft-delete")).vmState, SOFT_DELETED);
    assert.ok(glance.images.has(imageId));
    const { vmState, shelving } = await does(id, "server.restore");
    assert.deepEqual([vmState, shelving], [ACTIVE, undefined]);
    assert.equal(glance.images.has(imageId), false);
  });

  describe("and leaving the host", () => {
    const shelved = async (): Promise<{ id: string; imageId: string }> => {
      const id = randomUUID();
      await boot(cloud, { ids: [id], networks: [{ networkId: network.id }] });
      await ended(cloud, id);
      const { imageId } = await shelve(id);
      assert.equal((await ended(cloud, id)).vmState, SHELVED);
      return { id, imageId };
    };
    const unshelve = async (id: string) => {
      const input = UnshelveInput.encode(UnshelveInput.fromPartial({ offloaded: true })).finish();
      await act(cloud, id, operationOf("server.unshelve"), { input });
      return ended(cloud, id);
    };
    const claims = async (consumerId: string): Promise<number> =>
      (await cloud.placement.getAllocations(testCtx(), { consumerId })).consumers.length;
    const bindings = (id: string): string[] =>
      [...neutron.ports.values()].flatMap(({ deviceId, bindingHostId }) =>
        deviceId === id ? [bindingHostId ?? ""] : [],
      );

    it("leaves nothing there but what comes back, and comes back", async () => {
      const { id, imageId } = await shelved();
      const { vmState, hostInfo, addresses } = await does(id, "server.offload");
      assert.deepEqual([vmState, hostInfo?.host ?? "", addresses.length], [OFFLOADED, "", 1]);
      assert.deepEqual([(await guest(id)).defined, await claims(id), bindings(id)], [false, 0, [""]]);
      const back = await unshelve(id);
      assert.deepEqual([back.vmState, back.hostInfo?.host, back.addresses], [ACTIVE, HOST, addresses]);
      assert.deepEqual(
        [(await guest(id)).powerState, await claims(id), bindings(id), glance.images.has(imageId)],
        [RUNNING, 1, [HOST], false],
      );
    });

    it("keeps a server offloaded that no host takes, and can be asked again", async () => {
      const { id } = await shelved();
      await does(id, "server.offload");
      await script([failing("define")]);
      const { vmState, hostInfo, fault } = await unshelve(id);
      assert.deepEqual([vmState, hostInfo?.host ?? "", fault !== undefined], [OFFLOADED, "", true]);
      assert.deepEqual([await claims(id), bindings(id)], [0, [""]]);
      await script([]);
      assert.equal((await unshelve(id)).vmState, ACTIVE);
    });

    it("is deleted like any other", async () => {
      const { id, imageId } = await shelved();
      await does(id, "server.offload");
      assert.equal((await does(id, "server.delete")).vmState, DELETED);
      assert.deepEqual([bindings(id), glance.images.has(imageId)], [[], false]);
    });

    it("happens by itself after a while, and is tried again only after a pause", async () => {
      const deps = dueDeps(cloud);
      const [cell] = cloud.stores.filter(({ name }) => name === "cell1");
      const work = offloading(3_600);
      const now = offloading(0);
      assert.ok(cell !== undefined && work !== undefined && now !== undefined);
      assert.equal(offloading(-1), undefined);
      // What other tests have left.
      await beginDue(cell, deps, now, testCtx());
      const { id } = await shelved();
      assert.equal((await beginDue(cell, deps, work, testCtx())).begun, 0);
      await script([failing("remove")]);
      assert.equal((await beginDue(cell, deps, now, testCtx())).begun, 1);
      await until(async () => (await serverOf(cloud, id)).taskState === "shelving_offloading", {
        timeoutMs: 60_000,
        what: "it to be begun",
      });
      assert.equal((await beginDue(cell, deps, now, testCtx())).begun, 0);
      await script([]);
      assert.equal((await ended(cloud, id)).vmState, OFFLOADED);
      const second = (await shelved()).id;
      await act(cloud, second, operationOf("server.lock"));
      // It has changed since it was shelved: not for a minute.
      assert.equal((await beginDue(cell, deps, now, testCtx())).begun, 0);
    });
  });

  it("shuts everything else out but what ends it", async () => {
    const id = await server();
    await shelve(id);
    await ended(cloud, id);
    for (const kind of ["stop", "start", "pause", "suspend", "rescue", "create-image", "rebuild", "shelve"])
      await assert.rejects(act(cloud, id, operationOf(`server.${kind}`)), { reason: "INVALID_STATE" }, kind);
  });
});

const STEP_OF: Readonly<Record<string, string>> = {
  powerOff: "shut-down",
  takeSnapshot: "snapshot-disk",
  openSnapshot: "upload-image",
};
