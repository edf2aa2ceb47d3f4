import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ServerRecordsServiceDefinition } from "../../gen/kilonova/cells/v1/server_records_service.js";
import {
  AttachVolumeInput,
  DetachVolumeInput,
  EndMoveInput,
  UnshelveInput,
} from "../../gen/kilonova/cells/v1/operation_inputs.js";
import { BlockDeviceDestination, BlockDeviceSource } from "../../gen/kilonova/type/v1/block_device.js";
import type { BlockDevice } from "../../gen/kilonova/type/v1/block_device.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { fakeCinder } from "../../pkg/clients/cinder/testing/fake-cinder.js";
import type { FakeCinder } from "../../pkg/clients/cinder/testing/fake-cinder.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import type { FakeGuest } from "../../pkg/compute/drivers/fake/guest-file.js";
import { CommonErrors, KilonovaError } from "../../pkg/kernel/index.js";
import { catalogue } from "../../pkg/model/operation-catalogue.js";
import { isLive } from "../../pkg/model/operation-states.js";
import { subjectOf } from "../../pkg/model/operation-declaration.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import { Random } from "../e2e/bad-input/fuzz/random.js";
import type { Cloud } from "../crash/cloud.js";
import { migrateCloud, openCloud, schemasOf } from "../crash/cloud.js";
import { act, boot, databaseOf, operationOf, serverOf } from "../crash/requests.js";
import type { Tap } from "../crash/tap.js";

export interface OneProcessOptions {
  readonly seed: number;
  /** How many things are done, one after the other. */
  readonly actions: number;
  readonly servers: number;
  readonly tell: (line: string) => void;
}

export interface OneProcessReport {
  readonly accepted: ReadonlyMap<string, number>;
  /** Failed operations, by kind and reason. */
  readonly failed: ReadonlyMap<string, number>;
  readonly wrong: readonly string[];
}

const HOSTS = ["a", "b"] as const;
const SETTLE_MS = 120_000;
/** Kinds that end a server, or leave to its end what was being made. */
const RARE = new Set(["server.delete", "server.soft-delete"]);
const NEVER = new Set(["server.boot", "server.reset-state", "server.attach-volume", "server.detach-volume"]);
const { BLOCK_DEVICE_SOURCE_BLANK, BLOCK_DEVICE_SOURCE_IMAGE, BLOCK_DEVICE_SOURCE_VOLUME } =
  BlockDeviceSource;
const destination = BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME;

const count = (map: Map<string, number>, what: string): Map<string, number> =>
  map.set(what, (map.get(what) ?? 0) + 1);

/**
 * The same life in one process, with volumes in memory: agents are started anew, calls of the conductor are
 * lost or answered too late, drivers fail. It runs also on a machine that has no time for a deployment.
 */
export async function oneProcess(options: OneProcessOptions): Promise<OneProcessReport> {
  const random = new Random(options.seed);
  const chance = new Random(options.seed ^ 0xbad);
  const { connection } = await testCluster();
  const schemas = schemasOf(`soak_${process.pid}_${options.seed}`);
  await migrateCloud(connection, schemas);
  const folder = processFolder("soak-small");
  const cinder = fakeCinder();
  const quiet = { is: false };
  const cloud = await openCloud({
    ...{ connection, schemas, folder, hosts: [...HOSTS], neutron: fakeNeutron(), cinder },
    tap: unreliable(chance, () => quiet.is),
    conductor: { agentWaitMs: 500 },
  });
  try {
    const life = new Life(cloud, cinder, random);
    options.tell(`${new Date().toISOString()} the cloud is up, seed ${options.seed}`);
    for (let n = 0; n < options.actions; n++) {
      await life.step(options.servers);
      if (n % 20 === 19) options.tell(`${new Date().toISOString()} ${n + 1} actions`);
    }
    quiet.is = true;
    for (const host of HOSTS) await life.script(host, []);
    const wrong = [...(await life.atRest()), ...(await agreements(cloud, cinder, folder, life.servers))];
    if (wrong.length === 0) {
      await life.deleteAll();
      wrong.push(...(await life.atRest()), ...(await agreements(cloud, cinder, folder, life.servers)));
      wrong.push(...life.lost());
    }
    return { accepted: life.accepted, failed: await life.failures(), wrong };
  } finally {
    await cloud.close();
  }
}

/** Some calls never arrive, some answers never come back. */
function unreliable(random: Random, isQuiet: () => boolean): Tap {
  return {
    around: async (_ctx, method, call) => {
      const fate = isQuiet() ? 1 : random.next();
      if (fate < 0.015) throw CommonErrors.UNAVAILABLE({ what: `The call of ${method}` });
      const answer = await call();
      if (fate < 0.03) throw CommonErrors.UNAVAILABLE({ what: `The answer of ${method}` });
      return answer;
    },
  };
}

class Life {
  readonly servers: string[] = [];
  readonly accepted = new Map<string, number>();
  /** Volumes that users made, those of them that they deleted, and those that were to go with a server. */
  readonly #made = new Set<string>();
  readonly #flagged = new Set<string>();
  readonly #deleted = new Set<string>();
  readonly #cloud: Cloud;
  readonly #cinder: FakeCinder;
  readonly #random: Random;

  constructor(cloud: Cloud, cinder: FakeCinder, random: Random) {
    this.#cloud = cloud;
    this.#cinder = cinder;
    this.#random = random;
  }

  async script(
    host: string,
    rules: { method: string; times: number; failReason: string; delayMs: number }[],
  ) {
    await this.#cloud
      .agent(host, "operator")
      .scriptFakeDriver(testCtx(), { host, rules })
      .catch(() => {});
  }

  async step(limit: number): Promise<void> {
    const random = this.#random;
    const what = random.next();
    await delay(random.below(120));
    if (what < 0.06) return this.#cloud.restartAgent(random.pick(HOSTS));
    if (what < 0.14) {
      const method = random.pick([
        ...["attachVolume", "detachVolume", "volumeConnector", "powerOff", "powerOn", "define", "destroy"],
      ]);
      const rule = { method, times: 1 + random.below(2), failReason: "SOAKED", delayMs: random.below(800) };
      return this.script(random.pick(HOSTS), [rule]);
    }
    if (what < 0.2) return this.#useVolume();
    const living = await this.#living();
    if (living.length < limit && (living.length === 0 || random.chance(0.4))) return this.#boot();
    const id = random.pick(living);
    if (random.chance(0.35)) return this.#attach(id);
    if (random.chance(0.3)) return this.#detach(id);
    const kinds = catalogue.all.filter(
      (one) => subjectOf(one) === "server" && !NEVER.has(one.kind) && one.methods.length > 0,
    );
    const { kind } = random.pick(kinds.filter((one) => !RARE.has(one.kind) || random.chance(0.5)));
    await this.#ask(kind, async () =>
      act(this.#cloud, id, operationOf(kind), await this.#inputFor(kind, id)),
    );
  }

  /** The example's, but where the api would have looked at the server. */
  async #inputFor(kind: string, id: string): Promise<{ readonly input?: Uint8Array }> {
    if (kind === "server.unshelve")
      return { input: UnshelveInput.encode(UnshelveInput.fromPartial(await this.#place(id))).finish() };
    if (kind !== "server.confirm-resize" && kind !== "server.revert-resize") return {};
    const { rows } = await this.#cloud
      .channel("api", "cells")
      .client(ServerRecordsServiceDefinition)
      .listMigrations(testCtx(), { database: "cell1", serverIds: [id], statuses: ["finished"] });
    const migrationId = rows[0]?.migration?.id ?? "";
    return { input: EndMoveInput.encode(EndMoveInput.fromPartial({ migrationId })).finish() };
  }

  /** Where the server is: requests for one without a host say so. */
  async #place(id: string): Promise<{ readonly offloaded: boolean }> {
    const { vmState } = await serverOf(this.#cloud, id);
    return { offloaded: vmState === VmState.VM_STATE_SHELVED_OFFLOADED };
  }

  async deleteAll(): Promise<void> {
    for (const id of await this.#living())
      await this.#ask("server.delete", () => act(this.#cloud, id, operationOf("server.delete")));
  }

  /** Waits until no operation goes on. @returns those that do not end */
  async atRest(): Promise<string[]> {
    const left = async (): Promise<string[]> => {
      const found: string[] = [];
      for (const id of this.servers)
        for (const one of (await this.#cloud.operations.listStoredOperations(testCtx(), { serverId: id }))
          .operations)
          if (isLive(one.state) || one.state === OperationState.OPERATION_STATE_NEEDS_OPERATOR)
            found.push(`${one.kind} of ${id} is ${one.state} at ${one.currentStep}: ${one.error?.message}`);
      return found;
    };
    let found = await left();
    for (const endMs = Date.now() + SETTLE_MS; found.length > 0 && Date.now() < endMs; found = await left())
      await delay(200);
    return found;
  }

  async failures(): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    for (const id of this.servers)
      for (const one of (await this.#cloud.operations.listStoredOperations(testCtx(), { serverId: id }))
        .operations)
        if (one.state === OperationState.OPERATION_STATE_FAILED)
          count(found, `${one.kind} ${one.error?.reason}: ${one.error?.message.slice(0, 90)}`);
    return found;
  }

  /** When all servers are deleted: volumes of users that are gone though nobody has deleted them. */
  lost(): string[] {
    return [...this.#made]
      .filter((id) => !this.#cinder.volumes.has(id) && !this.#deleted.has(id) && !this.#flagged.has(id))
      .map((id) => `a volume is lost: ${id}`);
  }

  async #living(): Promise<string[]> {
    const states = await Promise.all(
      this.servers.map(async (id) => [id, (await serverOf(this.#cloud, id)).vmState] as const),
    );
    return states.filter(([, state]) => state !== VmState.VM_STATE_DELETED).map(([id]) => id);
  }

  async #boot(): Promise<void> {
    const id = randomUUID();
    const chance = (share: number): boolean => this.#random.chance(share);
    const devices: Partial<BlockDevice>[] = [];
    const deleteOnTermination = chance(0.5);
    const image = "1a000000-0000-4000-8000-000000000001";
    const common = { destination, deleteOnTermination };
    if (chance(0.3))
      devices.push({
        ...common,
        source: BLOCK_DEVICE_SOURCE_IMAGE,
        sourceId: image,
        bootIndex: 0,
        sizeGib: 1,
      });
    if (chance(0.3)) devices.push({ ...common, source: BLOCK_DEVICE_SOURCE_BLANK, sizeGib: 1 });
    const own = this.#free();
    if (own !== undefined && chance(0.3)) {
      devices.push({ ...common, source: BLOCK_DEVICE_SOURCE_VOLUME, sourceId: own });
      if (deleteOnTermination) this.#flagged.add(own);
    }
    const local = {
      ...{ source: BLOCK_DEVICE_SOURCE_IMAGE, sourceId: image, bootIndex: 0, deleteOnTermination: true },
      destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_LOCAL,
    };
    const blockDevices = devices.length === 0 || devices[0]?.bootIndex === 0 ? devices : [local, ...devices];
    this.servers.push(id);
    await this.#ask("server.boot", () => boot(this.#cloud, { ids: [id], blockDevices }));
  }

  async #attach(id: string): Promise<void> {
    const volumeId = this.#random.chance(0.85) ? this.#free() : this.#any();
    if (volumeId === undefined) return this.#useVolume();
    const deleteOnTermination = this.#random.chance(0.4);
    if (deleteOnTermination) this.#flagged.add(volumeId);
    const input = AttachVolumeInput.encode(
      AttachVolumeInput.fromPartial({
        ...{ volumeId, deleteOnTermination, sizeMib: 1024n },
        ...(await this.#place(id)),
      }),
    ).finish();
    const kind = "server.attach-volume";
    await this.#ask(kind, () => act(this.#cloud, id, operationOf(kind), { input }));
  }

  async #detach(id: string): Promise<void> {
    const [...its] = (await serverOf(this.#cloud, id)).volumes;
    const volumeId = its.length > 0 ? this.#random.pick(its).id : this.#any();
    if (volumeId === undefined) return;
    const asked = { volumeId, ...(await this.#place(id)) };
    const input = DetachVolumeInput.encode(DetachVolumeInput.fromPartial(asked)).finish();
    const kind = "server.detach-volume";
    await this.#ask(kind, () => act(this.#cloud, id, operationOf(kind), { input }));
  }

  /** Users of Block Storage: they make, copy and delete. */
  async #useVolume(): Promise<void> {
    const free = this.#free();
    const any = this.#any();
    if (free === undefined || this.#random.chance(0.5)) this.#made.add(this.#cinder.addVolume().id);
    else if (any !== undefined && this.#random.chance(0.4)) this.#cinder.addSnapshot({ volumeId: any });
    else {
      this.#deleted.add(free);
      await this.#cinder.deleteVolume(testCtx(), free).catch(() => this.#deleted.delete(free));
    }
  }

  #free(): string | undefined {
    const found = [...this.#cinder.volumes.values()].filter(({ status }) => status === "available");
    return found.length === 0 ? undefined : this.#random.pick(found).id;
  }

  #any(): string | undefined {
    const all = [...this.#cinder.volumes.keys()];
    return all.length === 0 ? undefined : this.#random.pick(all);
  }

  /** A refusal is an answer. */
  async #ask(kind: string, call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
      count(this.accepted, kind);
    } catch (error) {
      if (!(error instanceof KilonovaError) || error.kind === "internal") throw error;
      count(this.accepted, `${kind} refused: ${error.reason}`);
    }
  }
}

interface Device {
  readonly volumeId: string;
  readonly attachmentId: string;
}

async function devicesOf(cloud: Cloud, serverId: string): Promise<readonly Device[]> {
  const database = await databaseOf(cloud, serverId);
  if (database === "" || database === "global") return [];
  const { blockDevices } = await cloud
    .channel("conductor", "cells")
    .client(ServerRecordsServiceDefinition)
    .listBlockDevices(testCtx(), { database, serverId, withConnectionInfo: false });
  return blockDevices.filter(({ volumeId }) => volumeId !== "");
}

/** Volumes, attachments, records and guests agree. */
async function agreements(
  cloud: Cloud,
  cinder: FakeCinder,
  folder: string,
  servers: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  const attachments = [...cinder.attachments.values()];
  const guests = guestsBelow(folder);
  const recorded = new Set<string>();
  /** Attachments of servers without a host. */
  const reserved = new Set<string>();
  for (const id of servers) {
    const { vmState, hostInfo } = await serverOf(cloud, id);
    const gone = vmState === VmState.VM_STATE_DELETED;
    const devices = gone ? [] : await devicesOf(cloud, id);
    for (const one of devices) {
      recorded.add(one.attachmentId);
      if (vmState === VmState.VM_STATE_SHELVED_OFFLOADED) reserved.add(one.attachmentId);
      const there = attachments.some((a) => a.id === one.attachmentId && a.volumeId === one.volumeId);
      if (!there && !(vmState === VmState.VM_STATE_ERROR && one.attachmentId === ""))
        found.push(`server ${id} (${vmState}) has a device without its attachment: ${JSON.stringify(one)}`);
    }
    // What a move has left elsewhere is as it was then.
    const its = guests.filter(({ host }) => gone || host === hostInfo?.host);
    for (const { guest } of its.filter((one) => one.guest.instanceUuid === id)) {
      const [has, wants] = [guest.volumes, devices].map((of) =>
        of
          .map(({ volumeId }) => volumeId)
          .toSorted()
          .join(" "),
      );
      if (has !== wants) found.push(`guest ${id} (${vmState}) has ${has}, its record ${wants}`);
    }
  }
  for (const one of attachments) {
    if (one.status !== (reserved.has(one.id) ? "reserved" : "attached"))
      found.push(`an attachment that is not complete: ${JSON.stringify(one)}`);
    if (!recorded.has(one.id)) found.push(`an attachment that no record has: ${JSON.stringify(one)}`);
  }
  for (const { id, status } of cinder.volumes.values()) {
    const its = attachments.filter(({ volumeId }) => volumeId === id);
    const kept = its.some((one) => reserved.has(one.id)) ? "reserved" : "in-use";
    if (status !== (its.length === 0 ? "available" : kept)) found.push(`volume ${id} is ${status}`);
  }
  return found;
}

interface GuestThere {
  readonly host: string;
  readonly guest: FakeGuest;
}

function guestsBelow(folder: string): GuestThere[] {
  return HOSTS.flatMap((host) => {
    const dir = join(folder, host, "guests");
    return readdirSync(dir, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith(".json"))
      .map((name) => ({ host, guest: JSON.parse(readFileSync(join(dir, name), "utf8")) as FakeGuest }));
  });
}
