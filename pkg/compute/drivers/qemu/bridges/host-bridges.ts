import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Ctx } from "../../../../kernel/index.js";
import { CommonErrors, mapLimit } from "../../../../kernel/index.js";
import { DriverErrors } from "../../errors.js";
import type { Isolation } from "../../host/isolation.js";
import { identify, listProcesses } from "../../host/linux-process.js";
import type { ProcessIdentity } from "../../host/linux-process.js";
import type { RunAs } from "../../host/run-as.js";
import type { QemuConfig } from "../config.js";
import { userOf } from "../definition.js";
import type { Definition } from "../definition.js";
import { volumePaths } from "../guest-paths.js";
import type { GuestPaths, VolumePaths } from "../guest-paths.js";
import { volumesAtStart } from "../volume-device.js";
import { Bridge, bridgeSocket, endBridge, isBridge } from "./bridge.js";
import { keptConnection } from "./connection-file.js";

/** Volumes of one guest that are connected at once. */
const AT_ONCE = 4;
/** Guests whose daemons are found at once. */
const GUESTS_AT_ONCE = 8;
const MIB = 1024 ** 2;
/** Of all daemons of a guest together. Few of them ever work at once. */
const LIMITS = { cpus: 2, shares: 1, memoryBytes: 2048 * MIB, threads: 2048 };
const GROUP_ATTEMPTS = 20;
const GROUP_WAIT_MS = 10;

/** A guest whose volumes are reached. */
export interface BridgedGuest {
  readonly definition: Definition;
  readonly paths: GuestPaths;
}

/** What these daemons are started with. */
export interface HostBridgesTools {
  readonly config: Pick<QemuConfig, "storageDaemon" | "launchTimeoutMs" | "iscsiInitiator" | "volumeFolders">;
  readonly isolation: Isolation;
  /** Told when a daemon is gone that nobody ended. */
  readonly onLost: (instanceUuid: string, volumeId: string) => void;
  /** Ends a daemon of a former agent. @throws HYPERVISOR_SILENT */
  readonly endFound: (qmpSocket: string, identity: ProcessIdentity) => Promise<void>;
}

/** The daemons of all guests of this host, by guest and volume. Every call for a guest is under its lock. */
export class HostBridges {
  readonly #tools: HostBridgesTools;
  readonly #bridges = new Map<string, Map<string, Bridge>>();
  /** Whose the daemons of a guest are, by its folder for volumes. */
  readonly #users = new Map<string, RunAs>();
  /** Daemons that were told to end and have not, by their monitor's socket: what they write comes later. */
  readonly #stuck = new Map<string, ProcessIdentity>();
  #closed = false;

  constructor(tools: Omit<HostBridgesTools, "endFound"> & Partial<HostBridgesTools>) {
    this.#tools = { endFound, ...tools };
  }

  /**
   * Finds the daemons of a former agent. Those of guests that run serve on; others are ended. One that does
   * not end keeps its volume from being served again until it has.
   * @param guests  all guests that are known, and whether they run
   * @cost one pass over /proc
   */
  async adopt(ctx: Ctx, guests: readonly (BridgedGuest & { readonly isUp: boolean })[]): Promise<void> {
    const found = new Map<string, ProcessIdentity>();
    for (const { pid, args } of listProcesses())
      for (const arg of args) {
        const qmpSocket = bridgeSocket(arg);
        const identity = qmpSocket === undefined ? undefined : identify(pid);
        if (qmpSocket !== undefined && identity !== undefined) found.set(qmpSocket, identity);
      }
    await mapLimit([...guests], GUESTS_AT_ONCE, async ({ definition, paths, isUp }) => {
      const { instanceUuid } = definition.spec;
      for (const { volumeId } of isUp ? volumesAtStart(definition) : []) {
        const at = volumePaths(paths, volumeId);
        const identity = found.get(at.qmpSocket);
        const bridge = identity && (await Bridge.adopt(identity, at));
        if (bridge === undefined) continue;
        found.delete(at.qmpSocket);
        this.#keep(instanceUuid, volumeId, bridge);
      }
      // Of a guest that has ended, of a volume that never came to be, or of no more use.
      for (const [qmpSocket, identity] of found) {
        if (!qmpSocket.startsWith(`${paths.bridgesDir}/`)) continue;
        try {
          await this.#tools.endFound(qmpSocket, identity);
        } catch (error) {
          // It waits for its storage: no reason to do without all other guests.
          this.#stuck.set(qmpSocket, identity);
          ctx.log.error("compute.qemu.volume.daemon-stuck", { instanceUuid, pid: identity.pid, error });
        }
      }
    });
  }

  /** Whether the volume's daemon is there. */
  serves(instanceUuid: string, volumeId: string): boolean {
    return this.#of(instanceUuid).get(volumeId)?.alive === true;
  }

  /**
   * Volumes that the guest should have at its start, each through a daemon of its own. @throws
   * VOLUME_NOT_REACHABLE
   */
  async startAll(ctx: Ctx, guest: BridgedGuest): Promise<void> {
    const { instanceUuid } = guest.definition.spec;
    await this.endAll(guest);
    try {
      await mapLimit([...volumesAtStart(guest.definition)], AT_ONCE, ({ volumeId }) =>
        this.ensure(ctx, guest, volumeId),
      );
    } catch (error) {
      await this.endAll(guest);
      ctx.log.warn("compute.qemu.volume.not-reached", { instanceUuid, error });
      throw error;
    }
  }

  /**
   * A daemon for a volume whose connection is kept; one that is there is left alone.
   * @param cutBytes  serves no more than so much of it
   * @throws VOLUME_NOT_REACHABLE, VOLUME_TOO_SMALL; HYPERVISOR_SILENT while one that was told to end has
   *   not; UNAVAILABLE once this is closed: nothing may come after the next agent has looked
   */
  async ensure(
    ctx: Ctx,
    { definition, paths }: BridgedGuest,
    volumeId: string,
    cutBytes?: number,
  ): Promise<void> {
    const { instanceUuid } = definition.spec;
    if (this.serves(instanceUuid, volumeId)) return;
    const at = volumePaths(paths, volumeId);
    this.#requireEnded(at);
    this.#requireOpen();
    await this.end({ definition, paths }, volumeId);
    this.#requireOpen();
    const { config, isolation } = this.#tools;
    const bridge = await Bridge.start(ctx, volumeId, await keptConnection(volumeId, at), at, {
      ...config,
      initiator: config.iscsiInitiator,
      isolation,
      user: this.#userOf(paths),
      guest: userOf(definition),
      groups: isolation.cgroups?.make(groupOf(instanceUuid), LIMITS) ?? [],
      cutBytes,
    });
    this.#keep(instanceUuid, volumeId, bridge);
  }

  /** Another daemon in the place of a volume's, which sees it as it is now. @returns its size in bytes */
  async renew(ctx: Ctx, guest: BridgedGuest, volumeId: string): Promise<number> {
    await this.end(guest, volumeId);
    await this.ensure(ctx, guest, volumeId);
    return this.sizeBytes(guest.definition.spec.instanceUuid, volumeId);
  }

  /** What a volume holds where it is served, in bytes; 0 when it is not reached now. */
  async sizeBytes(instanceUuid: string, volumeId: string): Promise<number> {
    return (await this.#of(instanceUuid).get(volumeId)?.sizeBytes()) ?? 0;
  }

  async end({ definition, paths }: BridgedGuest, volumeId: string): Promise<void> {
    const bridges = this.#of(definition.spec.instanceUuid);
    await bridges.get(volumeId)?.end();
    bridges.delete(volumeId);
    const at = volumePaths(paths, volumeId);
    await rm(at.dir, { recursive: true, force: true });
    await rm(at.socket, { force: true });
  }

  /** Ends all of a guest's daemons; the guest has ended before. */
  async endAll(guest: BridgedGuest): Promise<void> {
    const { instanceUuid } = guest.definition.spec;
    const volumeIds = [...this.#of(instanceUuid).keys()];
    if (volumeIds.length === 0) return;
    await mapLimit(volumeIds, AT_ONCE, (volumeId) => this.end(guest, volumeId));
    this.#bridges.delete(instanceUuid);
    await rm(guest.paths.bridgesDir, { recursive: true, force: true });
    const { cgroups } = this.#tools.isolation;
    for (let left = GROUP_ATTEMPTS; cgroups?.remove(groupOf(instanceUuid)) === false && left > 0; left--)
      await delay(GROUP_WAIT_MS);
  }

  /** Gives back what a guest has that is removed. */
  forget({ paths }: Pick<BridgedGuest, "paths">): void {
    if (!this.#users.has(paths.volumesDir) && !existsSync(paths.volumesDir)) return;
    const user = this.#userOf(paths);
    if (user) this.#tools.isolation.uids?.release(paths.volumesDir, user.uid);
    this.#users.delete(paths.volumesDir);
  }

  /** Hangs up; the daemons live, and so does one that is just being started. */
  close(): void {
    this.#closed = true;
    for (const bridges of this.#bridges.values()) for (const bridge of bridges.values()) bridge.detach();
    this.#bridges.clear();
  }

  /** One for all daemons of a guest, and nobody else's: none of the guest's own. */
  #userOf({ volumesDir }: GuestPaths): RunAs | undefined {
    const user = this.#users.get(volumesDir) ?? this.#tools.isolation.uids?.take(volumesDir);
    if (user) this.#users.set(volumesDir, user);
    return user;
  }

  #requireOpen(): void {
    if (this.#closed) throw CommonErrors.UNAVAILABLE({ what: "The host's agent" });
  }

  #requireEnded({ qmpSocket }: VolumePaths): void {
    const stuck = this.#stuck.get(qmpSocket);
    if (stuck === undefined) return;
    if (isBridge(stuck, { qmpSocket }))
      throw DriverErrors.HYPERVISOR_SILENT({ step: "let go of the volume" });
    this.#stuck.delete(qmpSocket);
  }

  #keep(instanceUuid: string, volumeId: string, bridge: Bridge): void {
    if (this.#closed) return bridge.detach();
    const bridges = this.#of(instanceUuid).set(volumeId, bridge);
    this.#bridges.set(instanceUuid, bridges);
    void bridge.lost.then(() => {
      if (bridges.get(volumeId) === bridge) this.#tools.onLost(instanceUuid, volumeId);
    });
  }

  #of(instanceUuid: string): Map<string, Bridge> {
    return this.#bridges.get(instanceUuid) ?? new Map<string, Bridge>();
  }
}

const groupOf = (instanceUuid: string): string => `${instanceUuid}.volumes`;

async function endFound(qmpSocket: string, identity: ProcessIdentity): Promise<void> {
  const dir = qmpSocket.slice(0, qmpSocket.lastIndexOf("/"));
  await endBridge(identity, { connection: "", log: "", dir, qmpSocket, served: "", socket: dir });
}
