import { join } from "node:path";
import { ServerRecordsServiceDefinition } from "../../gen/kilonova/cells/v1/server_records_service.js";
import { sql } from "../../pkg/cells/store/sql.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";
import type { Store } from "../../pkg/cells/store/tables.js";
import { Quiesce } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import { BlockDeviceDestination, BlockDeviceSource } from "../../gen/kilonova/type/v1/block_device.js";
import type { BlockDevice } from "../../gen/kilonova/type/v1/block_device.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import type { Cloud, Schemas } from "./cloud.js";
import { migrateCloud, openCloud } from "./cloud.js";
import { diskCinder, NEW_VOLUME, VOLUME } from "./disk-cinder.js";
import { diskGlance, REFUSED } from "./disk-glance.js";
import { diskNeutron, NETWORK } from "./disk-neutron.js";
import { act, actOnSubject, boot, ended, operationOf } from "./requests.js";
import { FAKE_METHODS } from "../../pkg/compute/drivers/fake/index.js";
import type { FakeMethod } from "../../pkg/compute/drivers/fake/index.js";
import { exampleInput, subjectOf } from "../../pkg/model/operation-declaration.js";
import type { OperationDeclaration } from "../../pkg/model/operation-declaration.js";
import { catalogue } from "../../pkg/model/operation-catalogue.js";
import attachVolume from "../../pkg/model/operations/attach-volume.js";
import detachVolume from "../../pkg/model/operations/detach-volume.js";
import confirmServerResize from "../../pkg/model/operations/confirm-server-resize.js";
import createServerImage from "../../pkg/model/operations/create-server-image.js";
import migrateServer from "../../pkg/model/operations/migrate-server.js";
import offloadServer from "../../pkg/model/operations/offload-server.js";
import rebuildServer from "../../pkg/model/operations/rebuild-server.js";
import resizeServer from "../../pkg/model/operations/resize-server.js";
import revertServerResize from "../../pkg/model/operations/revert-server-resize.js";
import shelveServer from "../../pkg/model/operations/shelve-server.js";
import unshelveServer from "../../pkg/model/operations/unshelve-server.js";
import { anyOperation } from "../../pkg/model/operation-declaration.js";
import type { Scenario } from "./scenario.js";
import { wayTo } from "./way-to.js";

const IMAGE = "1a000000-0000-4000-8000-000000000001";
const SERVER = "5e000000-0000-4000-8000-000000000002";
const HOST = "host-1";
/** To which servers move. */
const OTHER_HOST = "host-2";

const schemas: Schemas = { global: "global", cell0: "cell0", cell1: "cell1", placement: "placement" };

const rowsOf = async (store: Store, query: ReturnType<typeof sql>): Promise<unknown[]> =>
  (await store.db.statement(testCtx(), "crash", (db) => query.execute(db))).rows;

/** Operations that will still do something, hand-overs that are not finished, quota that is not settled. */
async function unsettled(cloud: Cloud): Promise<number> {
  const counts = await Promise.all(
    cloud.stores.map(
      async ({ db, t }) =>
        (
          await db.statement(testCtx(), "crash.live", (one) =>
            sql<{ count: number }>`SELECT
    (SELECT count(*) FROM ${t.operation} WHERE ready_at IS NOT NULL) + (SELECT count(*) FROM ${t.dormant_operation}) + (SELECT count(*) FROM ${t.instance} WHERE leaving_to <> '') AS count`.execute(
              one,
            ),
          )
        ).rows[0]?.count ?? 0,
    ),
  );
  const [global] = cloud.stores;
  // Quota of operations that have ended.
  const claims = global && (await rowsOf(global, sql`SELECT 1 FROM ${global.t.quota_claim}`)).length;
  return counts.reduce((sum, count) => sum + count, claims ?? 0);
}

/**
 * What a host needs to live, and a server to be made, made anew and removed; actions ask the rest of a
 * driver.
 */
const NEEDED = new Set<FakeMethod>([
  ...(["start", "inventory", "telemetry", "list", "listUnfinished"] as const),
  ...(["inspect", "define", "remove"] as const),
  ...(["prepareRebuild", "rebuild", "discardRebuild"] as const),
  // A copy can be made and removed, so that it is its upload that fails: with all steps before to undo.
  ...(["takeSnapshot", "dropSnapshot"] as const),
  ...(["consoleLog", "diagnostics"] as const),
  // Takes a rescue back; whether the guest then starts is another method's affair.
  "unrescue",
  // A volume can be connected, so that it is the guest that does not take it.
  "volumeConnector",
  // Takes back that a guest was to leave.
  "keepDisks",
]);
const FAILING = FAKE_METHODS.filter((method) => !NEEDED.has(method)).map((method) => ({
  method,
  failReason: "HYPERVISOR_FAILED",
  failMessage: "As asked.",
}));
/**
 * What a kind's steps and their undo go by but the step that fails: it must not fail, however much else does.
 */
const SPARED: Readonly<Record<string, readonly FakeMethod[]>> = {
  "server.attach-interface": ["detachInterface"],
  "server.detach-interface": ["attachInterface"],
  "server.attach-volume": ["detachVolume"],
  "server.detach-volume": ["attachVolume"],
  "server.shelve": ["powerOff", "powerOn"],
  // Images of volumes are refused by the Image service; the guest stands still for them and is thawed.
  "server.create-image": ["quiesce", "unquiesce"],
  // A root volume comes back to the guest; it is its start that fails.
  "server.rebuild": ["attachVolume"],
};
/** The same where the server's disks are volumes. */
const SPARED_ON_VOLUMES: typeof SPARED = { ...SPARED, "server.shelve": ["powerOn"] };
/** What works with a volume that the server has. */
const WITH_VOLUME = new Set([
  "server.detach-volume",
  "server.extend-volume",
  "server.swap-volume",
  "server.delete",
]);
/** On servers with volumes, what needs one that is off its host. */
const OFF_HOST = new Set(["server.unshelve", "server.attach-volume", "server.detach-volume"]);
/** What goes to another host, or back from there. */
const MOVING = new Set([resizeServer.kind, migrateServer.kind]);
const ENDING = new Set([confirmServerResize.kind, revertServerResize.kind]);
const hostsFor = (kind: string): readonly string[] =>
  MOVING.has(kind) || ENDING.has(kind) ? [HOST, OTHER_HOST] : [HOST];
/** A guest that came does not start: the last step of a move fails, and nothing of it stays. */
const FAILING_THERE = FAILING.filter(({ method }) => method === "powerOn");
const NO_VOLUME = "a0000000-0000-4000-8000-00000000ffff";
const SLOW = [{ method: "define", delayMs: 20_000 }];

/** Makes the state from which the kind may start, then accepts it. */
async function begin(
  cloud: Cloud,
  neutron: ReturnType<typeof diskNeutron>,
  kind: string,
  { failing, slow, disks, moved, offloaded }: { readonly failing: boolean; readonly slow: boolean } & Servers,
): Promise<void> {
  const onVolumes = disks.length > 0;
  const spared = (onVolumes ? SPARED_ON_VOLUMES : SPARED)[kind] ?? [];
  const script = async (): Promise<void> => {
    const moves = MOVING.has(kind);
    const host = moves ? OTHER_HOST : HOST;
    const fails = moves ? FAILING_THERE : FAILING.filter(({ method }) => !spared.includes(method));
    const rules = [...(failing ? fails : []), ...(slow ? SLOW : [])];
    await cloud.agent(host, "operator").scriptFakeDriver(testCtx(), { host, rules });
  };
  const declaration = operationOf(kind);
  if (subjectOf(declaration) !== "server") {
    await script();
    await actOnSubject(cloud, declaration);
    return;
  }
  if (kind === "server.boot") await script();
  await boot(cloud, {
    ids: [SERVER],
    networks: [{ networkId: NETWORK }],
    blockDevices: disks,
    // With two hosts the scheduler would choose either.
    ...(moved || hostsFor(kind).length > 1 ? { host: HOST } : {}),
  });
  if (kind === "server.boot") return;
  const { vmState, fault } = await ended(cloud, SERVER);
  if (vmState !== VmState.VM_STATE_ACTIVE)
    throw new Error(`the boot before ${kind} failed: ${fault?.reason} ${fault?.message} ${fault?.details}`);
  for (const step of wayThere(declaration, { disks, moved, offloaded })) {
    await act(cloud, SERVER, step, onVolumes ? { input: await inputOnVolumes(cloud, step, false) } : {});
    await ended(cloud, SERVER);
  }
  // News: the server's ports are gone.
  if (kind === "server.refresh-interfaces")
    for (const id of [...neutron.ports.keys()]) await neutron.deletePort(testCtx(), id);
  if (WITH_VOLUME.has(kind) && !onVolumes) {
    await act(cloud, SERVER, anyOperation(attachVolume));
    await ended(cloud, SERVER);
  }
  await script();
  const input = onVolumes
    ? inputOnVolumes(cloud, declaration, failing)
    : inputFor(cloud, declaration, offloaded);
  await act(cloud, SERVER, declaration, { input: await input });
}

function wayThere(
  declaration: OperationDeclaration,
  { disks, moved, offloaded }: Servers,
): readonly OperationDeclaration[] {
  if (moved) return [anyOperation(resizeServer)];
  if (offloaded) return [anyOperation(shelveServer), anyOperation(offloadServer)];
  return wayFor(declaration, disks.length > 0);
}

function wayFor(declaration: OperationDeclaration, onVolumes: boolean): readonly OperationDeclaration[] {
  if (onVolumes && OFF_HOST.has(declaration.kind)) return [anyOperation(shelveServer)];
  // With another flavor, so that this comes back too.
  if (ENDING.has(declaration.kind)) return [anyOperation(resizeServer)];
  return wayTo(declaration, catalogue.all);
}

/** Migrations of the server, newest first. */
async function migrationsOf(cloud: Cloud): Promise<readonly string[]> {
  const records = cloud.channel("api", "cells").client(ServerRecordsServiceDefinition);
  const { rows } = await records.listMigrations(testCtx(), { database: "cell1", serverIds: [SERVER] });
  return rows.flatMap(({ migration }) => migration?.id ?? []);
}

/** The input of what leads the newest migration on. */
async function endMoveInput(cloud: Cloud, { input }: OperationDeclaration): Promise<Uint8Array> {
  const [migrationId = ""] = await migrationsOf(cloud);
  return input.encode(input.fromPartial({ migrationId })).finish();
}

/** What the kinds are asked for whose servers have their root disk on a volume. */
async function inputOnVolumes(
  cloud: Cloud,
  declaration: OperationDeclaration,
  failing: boolean,
): Promise<Uint8Array> {
  if (ENDING.has(declaration.kind)) return endMoveInput(cloud, declaration);
  const { instance } = await cloud.instances.getInstance(testCtx(), { database: "cell1", serverId: SERVER });
  const volumeIds = instance?.server?.volumes.map(({ id }) => id) ?? [];
  const more: Readonly<Record<string, object>> = {
    [createServerImage.kind]: {
      volumeBacked: true,
      volumeIds,
      quiesce: Quiesce.QUIESCE_IF_POSSIBLE,
      ...(failing ? { imageId: REFUSED } : {}),
    },
    [rebuildServer.kind]: { reimage: { volumeId: volumeIds[0] ?? "", imageId: IMAGE, imageSizeBytes: 1n } },
    [attachVolume.kind]: { offloaded: true, volumeId: failing ? NO_VOLUME : NEW_VOLUME },
    [detachVolume.kind]: { offloaded: true },
    [shelveServer.kind]: { image: undefined },
    [unshelveServer.kind]: { offloaded: true },
  };
  const { example, input, kind } = declaration;
  return input.encode(input.fromPartial({ ...example?.input, ...more[kind] })).finish();
}

/** The example, unless the kind works with what only the server has. */
async function inputFor(
  cloud: Cloud,
  declaration: OperationDeclaration,
  offloaded: boolean,
): Promise<Uint8Array> {
  if (offloaded) return declaration.input.encode(declaration.input.fromPartial({ offloaded })).finish();
  if (ENDING.has(declaration.kind)) return endMoveInput(cloud, declaration);
  if (declaration.kind !== "server.detach-interface") return exampleInput(declaration);
  const { instance } = await cloud.instances.getInstance(testCtx(), { database: "cell1", serverId: SERVER });
  const portId = instance?.ports[0]?.portId;
  return declaration.input.encode(declaration.input.fromPartial({ portId })).finish();
}

/** Waits for so many different reports of how far the step is. */
async function progressed(cloud: Cloud, step: string, times: number): Promise<void> {
  const seen = new Set<number>();
  const all = async (): Promise<boolean> => {
    const { operations } = await cloud.operations.listStoredOperations(testCtx(), { serverId: SERVER });
    for (const { currentStep, progress } of operations)
      if (currentStep === step && progress !== undefined) seen.add(progress.percent);
    return seen.size >= times;
  };
  await until(() => all().catch(() => false), { timeoutMs: 60_000, what: "progress", everyMs: 20 });
}

async function endState(
  cloud: Cloud,
  hosts: readonly string[],
  neutron: ReturnType<typeof diskNeutron>,
  glance: ReturnType<typeof diskGlance>,
  cinder: ReturnType<typeof diskCinder>,
): Promise<unknown> {
  const databases: Record<string, unknown> = {};
  for (const store of cloud.stores) {
    const { t, name } = store;
    databases[name] = {
      instances: await rowsOf(
        store,
        sql`SELECT vm_state, task_state, power_state, current_operation, leaving_to, host, vcpus, memory_mib, resized_at IS NOT NULL AS resized, cardinality(ipv4) AS addresses, launched_at IS NOT NULL AS launched, deleted_at IS NOT NULL AS deleted FROM ${t.instance}`,
      ),
      operations: await rowsOf(
        store,
        sql`SELECT kind, state, owner, current_step, secrets IS NOT NULL AS has_secrets, error IS NOT NULL AS has_error FROM ${t.operation} ORDER BY created_at`,
      ),
      actions: await rowsOf(
        store,
        sql`SELECT a.action, a.failed, e.event, e.result FROM ${t.instance_action} AS a LEFT JOIN ${t.instance_action_event} AS e ON e.action_id = a.id ORDER BY a.started_at, e.position, e.round`,
      ),
      devices:
        name === "global"
          ? []
          : await rowsOf(
              store,
              sql`SELECT volume_id <> '' AS volume, deleted_at IS NOT NULL AS deleted FROM ${t.block_device} ORDER BY created_at, device_name`,
            ),
      migrations:
        name === "global"
          ? []
          : await rowsOf(
              store,
              sql`SELECT kind, status, source_host, target_host, deleted_at IS NOT NULL AS deleted FROM ${t.migration} ORDER BY created_at`,
            ),
      dormant: await rowsOf(store, sql`SELECT 1 FROM ${t.dormant_operation}`),
      signals: await rowsOf(
        store,
        sql`SELECT 1 FROM ${t.operation_signal} AS s JOIN ${t.operation} AS o ON o.id = s.operation_id WHERE o.ready_at IS NOT NULL`,
      ),
    };
  }
  const [global] = cloud.stores;
  if (global === undefined) throw new Error("no global database");
  const guests = await Promise.all(
    hosts.map(async (host) => {
      const agent = cloud.agent(host, "conductor");
      const { defined, powerState } = await agent.inspectGuest(testCtx(), { host, serverId: SERVER });
      return { host, defined, powerState };
    }),
  );
  const heldBy = async (consumerId: string): Promise<unknown> => {
    const { consumers } = await cloud.placement.getAllocations(testCtx(), { consumerId });
    const { nodes } = await cloud.hosts.listHosts(testCtx(), { cell: "cell1", recordsOnly: true });
    return consumers.flatMap(({ allocations }) =>
      allocations.map(({ providerId, resources }) => [
        nodes.find(({ id }) => id === providerId)?.host,
        ...[...resources].map(([name, amount]) => `${name}=${amount}`).sort(),
      ]),
    );
  };
  return {
    databases,
    mapping: await rowsOf(global, sql`SELECT database, deleted FROM ${global.t.instance_mapping}`),
    holdings: await rowsOf(global, sql`SELECT cores, ram FROM ${global.t.quota_holding}`),
    usage: await rowsOf(global, sql`SELECT instances, cores, ram FROM ${global.t.quota_usage}`),
    allocations: await heldBy(SERVER),
    keptByMigrations: await Promise.all((await migrationsOf(cloud)).map(heldBy)),
    ports: [...neutron.ports.values()].map(({ deviceId, bindingHostId, fixedIps }) => ({
      deviceId,
      bindingHostId,
      addresses: fixedIps.length,
    })),
    volumes: [...cinder.volumes.values()].map(({ status, imageMetadata }) => ({ status, imageMetadata })),
    snapshots: [...cinder.snapshots.values()].map(({ status, name }) => ({ status, name })),
    attachments: [...cinder.attachments.values()].map(({ serverId, status }) => ({ serverId, status })),
    images: [...glance.images.values()].map(({ id, status, sizeBytes }) => ({ id, status, sizeBytes })),
    guests,
  };
}

/** Disks of servers: none said, so that they are those of image and flavor. */
type Disks = readonly Partial<BlockDevice>[];

/** What servers are like that something is done to. */
interface Servers {
  readonly disks: Disks;
  /** Whether they have just moved to the other host, and wait for their owner's word. */
  readonly moved: boolean;
  /** Whether they are shelved, with an image of their own, and off their host. */
  readonly offloaded: boolean;
}

const scenarioOf = (
  name: string,
  { disks = [], moved = false, offloaded = false }: Partial<Servers> = {},
): Scenario => ({
  name,
  prepare: (connection) => migrateCloud(connection, schemas),
  open: async ({ connection, folder, label }, crash) => {
    // Labels begin with the kind.
    const hosts = moved ? [HOST, OTHER_HOST] : hostsFor(label.split("/")[0] ?? "");
    const glance = diskGlance(join(folder, "glance.json"));
    const neutron = diskNeutron(join(folder, "neutron.json"));
    const cinder = diskCinder(join(folder, "cinder.json"));
    const cloud = await openCloud({
      connection,
      schemas,
      folder,
      hosts,
      neutron,
      cinder,
      glance,
      crash,
    });
    return {
      kinds: cloud.conductor.kinds,
      begin: (kind, how) => begin(cloud, neutron, kind, { ...how, disks, moved, offloaded }),
      progressed: (step, times) => progressed(cloud, step, times),
      settled: async () => {
        // Twice: what moves from one database to another may be seen in neither.
        const rests = async (): Promise<boolean> => (await unsettled(cloud)) === 0;
        await until(async () => (await rests()) && rests(), {
          timeoutMs: 60_000,
          what: "everything to end",
          everyMs: 20,
        });
      },
      endState: () => endState(cloud, hosts, neutron, glance, cinder),
      close: () => cloud.close(),
    };
  },
});

/**
 * The whole cloud: real services, a host with the fake driver, and another one for what moves; Network and
 * Block Storage on disk.
 */
export const cloudScenario = scenarioOf("cloud");

/** The same, where servers have moved and are neither confirmed nor reverted. */
export const movedScenario = scenarioOf("cloud after a move", { moved: true });

/** The same, where servers are shelved and off their host: what they come back from is an image. */
export const offloadedScenario = scenarioOf("cloud of offloaded servers", { offloaded: true });

const destination = BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME;

/** The same, where servers are built with volumes: on one that is made, and with one that is there. */
export const volumesScenario = scenarioOf("cloud with volumes", {
  disks: [
    {
      source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_IMAGE,
      destination,
      sourceId: IMAGE,
      bootIndex: 0,
      sizeGib: 1,
    },
    { source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME, destination, sourceId: VOLUME, sizeGib: 1 },
  ],
});
