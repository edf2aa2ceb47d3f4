import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { sql } from "../../pkg/cells/store/sql.js";
import { ServerGroupStoreServiceDefinition } from "../../gen/kilonova/cells/v1/server_groups_service.js";
import { ServerGroupPolicy } from "../../gen/kilonova/api/v1/server_groups_service.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import { KilonovaError } from "../../pkg/kernel/index.js";
import { isLive } from "../../pkg/model/operation-states.js";
import { BOOT_WITH_VOLUMES } from "../../pkg/model/operations/boot-server.js";
import { VICTIM_AT_REST } from "../../pkg/model/signals.js";
import { operationOf } from "./requests.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { until } from "../../pkg/testkit/until.js";
import type { Cloud } from "./cloud.js";
import { migrateCloud, openCloud, schemasOf } from "./cloud.js";
import { act, bootRequest, ended, serverOf } from "./requests.js";
import { DisturbedCalls, WAYS } from "./disturbed-calls.js";
import type { CallName, Way } from "./disturbed-calls.js";

const HOST = "del-1";
const GROUP = "6e000000-0000-4000-8000-000000000001";
/** Stores what a step has done: the calls before it are the step's. */
const COMMITS = new Set(["commitStep", "commitHandover"]);
/** Steps that make no call at first: the commit of the hand-over before them is theirs too. */
const WITH_THE_HAND_OVER = new Set(["claim-host"]);

/**
 * Servers deleted around every call that their boot makes to anything. The calls are learnt from an
 * undisturbed run, so that a new step or a new call of one is tried without new code.
 */
describe("a server that is deleted during its boot", function () {
  this.timeout(120_000);
  const neutron = fakeNeutron();
  const network = neutron.addNetwork({ name: "private" });
  neutron.addSubnet({ networkId: network.id });
  const calls = new DisturbedCalls();
  const folder = mkdtempSync("/tmp/kilonova-deletes-");
  const usersPorts = new Set<string>();
  let cloud: Cloud;
  before(async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`deletes_${process.pid}`);
    await migrateCloud(connection, schemas);
    cloud = await openCloud({
      connection,
      schemas,
      folder,
      hosts: [HOST],
      neutron,
      tap: calls,
      // Nobody dies here: a busy machine must not make a living owner look dead.
      conductor: { maxOperations: 1_000, ownershipMs: 60_000 },
    });
    const groups = cloud.channel("api", "cells").client(ServerGroupStoreServiceDefinition);
    await groups.createStoredServerGroup(testCtx(), {
      serverGroup: {
        id: GROUP,
        name: "together",
        projectId: "project",
        userId: "user",
        policy: ServerGroupPolicy.SERVER_GROUP_POLICY_AFFINITY,
      },
    });
  });
  after(async () => {
    await cloud.close();
    rmSync(folder, { recursive: true });
  });

  /**
   * Asks for a server with a port of its own, one of its user's, in a group. @returns its id, which names its
   * requests too
   */
  async function boot(id = randomUUID()): Promise<string> {
    const given = neutron.addPort({ networkId: network.id, name: "mine" });
    usersPorts.add(given.id);
    const request = bootRequest({ ids: [id], networks: [{ networkId: network.id }, { portId: given.id }] });
    for (const { spec } of request.servers) if (spec !== undefined) spec.serverGroupId = GROUP;
    await cloud.global.acceptServers(testCtx({ requestId: bootOf(id) }), request);
    return id;
  }
  const bootOf = (id: string): string => `req-boot-${id}`;
  const deletionOf = (id: string): string => `req-delete-${id}`;
  const remove = (id: string) => act(cloud, id, operationOf("server.delete"), { requestId: deletionOf(id) });
  const operationsOf = async (id: string) =>
    (await cloud.operations.listStoredOperations(testCtx(), { serverId: id })).operations;

  /** Deletes, from wherever the server is: it may be on its way to another database. */
  const removed = (id: string): Promise<unknown> =>
    until(() => remove(id), { timeoutMs: 60_000, what: "the deletion to be accepted" });

  /**
   * Resolves when the deletion has ended, waits for the boot, or cannot be accepted before the boot goes on.
   * @returns whether it was accepted
   */
  async function deletionCameFar(id: string): Promise<boolean> {
    try {
      await remove(id);
    } catch (error) {
      if (
        error instanceof KilonovaError &&
        (error.reason === "SERVER_MOVED" || error.reason === "SERVER_NOT_FOUND")
      )
        return false;
      throw error;
    }
    await until(
      async () => {
        const [newest] = await operationsOf(id);
        return (
          newest?.kind === "server.delete" && (!isLive(newest.state) || newest.waitingFor === VICTIM_AT_REST)
        );
      },
      { timeoutMs: 60_000, what: "the deletion to come as far as it can" },
    );
    return true;
  }

  /** Nothing works on the server any more, and its record says that it is gone. */
  async function gone(id: string, what: string): Promise<void> {
    const restless = async (): Promise<unknown[]> => [
      ...(await operationsOf(id))
        .filter(({ state, owner }) => isLive(state) || owner !== "")
        .map(({ kind, state, owner, currentStep, waitingFor }) => ({
          kind,
          state,
          owner,
          currentStep,
          waitingFor,
        })),
      ...[bootOf(id), deletionOf(id)].filter((requestId) => calls.underway(requestId) !== 0),
    ];
    await until(async () => (await restless()).length === 0, {
      timeoutMs: 60_000,
      what: "everything to come to rest",
    }).catch(async (error: unknown) => {
      throw new Error(`${what}: ${JSON.stringify(await restless())}`, { cause: error });
    });
    assert.equal((await serverOf(cloud, id)).vmState, VmState.VM_STATE_DELETED);
    const states = (await operationsOf(id)).map(({ kind, state }) => [kind, state] as const);
    assert.deepEqual(states[0], ["server.delete", OperationState.OPERATION_STATE_SUCCEEDED]);
  }

  const count = async (store: Cloud["stores"][number], query: ReturnType<typeof sql>): Promise<unknown> =>
    (await store.db.statement(testCtx(), "test.count", (db) => query.execute(db))).rows;

  /** What there is of anything, of whatever server: each list must be empty. */
  async function leftovers(ids: readonly string[]): Promise<Record<string, unknown>> {
    const inDatabases = await Promise.all(
      cloud.stores.flatMap(({ name, t }, index) => {
        const store = cloud.stores[index];
        return store === undefined
          ? []
          : [
              [
                "operations",
                sql`SELECT kind, state, owner FROM ${t.operation} WHERE ready_at IS NOT NULL OR owner <> ''`,
              ],
              ["dormant", sql`SELECT operation_id FROM ${t.dormant_operation}`],
              ["records", sql`SELECT id, vm_state FROM ${t.instance} WHERE deleted_at IS NULL`],
              ["secrets", sql`SELECT kind FROM ${t.operation} WHERE secrets IS NOT NULL`],
            ].map(
              async ([what, query]) =>
                [`${name} ${String(what)}`, await count(store, query as ReturnType<typeof sql>)] as const,
            );
      }),
    );
    const [global] = cloud.stores;
    assert.ok(global !== undefined);
    const groups = cloud.channel("conductor", "cells").client(ServerGroupStoreServiceDefinition);
    const { serverGroup, memberHosts } = await groups.getStoredServerGroup(testCtx(), {
      serverGroupId: GROUP,
    });
    const allocations: string[] = [];
    const guests: string[] = [];
    for (const id of ids) {
      const { consumers } = await cloud.placement.getAllocations(testCtx(), { consumerId: id });
      if (consumers.some((one) => one.allocations.length > 0)) allocations.push(id);
      if (
        (await cloud.agent(HOST, "conductor").inspectGuest(testCtx(), { host: HOST, serverId: id })).defined
      )
        guests.push(id);
    }
    return {
      ...Object.fromEntries(inDatabases),
      allocations,
      guests,
      members: serverGroup?.memberIds,
      memberHosts,
      ports: [...neutron.ports.values()].filter(
        ({ id, deviceId, bindingHostId }) => !usersPorts.has(id) || deviceId !== "" || bindingHostId !== "",
      ),
      lostPorts: [...usersPorts].filter((id) => !neutron.ports.has(id)),
      holdings: await count(global, sql`SELECT * FROM ${global.t.quota_holding}`),
      usage: await count(
        global,
        sql`SELECT instances, cores, ram FROM ${global.t.quota_usage} WHERE instances <> 0 OR cores <> 0 OR ram <> 0`,
      ),
    };
  }
  async function assertNothingLeft(cases: ReadonlyMap<string, string>): Promise<void> {
    // Copies of a hand-over are swept up a while later, whatever became of the server.
    await until(
      async () =>
        (
          await Promise.all(
            cloud.stores.map((store) => count(store, sql`SELECT 1 FROM ${store.t.dormant_operation}`)),
          )
        ).flat().length === 0,
      { timeoutMs: 60_000, what: "copies to be swept up" },
    );
    const found = Object.entries(await leftovers([...cases.keys()])).filter(
      ([, list]) => !Array.isArray(list) || list.length > 0,
    );
    const named = [...cases].filter(([id]) => JSON.stringify(found).includes(id)).map(([, what]) => what);
    assert.deepEqual(
      [named, found],
      [[], []],
      `left by ${named.join("; ")}: ${found.map(([what]) => what).join(", ")}`,
    );
  }

  /** Of a boot, the one without volumes. */
  const stepsOf = (kind: string): string[] =>
    cloud.conductor.kinds
      .find((one) => one.kind === kind && one.version !== BOOT_WITH_VOLUMES)
      ?.steps.map(({ name }) => name) ?? assert.fail(kind);

  /**
   * The calls of an undisturbed run, each with the step that makes it. Every step of the kind makes one at
   * least, its commit, but for those that the hand-over has done.
   */
  function byStep(kind: string, requestId: string): (CallName & { step: string })[] {
    const steps = stepsOf(kind).filter((step) => !WITH_THE_HAND_OVER.has(step));
    let at = 0;
    const named = calls
      .of(requestId)
      .map((call) => ({ ...call, step: steps[COMMITS.has(call.method) ? at++ : at] ?? "the end" }));
    assert.deepEqual(
      [...new Set(named.map(({ step }) => step))].filter((step) => step !== "the end"),
      steps,
    );
    return named;
  }

  /** The calls of an undisturbed boot. */
  async function undisturbed(): Promise<(CallName & { step: string })[]> {
    const id = await boot();
    assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_ACTIVE);
    await removed(id);
    await gone(id, "undisturbed");
    return byStep("server.boot", bootOf(id));
  }

  const label = (call: CallName & { step: string }, way: Way): string =>
    `${call.step}: ${call.method} ${call.nth}, ${way}`;

  for (const way of WAYS) {
    it(`leaves nothing, whatever call of the boot it meets: ${way}`, async () => {
      const made = await undisturbed();
      const cases = made.map((call) => ({ id: randomUUID(), what: label(call, way), call }));
      const held = cases.map(({ id, call }) => calls.disturb(bootOf(id), call, way));
      await Promise.all(cases.map(({ id }) => boot(id)));
      const missing = new Set(cases.map(({ what }) => what));
      for (const [index, { reached }] of held.entries())
        void reached.then(() => missing.delete(cases[index]?.what ?? ""));
      await until(() => missing.size === 0, {
        timeoutMs: 60_000,
        what: "all boots to come to the call meant for them",
      }).catch((error: unknown) => {
        for (const one of held) one.release();
        throw new Error(`never came: ${[...missing].join("; ")}`, { cause: error });
      });
      await Promise.all(
        cases.map(async ({ id, what }, index) => {
          const accepted = await deletionCameFar(id);
          held[index]?.release();
          if (!accepted) await removed(id);
          await gone(id, what);
        }),
      );
      await assertNothingLeft(new Map(cases.map(({ id, what }) => [id, what])));
    });
  }
});
