import type { Ctx } from "../../../kernel/index.js";
import type {
  Arrival,
  ConsoleKind,
  DiskPhase,
  DiskSnapshot,
  DiskTransfer,
  Driver,
  GuestConsole,
  GuestEvent,
  GuestInterface,
  GuestSpec,
  GuestState,
  GuestVolume,
  HostInventory,
  HostTelemetry,
  LeavingDisk,
  LeavingDiskData,
  MemoryPhase,
  MovePhase,
  RebuildOptions,
  RescueSpec,
  SnapshotData,
  SnapshotPhase,
  SnapshotRequest,
  TaggedVolume,
  Tell,
  VolumeConnector,
  VolumePhase,
} from "../../driver.js";
import { untold } from "../../driver.js";
import type { GuestDiagnostics } from "../../guest-diagnostics.js";
import { DriverErrors } from "../errors.js";
import { uptimeNow } from "../host/uptime.js";
import { fetchDisks, leavingDisks, openLeaving, rootSector } from "./fake-disks.js";
import { FakeHost, isUp } from "./fake-host.js";
import type { FakeDisks, FakeGuest, FakeVolume } from "./guest-file.js";
import { applyRule } from "./rules.js";
import type { FakeMethod } from "./rules.js";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/**
 * A hypervisor that only remembers. Thousands fit in one process; scripted by `rules`. It has the methods of
 * a driver and no others, each but `close` and `onEvent` under `#scripted`.
 *
 * @cost a few microseconds a call without rules and persistence
 */
export class FakeDriver extends FakeHost implements Driver {
  readonly name = "fake";
  #telemetryAsked = 0;

  start(ctx: Ctx): Promise<void> {
    return this.#scripted(ctx, "start", undefined, () => {
      for (const guest of this.files?.load() ?? []) {
        this.guests.set(guest.instanceUuid, guest);
        this.nextPid = Math.max(this.nextPid, guest.pid + 1);
      }
      for (const one of this.files?.loadPrepared() ?? []) this.prepared.set(one.guest.instanceUuid, one);
      for (const one of this.files?.loadArriving() ?? []) this.arriving.set(one.instanceUuid, one);
    });
  }

  async close(): Promise<void> {
    this.listener = () => {};
  }

  inventory(ctx: Ctx): Promise<HostInventory> {
    return this.#scripted(ctx, "inventory", undefined, () => this.offered);
  }

  /** Another one each time, as on a real host: whoever must not be moved by it shows that he is not. */
  telemetry(ctx: Ctx): Promise<HostTelemetry> {
    return this.#scripted(ctx, "telemetry", undefined, () => ({
      uptime: uptimeNow(),
      diskFreeGib: Math.max(0, this.offered.diskGib - 1 - (this.#telemetryAsked++ % 8)),
    }));
  }

  list(ctx: Ctx): Promise<readonly GuestState[]> {
    return this.#scripted(ctx, "list", undefined, () => [...this.guests.values()].map(toState));
  }

  listUnfinished(ctx: Ctx): Promise<readonly string[]> {
    return this.#scripted(ctx, "listUnfinished", undefined, () =>
      [...this.arriving.keys()].filter((uuid) => !this.guests.has(uuid)),
    );
  }

  inspect(ctx: Ctx, instanceUuid: string): Promise<GuestState | undefined> {
    return this.#scripted(ctx, "inspect", instanceUuid, () => {
      const guest = this.guests.get(instanceUuid);
      return guest && toState(guest);
    });
  }

  /** Disks that are delayed by a rule are told of as if they were being copied. */
  define(ctx: Ctx, spec: GuestSpec, tell: Tell<DiskPhase> = untold): Promise<void> {
    return this.#scripted(
      ctx,
      "define",
      spec.instanceUuid,
      () => {
        const { instanceUuid } = spec;
        const before = this.guests.get(instanceUuid);
        const guest = toGuest(spec);
        if (before?.leaving !== undefined) throw DriverErrors.GUEST_LEAVING({ instanceUuid });
        if (before?.digest === guest.digest && before.rescue === undefined) return;
        this.put({
          ...(before ?? guest),
          digest: guest.digest,
          vcpus: guest.vcpus,
          memoryMib: guest.memoryMib,
          macAddresses: guest.macAddresses,
          portIds: guest.portIds,
          hasConfigDrive: guest.hasConfigDrive,
          rescue: undefined,
          defines: (before?.defines ?? 0) + 1,
        });
      },
      { name: spec.instanceName, passed: disksPassed(spec, tell) },
    );
  }

  prepareRebuild(
    ctx: Ctx,
    spec: GuestSpec,
    options: RebuildOptions,
    tell: Tell<DiskPhase> = untold,
  ): Promise<void> {
    return this.#scripted(
      ctx,
      "prepareRebuild",
      spec.instanceUuid,
      () => this.prepare({ ...options, guest: toGuest(spec) }),
      { name: spec.instanceName, passed: disksPassed(spec, tell) },
    );
  }

  rebuild(ctx: Ctx, instanceUuid: string, key: string, _softTimeoutMs: number): Promise<void> {
    return this.#scripted(ctx, "rebuild", instanceUuid, () => this.takePrepared(instanceUuid, key));
  }

  discardRebuild(ctx: Ctx, instanceUuid: string): Promise<void> {
    return this.#scripted(ctx, "discardRebuild", instanceUuid, () => this.unprepare(instanceUuid));
  }

  powerOn(ctx: Ctx, instanceUuid: string): Promise<void> {
    return this.#scripted(ctx, "powerOn", instanceUuid, () => {
      const guest = this.needStaying(instanceUuid);
      if (!isUp(guest)) this.boot(guest);
    });
  }

  powerOff(ctx: Ctx, instanceUuid: string, _softTimeoutMs: number): Promise<void> {
    return this.#scripted(ctx, "powerOff", instanceUuid, () =>
      this.down(this.need(instanceUuid), "SHUTDOWN"),
    );
  }

  reboot(ctx: Ctx, instanceUuid: string, _type: "soft" | "hard", _softTimeoutMs: number): Promise<void> {
    return this.#scripted(ctx, "reboot", instanceUuid, () => this.boot(this.needStaying(instanceUuid)));
  }

  remove(ctx: Ctx, instanceUuid: string): Promise<void> {
    return this.#scripted(ctx, "remove", instanceUuid, () => {
      this.hangUp(instanceUuid);
      this.guests.delete(instanceUuid);
      this.prepared.delete(instanceUuid);
      this.arriving.delete(instanceUuid);
      this.files?.drop(instanceUuid);
    });
  }

  onEvent(listener: (event: GuestEvent) => void): void {
    this.listener = listener;
  }

  consoleLog(ctx: Ctx, instanceUuid: string, maxBytes: number): Promise<Uint8Array> {
    return this.#scripted(ctx, "consoleLog", instanceUuid, () =>
      tail(new TextEncoder().encode(this.need(instanceUuid).console), maxBytes),
    );
  }

  /** Of either kind: the guest says again what it is told. */
  guestConsole(ctx: Ctx, instanceUuid: string, _kind: ConsoleKind): Promise<GuestConsole> {
    return this.#scripted(ctx, "guestConsole", instanceUuid, () => {
      const guest = this.need(instanceUuid);
      return {
        run: isUp(guest) ? `${guest.pid}-${guest.starts}` : undefined,
        connect: async () => this.line(instanceUuid),
      };
    });
  }

  pause(ctx: Ctx, instanceUuid: string): Promise<void> {
    return this.#scripted(ctx, "pause", instanceUuid, () =>
      this.put({ ...this.needUp(instanceUuid), powerState: "PAUSED" }),
    );
  }

  unpause(ctx: Ctx, instanceUuid: string): Promise<void> {
    return this.#scripted(ctx, "unpause", instanceUuid, () =>
      this.put({ ...this.needUp(instanceUuid), powerState: "RUNNING" }),
    );
  }

  /** A config drive is told by the names of its files, as in `define`. */
  rescue(ctx: Ctx, instanceUuid: string, spec: RescueSpec, _softTimeoutMs: number): Promise<void> {
    return this.#scripted(ctx, "rescue", instanceUuid, () => {
      const guest = this.needStaying(instanceUuid);
      const device = spec.stable?.device ?? "disk";
      if (device !== "disk" && device !== "cdrom")
        throw DriverErrors.UNSUPPORTED_HARDWARE({ property: "hw_rescue_device", value: device });
      const rescue = digestOf(spec);
      if (guest.rescue !== rescue) this.put({ ...guest, rescue, powerState: "SHUTDOWN", pid: 0 });
    });
  }

  unrescue(ctx: Ctx, instanceUuid: string, _softTimeoutMs: number): Promise<void> {
    return this.#scripted(ctx, "unrescue", instanceUuid, () => {
      const { rescue, ...guest } = this.need(instanceUuid);
      if (rescue !== undefined) this.put({ ...guest, powerState: "SHUTDOWN", pid: 0 });
    });
  }

  /** The guest remembers that it was told, not what. */
  setAdminPassword(ctx: Ctx, instanceUuid: string, _password: string): Promise<void> {
    return this.#scripted(ctx, "setAdminPassword", instanceUuid, () => {
      const guest = this.needUp(instanceUuid);
      this.put({ ...guest, console: `${guest.console}[fake] ${guest.instanceName} password set\n` });
    });
  }

  /** A guest whose memory a rule delays is told of as if it were being written. */
  suspend(ctx: Ctx, instanceUuid: string, tell: Tell<MemoryPhase> = untold): Promise<void> {
    return this.#scripted(
      ctx,
      "suspend",
      instanceUuid,
      () => {
        if (this.need(instanceUuid).powerState !== "SUSPENDED")
          this.put({ ...this.needUp(instanceUuid), powerState: "SUSPENDED", pid: 0 });
      },
      this.#memoryOf(instanceUuid, tell),
    );
  }

  resume(ctx: Ctx, instanceUuid: string, tell: Tell<MemoryPhase> = untold): Promise<void> {
    return this.#scripted(
      ctx,
      "resume",
      instanceUuid,
      () => {
        const guest = this.needStaying(instanceUuid);
        if (guest.powerState === "SUSPENDED")
          this.put({ ...guest, powerState: "RUNNING", pid: this.nextPid++ });
        else if (isUp(guest)) this.put({ ...guest, powerState: "RUNNING" });
        else throw DriverErrors.SAVED_MEMORY_LOST({ instanceUuid });
      },
      this.#memoryOf(instanceUuid, tell),
    );
  }

  #memoryOf(instanceUuid: string, tell: Tell<MemoryPhase>): { readonly passed: (part: number) => void } {
    const total = Math.max(1, this.guests.get(instanceUuid)?.memoryMib ?? 0) * MIB;
    return { passed: (part) => tell({ phase: "memory", done: part * total, total }) };
  }

  /** The guest remembers it on its console, and runs on. */
  injectNmi(ctx: Ctx, instanceUuid: string): Promise<void> {
    return this.#scripted(ctx, "injectNmi", instanceUuid, () => {
      const guest = this.needUp(instanceUuid);
      this.put({ ...guest, console: `${guest.console}[fake] ${guest.instanceName} NMI received\n` });
    });
  }

  /**
   * A copy is one sector, whatever the flavor says. A delay by a rule is told of as if a GiB were being
   * copied.
   */
  takeSnapshot(
    ctx: Ctx,
    instanceUuid: string,
    request: SnapshotRequest,
    tell: Tell<SnapshotPhase> = untold,
  ): Promise<DiskSnapshot> {
    return this.#scripted(
      ctx,
      "takeSnapshot",
      instanceUuid,
      () => {
        const guest = this.need(instanceUuid);
        const { snapshotId } = request;
        this.put({ ...guest, snapshots: [snapshotId] });
        const { length } = rootSector(guest);
        return { diskFormat: "raw", sizeBytes: length, virtualSizeBytes: length };
      },
      { passed: (part) => tell({ phase: "disk_copy", done: part * GIB, total: GIB }) },
    );
  }

  /** Any guest that runs hears; it is not thawed unasked. */
  quiesce(ctx: Ctx, instanceUuid: string, _mostMs: number): Promise<void> {
    return this.#scripted(ctx, "quiesce", instanceUuid, () => {
      const guest = this.need(instanceUuid);
      if (guest.powerState !== "RUNNING") throw DriverErrors.QUIESCE_FAILED({ instanceUuid });
      this.put({ ...guest, frozen: true, console: `${guest.console}[fake] ${guest.instanceName} frozen\n` });
    });
  }

  unquiesce(ctx: Ctx, instanceUuid: string): Promise<boolean> {
    return this.#scripted(ctx, "unquiesce", instanceUuid, () => {
      const guest = this.guests.get(instanceUuid);
      if (guest?.frozen !== true) return false;
      this.put({ ...guest, frozen: false, console: `${guest.console}[fake] ${guest.instanceName} thawed\n` });
      return true;
    });
  }

  openSnapshot(ctx: Ctx, instanceUuid: string, snapshotId: string): Promise<SnapshotData> {
    return this.#scripted(ctx, "openSnapshot", instanceUuid, () => {
      const guest = this.need(instanceUuid);
      if (!guest.snapshots.includes(snapshotId)) throw DriverErrors.SNAPSHOT_LOST({ snapshotId });
      const disk = rootSector(guest);
      return { sizeBytes: disk.length, data: inOnePiece(disk) };
    });
  }

  dropSnapshot(ctx: Ctx, instanceUuid: string, snapshotId: string): Promise<void> {
    return this.#scripted(ctx, "dropSnapshot", instanceUuid, () => {
      const guest = this.guests.get(instanceUuid);
      if (guest?.snapshots.includes(snapshotId) === true)
        this.put({ ...guest, snapshots: guest.snapshots.filter((one) => one !== snapshotId) });
    });
  }

  attachInterface(ctx: Ctx, instanceUuid: string, nic: GuestInterface): Promise<void> {
    return this.#scripted(ctx, "attachInterface", instanceUuid, () => {
      const { portId, macAddress } = nic;
      const guest = this.need(instanceUuid);
      if (guest.portIds.includes(portId)) return;
      this.put({
        ...guest,
        portIds: [...guest.portIds, portId],
        macAddresses: [...guest.macAddresses, macAddress],
      });
    });
  }

  detachInterface(ctx: Ctx, instanceUuid: string, portId: string): Promise<void> {
    return this.#scripted(ctx, "detachInterface", instanceUuid, () => {
      const guest = this.need(instanceUuid);
      const at = guest.portIds.indexOf(portId);
      if (at < 0) return;
      this.put({
        ...guest,
        portIds: guest.portIds.filter((_, i) => i !== at),
        macAddresses: guest.macAddresses.filter((_, i) => i !== at),
      });
    });
  }

  volumeConnector(ctx: Ctx): Promise<VolumeConnector> {
    return this.#scripted(ctx, "volumeConnector", undefined, () => {
      const { hypervisorHostname: host, hostIp: ip } = this.offered;
      return { host, ip, initiator: `iqn.2010-10.org.openstack:${host}` };
    });
  }

  attachVolume(ctx: Ctx, instanceUuid: string, volume: GuestVolume): Promise<void> {
    return this.#scripted(ctx, "attachVolume", instanceUuid, () => {
      const guest = this.need(instanceUuid);
      const one = toVolume(volume);
      const at = guest.volumes.findIndex(({ volumeId }) => volumeId === one.volumeId);
      this.put({ ...guest, volumes: at < 0 ? [...guest.volumes, one] : guest.volumes.with(at, one) });
    });
  }

  detachVolume(ctx: Ctx, instanceUuid: string, volumeId: string): Promise<void> {
    return this.#scripted(ctx, "detachVolume", instanceUuid, () => {
      const guest = this.need(instanceUuid);
      const volumes = guest.volumes.filter((one) => one.volumeId !== volumeId);
      if (volumes.length < guest.volumes.length) this.put({ ...guest, volumes });
    });
  }

  /** A delay by a rule is told of as if a GiB were being copied. */
  swapVolume(
    ctx: Ctx,
    instanceUuid: string,
    oldVolumeId: string,
    volume: GuestVolume,
    tell: Tell<VolumePhase> = untold,
  ): Promise<void> {
    return this.#scripted(
      ctx,
      "swapVolume",
      instanceUuid,
      () => {
        const guest = this.need(instanceUuid);
        const at = guest.volumes.findIndex(({ volumeId }) => volumeId === oldVolumeId);
        const old = guest.volumes[at];
        if (old !== undefined) {
          this.needUp(instanceUuid);
          const { deviceName, deviceType, tag } = old;
          const swapped = { ...toVolume({ ...volume, deviceName, deviceType, tag }) };
          this.put({ ...guest, volumes: guest.volumes.with(at, swapped) });
        } else if (!guest.volumes.some(({ volumeId }) => volumeId === volume.volumeId))
          throw DriverErrors.VOLUME_NOT_ATTACHED({ volume: oldVolumeId, instanceUuid });
      },
      { passed: (part) => tell({ phase: "volume_copy", done: part * GIB, total: GIB }) },
    );
  }

  renameVolume(ctx: Ctx, instanceUuid: string, volumeId: string, newVolumeId: string): Promise<void> {
    return this.#scripted(ctx, "renameVolume", instanceUuid, () => {
      const guest = this.need(instanceUuid);
      const has = (id: string): boolean => guest.volumes.some((one) => one.volumeId === id);
      if (!has(volumeId) && !has(newVolumeId))
        throw DriverErrors.VOLUME_NOT_ATTACHED({ volume: volumeId, instanceUuid });
      const volumes = guest.volumes.map((one) =>
        one.volumeId === volumeId ? { ...one, volumeId: newVolumeId } : one,
      );
      this.put({ ...guest, volumes });
    });
  }

  taggedVolumes(ctx: Ctx, instanceUuid: string): Promise<readonly TaggedVolume[]> {
    return this.#scripted(ctx, "taggedVolumes", instanceUuid, () =>
      (this.guests.get(instanceUuid)?.volumes ?? []).flatMap(({ volumeId, deviceName, tag }) =>
        tag === undefined ? [] : [{ volumeId, deviceName, tag, bus: "none" as const, address: undefined }],
      ),
    );
  }

  extendVolume(ctx: Ctx, instanceUuid: string, volumeId: string, sizeBytes: number): Promise<void> {
    return this.#scripted(ctx, "extendVolume", instanceUuid, () => {
      const guest = this.need(instanceUuid);
      const volumes = guest.volumes.map((one) =>
        one.volumeId === volumeId ? { ...one, sizeBytes: Math.max(sizeBytes, one.sizeBytes ?? 0) } : one,
      );
      this.put({ ...guest, volumes });
    });
  }

  exportDisks(
    ctx: Ctx,
    instanceUuid: string,
    transfer: DiskTransfer,
    _softTimeoutMs: number,
  ): Promise<readonly LeavingDisk[]> {
    return this.#scripted(ctx, "exportDisks", instanceUuid, () => {
      const guest = this.need(instanceUuid);
      const { transferId, toHost } = transfer;
      this.put({ ...guest, powerState: "SHUTDOWN", pid: 0, leaving: { transferId, toHost } });
      return leavingDisks(guest);
    });
  }

  openLeavingDisk(
    ctx: Ctx,
    instanceUuid: string,
    transfer: DiskTransfer,
    disk: string,
    fromByte: number,
  ): Promise<LeavingDiskData> {
    return this.#scripted(ctx, "openLeavingDisk", instanceUuid, () =>
      openLeaving(() => this.guests.get(instanceUuid), transfer, disk, fromByte),
    );
  }

  keepDisks(ctx: Ctx, instanceUuid: string): Promise<void> {
    return this.#scripted(ctx, "keepDisks", instanceUuid, () => {
      const guest = this.guests.get(instanceUuid);
      if (guest?.leaving !== undefined) this.put({ ...guest, leaving: undefined });
    });
  }

  /** A delay by a rule is told of as if a GiB were being fetched; the disks themselves are small. */
  importDisks(ctx: Ctx, spec: GuestSpec, arrival: Arrival, tell: Tell<MovePhase> = untold): Promise<void> {
    return this.#scripted(
      ctx,
      "importDisks",
      spec.instanceUuid,
      async () => {
        const { instanceUuid } = spec;
        const { transferId } = arrival;
        const guest = this.guests.get(instanceUuid);
        if (guest?.arrivedBy === transferId) return;
        if (guest !== undefined) throw DriverErrors.GUEST_HERE_ALREADY({ instanceUuid });
        const before = this.arriving.get(instanceUuid);
        const have: FakeDisks = before?.transferId === transferId ? before.disks : {};
        const keep = (disks: FakeDisks): void => this.arrive(instanceUuid, { transferId, disks });
        const disks = await fetchDisks(ctx, arrival, have, keep, tell);
        this.put({ ...toGuest(spec), defines: 1, disks, arrivedBy: transferId });
        this.arriving.delete(instanceUuid);
        this.files?.dropArriving(instanceUuid);
      },
      {
        name: spec.instanceName,
        passed: (part) => tell({ phase: "disk_move", done: part * GIB, total: GIB }),
      },
    );
  }

  diagnostics(ctx: Ctx, instanceUuid: string): Promise<GuestDiagnostics> {
    return this.#scripted(ctx, "diagnostics", instanceUuid, () => {
      const guest = this.needUp(instanceUuid);
      return {
        driver: "libvirt",
        hypervisor: "fake",
        hypervisorOs: "linux",
        uptimeSeconds: 0,
        configDrive: guest.hasConfigDrive,
        cpus: Array.from({ length: guest.vcpus }, (_, id) => ({ id, timeNs: 0, utilisationPercent: 0 })),
        nics: guest.macAddresses.map((macAddress) => ({ portId: "", macAddress })),
        disks: [undefined, ...guest.volumes].map(() => ({ ...quietDisk })),
        memoryMaximumMib: guest.memoryMib,
        memoryUsedMib: guest.memoryMib,
      };
    });
  }

  async #scripted<T>(
    ctx: Ctx,
    method: FakeMethod,
    instanceUuid: string | undefined,
    effect: () => T | Promise<T>,
    { name, passed }: { readonly name?: string; readonly passed?: (part: number) => void } = {},
  ): Promise<T> {
    const instanceName =
      name ?? (instanceUuid === undefined ? undefined : this.guests.get(instanceUuid)?.instanceName);
    const rule = this.rules.take(method, instanceUuid, instanceName);
    if (rule === undefined) return effect();
    if (rule.when !== "after") await applyRule(ctx, rule, passed);
    const result = await effect();
    if (rule.when === "after") await applyRule(ctx, rule, passed);
    return result;
  }
}

const UNSCRIPTED: ReadonlySet<string> = new Set(["constructor", "close", "onEvent"]);

/** What of it can be told to fail, to be late or to hang: every method that it has as a driver. */
export const FAKE_METHODS: readonly FakeMethod[] = Object.getOwnPropertyNames(FakeDriver.prototype).filter(
  (name): name is FakeMethod => !UNSCRIPTED.has(name),
);

const quietDisk = { readBytes: 0, readRequests: 0, writeBytes: 0, writeRequests: 0, errors: 0 };

const toVolume = ({ volumeId, deviceName, deviceType, tag, connection }: GuestVolume): FakeVolume => ({
  volumeId,
  ...(tag === undefined ? {} : { tag }),
  deviceName,
  deviceType,
  protocol: connection.at.type,
  readOnly: connection.readOnly,
});

async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
/** What tells one spec from another; of a config drive the names of its files. */
const digestOf = ({ configDrive, ...plain }: GuestSpec | RescueSpec): string =>
  JSON.stringify({ ...plain, configDrive: configDrive && [...configDrive.keys()] });

const tail = (bytes: Uint8Array, maxBytes: number): Uint8Array =>
  bytes.subarray(Math.max(0, bytes.length - maxBytes));

/** A guest of this spec that never ran. */
function toGuest(spec: GuestSpec): FakeGuest {
  return {
    instanceUuid: spec.instanceUuid,
    instanceName: spec.instanceName,
    digest: digestOf(spec),
    vcpus: spec.vcpus,
    memoryMib: spec.memoryMib,
    macAddresses: spec.interfaces.map((i) => i.macAddress),
    portIds: spec.interfaces.map((i) => i.portId),
    hasConfigDrive: spec.configDrive !== undefined,
    powerState: "SHUTDOWN",
    pid: 0,
    defines: 0,
    starts: 0,
    console: "",
    rootDisk: 1,
    ephemeralDisk: 1,
    builtAs: "",
    snapshots: [],
    volumes: [],
  };
}

/** Tells of disks that a rule delays as if they were being copied. */
function disksPassed(spec: GuestSpec, tell: Tell<DiskPhase>): (part: number) => void {
  const total = Math.max(1, spec.rootGib) * GIB;
  return (part) => tell({ phase: "disks", done: part * total, total });
}

const toState = ({ instanceUuid, powerState, pid }: FakeGuest): GuestState => ({
  instanceUuid,
  powerState,
  pid,
});
