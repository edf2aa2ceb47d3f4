import { rmdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import {
  CommonErrors,
  FairSlots,
  KeyedLock,
  asKilonovaError,
  mapLimit,
  traced,
} from "../../../kernel/index.js";
import type { Ctx } from "../../../kernel/index.js";
import type {
  Arrival,
  ConsoleKind,
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
import { makeFolder, writeFileAtomic } from "../../../platform/files/index.js";
import { Isolation } from "../host/isolation.js";
import { runTool } from "../host/run-tool.js";
import type { RunTool } from "../host/run-tool.js";
import { importGuest } from "./arriving-disks.js";
import type { QemuConfig } from "./config.js";
import { HostBridges } from "./bridges/host-bridges.js";
import { boundConsole, boundConsoles, consoleTail } from "./console-log.js";
import { defineGuest } from "./define-guest.js";
import type { DefineTools } from "./define-guest.js";
import { asStarted, userOf, withPortsOf } from "./definition.js";
import type { Definition } from "./definition.js";
import { readDiagnostics } from "./diagnostics.js";
import { prepareDisks } from "./disks.js";
import { hasMemory, needRunning, needStaying, notStarted, toState, upOf } from "./entry.js";
import type { Entry } from "./entry.js";
import { askToShutDown, endProcess } from "./end-guest.js";
import { guestConsole } from "./guest-console.js";
import { GuestFiles } from "./guest-files.js";
import { interfaceSocketPath } from "./guest-paths.js";
import { probeHypervisor } from "./host-probe.js";
import { attachInterface, detachInterface, plugMissing, settleInterfaces } from "./interfaces.js";
import type { InterfaceTools } from "./interfaces.js";
import type { HypervisorFacts } from "./host-probe.js";
import { readInventory, readTelemetry } from "./inventory.js";
import { launch } from "./launch.js";
import { layoutOf } from "./layout.js";
import { leavingDisks, leavingMark, markLeaving, openLeaving, unmarkLeaving } from "./leaving-disks.js";
import { reattach } from "./reattach.js";
import { Mend } from "./mend.js";
import { missingImages } from "./missing-images.js";
import { discardPrepared, preparedRebuild, prepareRebuild, takeIncoming } from "./rebuild.js";
import { makeRescueFiles, removeRescueFiles, toRescue } from "./rescue.js";
import { loadGuest, setClock } from "./resume-guest.js";
import { openRunDir } from "./run-dir.js";
import { stoppedRecord, writeRunRecord } from "./run-record.js";
import { dropMemory, withdrawSaved } from "./saved-memory.js";
import { suspendGuest } from "./suspend-guest.js";
import { askGuestAgent } from "./guest-agent.js";
import { freeze, thaw } from "./quiesce.js";
import type { Freezable } from "./quiesce.js";
import { discard, openSnapshot, takeSnapshot } from "./snapshot.js";
import type { GuestSignal } from "./run-state.js";
import type { RunningGuest } from "./running-guest.js";
import { renameVolume, swapVolume } from "./swap-volume.js";
import { keyOf, taggedVolumes, volumesAtStart, withVolumesOf } from "./volume-device.js";
import { attachVolume, detachVolume, extendVolume, plugMissingVolumes } from "./volumes.js";
import type { VolumeTools } from "./volumes.js";

const CONSOLE_CHECK_MS = 5_000;
const GROUP_ATTEMPTS = 20;
const GROUP_WAIT_MS = 10;
const REATTACH_AT_ONCE = 8;
const INSPECT_TIMEOUT_MS = 2_000;
const MOST_WAITING_COPIES = 1_000;
/** How long until a guest that could not be thawed is told again. */
const THAW_AGAIN_MS = 60_000;
/** Whose password is set: of a guest with another system than Linux nobody has asked yet. */
const ADMINISTRATOR = "root";

/** What `start` found out. */
interface Host {
  readonly files: GuestFiles;
  readonly runDir: string;
  readonly isolation: Isolation;
  readonly facts: HypervisorFacts;
  readonly bridges: HostBridges;
}

/**
 * Real machines by QEMU over its monitor protocol. Guests are processes in sessions of their own: they do not
 * notice when the agent ends. One task per guest at a time; all waiting is for events, with a limit.
 */
export class QemuDriver implements Driver {
  readonly name = "qemu";
  readonly #config: QemuConfig;
  readonly #run: RunTool;
  readonly #isolation: Isolation | undefined;
  readonly #locks = new KeyedLock();
  /** Copies of disks. They wait here before they hold their guest's lock. */
  readonly #copies: FairSlots;
  readonly #guests = new Map<string, Entry>();
  /** What is prepared to take guests' places: its images are in use. */
  readonly #prepared = new Map<string, Definition>();
  /** Guests whose disks are on their way here: what they will stand on and boot is in use. */
  readonly #coming = new Set<GuestSpec>();
  /** Guests of which nothing is known but that they are there; they are left alone. */
  #spoiled: ReadonlySet<string> = new Set();
  readonly #mends = new WeakMap<RunningGuest, Mend>();
  #host: Host | undefined;
  #ctx: Ctx | undefined;
  #listener: (event: GuestEvent) => void = () => {};
  #consoleTimer: NodeJS.Timeout | undefined;

  /** @param isolation  opened by whoever also gives it to the image cache; else `start` opens one */
  constructor(config: QemuConfig, run: RunTool = runTool, isolation?: Isolation) {
    this.#config = config;
    const { snapshotsAtOnce } = config;
    this.#copies = new FairSlots({
      slots: snapshotsAtOnce,
      perKey: snapshotsAtOnce,
      queuePerKey: MOST_WAITING_COPIES,
    });
    this.#run = run;
    this.#isolation = isolation;
  }

  async start(ctx: Ctx): Promise<void> {
    const { stateDir, runtimeBase } = this.#config;
    const isolation = this.#isolation ?? (await Isolation.open({ ...this.#config.isolation, runtimeBase }));
    // Passing through is not reading: guests' folders inside are closed.
    makeFolder(stateDir, isolation.separatesUsers ? 0o711 : 0o700);
    isolation.assertReachable([stateDir, ...this.#config.imageDirs]);
    const runDir = await openRunDir(stateDir, runtimeBase, isolation.separatesUsers);
    const files = new GuestFiles(stateDir, runDir);
    const facts = await probeHypervisor(ctx, this.#config, isolation);
    const bridges = new HostBridges({
      config: this.#config,
      isolation,
      onLost: (uuid, volumeId) => this.#bridgeLost(uuid, volumeId),
    });
    this.#host = { files, runDir, isolation, facts, bridges };
    this.#ctx = ctx;
    const { definitions: found, spoiled } = await files.load(ctx.log);
    this.#spoiled = new Set(spoiled);
    // Files of its own may lie in a folder that never became a guest, until it does or is removed.
    const unfinished = await files.unfinished();
    const known = [...found.map(({ spec }) => spec.instanceUuid), ...spoiled, ...unfinished];
    const folders = new Set(known.map((uuid) => files.paths(uuid)).flatMap((p) => [p.dir, p.volumesDir]));
    isolation.uids?.forget(stateDir, (owner) => folders.has(owner));
    const events: GuestEvent[] = [];
    const attach = reattach(ctx, this.#config);
    await mapLimit(found, REATTACH_AT_ONCE, async (stored) => {
      const instanceUuid = stored.spec.instanceUuid;
      const paths = files.paths(instanceUuid);
      const definition = await takeIncoming(files, paths, stored);
      const prepared = await preparedRebuild(paths);
      if (prepared !== undefined) this.#prepared.set(instanceUuid, prepared);
      const { running, last, saved, tell } = await attach(definition, paths);
      const leaving = await leavingMark(paths);
      const entry: Entry = { definition, paths, running: undefined, last, saved, leaving };
      this.#guests.set(instanceUuid, entry);
      if (running) this.#follow(entry, running);
      else await this.#settleUser(entry);
      if (tell) events.push({ instanceUuid, ...tell });
      this.#thawLater(ctx, entry);
    });
    await bridges.adopt(
      ctx,
      [...this.#guests.values()].map((entry) => ({ ...entry, isUp: !!upOf(entry) })),
    );
    for (const entry of this.#guests.values()) this.#mendVolumes(entry);
    for (const event of events) this.#listener(event);
    this.#consoleTimer = setInterval(() => this.#boundConsoles(), CONSOLE_CHECK_MS).unref();
    ctx.log.info("compute.qemu.started", {
      guests: found.length,
      running: found.length - this.#stopped().length,
      version: facts.version,
      isolation: isolation.summary,
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#consoleTimer);
    for (const entry of this.#guests.values()) {
      entry.running?.detach();
      clearTimeout(entry.thaws);
    }
    this.#host?.bridges.close();
    this.#guests.clear();
    this.#prepared.clear();
    this.#listener = () => {};
    // Only an empty one goes: running guests keep their sockets.
    if (this.#host) await rmdir(this.#host.runDir).catch(() => undefined);
    this.#host = undefined;
  }

  guestIsolation(): string {
    return this.#started().isolation.summary;
  }

  inventory(ctx: Ctx): Promise<HostInventory> {
    return readInventory(ctx, this.#config, this.#started().facts);
  }

  telemetry(ctx: Ctx): Promise<HostTelemetry> {
    return readTelemetry(ctx, this.#config);
  }

  async list(_ctx: Ctx): Promise<readonly GuestState[]> {
    this.#started();
    return [...this.#guests.values()].map(toState);
  }

  async listUnfinished(_ctx: Ctx): Promise<readonly string[]> {
    return this.#started().files.unfinished();
  }

  async inspect(_ctx: Ctx, instanceUuid: string): Promise<GuestState | undefined> {
    this.#started();
    const entry = this.#guests.get(instanceUuid);
    // A monitor that does not answer is no reason to fail: then the last word counts.
    await entry?.running?.refresh(INSPECT_TIMEOUT_MS).catch(() => undefined);
    return entry && toState(entry);
  }

  define(ctx: Ctx, spec: GuestSpec): Promise<void> {
    return this.#locks.run(spec.instanceUuid, async () => {
      const { files } = this.#started();
      this.#notSpoiled(spec.instanceUuid);
      const entry = this.#guests.get(spec.instanceUuid);
      if (entry) {
        needStaying(entry);
        await this.#settleDisks(entry);
      }
      const paths = files.paths(spec.instanceUuid);
      const definition = await defineGuest(
        ctx,
        { spec, before: entry?.definition, isRunning: entry !== undefined && hasMemory(entry), paths },
        this.#defineTools(),
      );
      if (entry) entry.definition = definition;
      else this.#guests.set(spec.instanceUuid, { definition, paths, ...notStarted });
    });
  }

  powerOn(ctx: Ctx, instanceUuid: string): Promise<void> {
    return this.#locked(instanceUuid, async (entry) => {
      needStaying(entry);
      if (entry.running && entry.running.powerState !== "SHUTDOWN" && entry.running.alive) return;
      await this.#end(entry);
      await this.#boot(ctx, entry);
    });
  }

  powerOff(ctx: Ctx, instanceUuid: string, softTimeoutMs: number): Promise<void> {
    if (softTimeoutMs <= 0) this.#guests.get(instanceUuid)?.running?.hurry();
    return this.#locked(instanceUuid, async (entry) => {
      await this.#shutDown(ctx, entry, softTimeoutMs);
      await this.#end(entry);
      await this.#forgetMemory(entry);
    });
  }

  reboot(ctx: Ctx, instanceUuid: string, type: "soft" | "hard", softTimeoutMs: number): Promise<void> {
    if (type === "hard") this.#guests.get(instanceUuid)?.running?.hurry();
    return this.#locked(instanceUuid, async (entry) => {
      needStaying(entry);
      // ACPI knows no reboot: the guest shuts down and is started anew, as Nova does it.
      if (type === "soft") await this.#shutDown(ctx, entry, softTimeoutMs);
      await this.#end(entry);
      await this.#boot(ctx, entry);
    });
  }

  remove(_ctx: Ctx, instanceUuid: string): Promise<void> {
    this.#guests.get(instanceUuid)?.running?.hurry();
    return this.#locks.run(instanceUuid, async () => {
      const { files, isolation, bridges } = this.#started();
      this.#notSpoiled(instanceUuid);
      const entry = this.#guests.get(instanceUuid);
      const paths = files.paths(instanceUuid);
      if (entry) await this.#end(entry);
      bridges.forget({ paths });
      await files.discard(paths, instanceUuid);
      // Also of one that never was a guest: disks may have begun to come.
      isolation.uids?.releaseAll(paths.dir);
      this.#guests.delete(instanceUuid);
      this.#prepared.delete(instanceUuid);
    });
  }

  onEvent(listener: (event: GuestEvent) => void): void {
    this.#listener = listener;
  }

  interfaceSocketPath(instanceUuid: string, portId: string): string {
    return interfaceSocketPath(this.#started().runDir, instanceUuid, portId);
  }

  imagesInUse(): ReadonlySet<string> {
    const all: readonly (Definition | { readonly spec: GuestSpec; readonly rescue: null })[] = [
      ...[...this.#guests.values()].map(({ definition }) => definition),
      ...this.#prepared.values(),
      ...[...this.#coming].map((spec) => ({ spec, rescue: null })),
    ];
    const paths = all.flatMap(({ spec, rescue }) => [
      spec.rootImage?.path,
      rescue?.image.path,
      ...[spec.kernel, rescue?.kernel].flatMap((kernel) => [kernel?.kernelPath, kernel?.ramdiskPath]),
    ]);
    return new Set(paths.filter((path) => path !== undefined && path !== null));
  }

  async missingImages(_ctx: Ctx, instanceUuid: string): Promise<readonly string[]> {
    const { definition, paths } = this.#need(instanceUuid);
    return missingImages(definition, paths);
  }

  async consoleLog(_ctx: Ctx, instanceUuid: string, maxBytes: number): Promise<Uint8Array> {
    return consoleTail(this.#need(instanceUuid).paths, maxBytes);
  }

  async guestConsole(_ctx: Ctx, instanceUuid: string, kind: ConsoleKind): Promise<GuestConsole> {
    return guestConsole(this.#need(instanceUuid), kind);
  }

  pause(ctx: Ctx, instanceUuid: string): Promise<void> {
    return this.#locked(instanceUuid, async (entry) => {
      const running = needRunning(entry);
      if (running.runState === "paused") return;
      running.changeExpected = "paused";
      await command(ctx, running, "stop");
      await running.refresh();
    });
  }

  unpause(ctx: Ctx, instanceUuid: string): Promise<void> {
    return this.#locked(instanceUuid, async (entry) => {
      const running = needRunning(entry);
      if (running.runState === "running") return;
      running.changeExpected = "resumed";
      await command(ctx, running, "cont");
      await running.refresh();
    });
  }

  suspend(ctx: Ctx, instanceUuid: string, tell: Tell<MemoryPhase> = untold): Promise<void> {
    return this.#locked(instanceUuid, async (entry) => {
      const { definition, paths, saved } = entry;
      entry.saved =
        saved ??
        (await suspendGuest(ctx, { running: needRunning(entry), definition, paths }, this.#config, tell));
      if (entry.running) await this.#end(entry);
    });
  }

  resume(ctx: Ctx, instanceUuid: string, tell: Tell<MemoryPhase> = untold): Promise<void> {
    return this.#locked(instanceUuid, async (entry) => {
      needStaying(entry);
      const { files, isolation, bridges } = this.#started();
      const { paths, saved } = entry;
      if (saved) {
        if (entry.running) await this.#end(entry);
        await this.#settleUser(entry);
        const { definition } = entry;
        await files.makeStartable(paths, definition, userOf(definition));
        await bridges.startAll(ctx, entry);
        const tools = { config: this.#config, isolation, files };
        const running = await loadGuest(ctx, { definition, paths, saved }, tools, tell).catch(
          async (error: unknown) => {
            await bridges.endAll(entry);
            await this.#leaveGroups(instanceUuid);
            throw error;
          },
        );
        await withdrawSaved(paths);
        entry.saved = undefined;
        this.#follow(entry, running);
      } else if (entry.running === undefined) throw DriverErrors.SAVED_MEMORY_LOST({ instanceUuid });
      const running = needRunning(entry);
      if (running.runState === "running") return;
      running.changeExpected = "resumed";
      await command(ctx, running, "cont");
      await running.refresh();
      await dropMemory(paths);
      await settleInterfaces(ctx, entry, this.#interfaceTools());
      await setClock(ctx, entry);
      // What it was given while it slept.
      this.#mendVolumes(entry);
    });
  }

  injectNmi(ctx: Ctx, instanceUuid: string): Promise<void> {
    return this.#locked(instanceUuid, async (entry) => {
      try {
        await command(ctx, needRunning(entry), "inject-nmi");
      } catch (error) {
        if (asKilonovaError(error).reason !== "COMMAND_REFUSED") throw error;
        throw DriverErrors.NMI_UNSUPPORTED({}, { cause: error });
      }
    });
  }

  rescue(ctx: Ctx, instanceUuid: string, spec: RescueSpec, softTimeoutMs: number): Promise<void> {
    return this.#locked(instanceUuid, async (entry) => {
      needStaying(entry);
      const { facts, isolation } = this.#started();
      const rescue = toRescue(spec, entry.definition, facts.offer);
      if (isDeepStrictEqual(entry.definition.rescue, rescue)) return;
      await this.#leaveRescue(ctx, entry, 0);
      const tools = { run: this.#run, config: this.#config, isolation, user: userOf(entry.definition) };
      await makeRescueFiles(ctx, rescue, spec.configDrive, entry.paths, tools);
      await this.#shutDown(ctx, entry, softTimeoutMs);
      await this.#end(entry);
      await this.#forgetMemory(entry);
      await this.#redefine(entry, { ...entry.definition, rescue });
    });
  }

  unrescue(ctx: Ctx, instanceUuid: string, softTimeoutMs: number): Promise<void> {
    return this.#locked(instanceUuid, async (entry) => {
      await this.#leaveRescue(ctx, entry, softTimeoutMs);
      await removeRescueFiles(entry.paths);
    });
  }

  setAdminPassword(_ctx: Ctx, instanceUuid: string, password: string): Promise<void> {
    return this.#locked(instanceUuid, async (entry) => {
      needRunning(entry);
      if (asStarted(entry.definition).spec.hardware.guestAgent !== true)
        throw DriverErrors.GUEST_AGENT_MISSING({});
      await askGuestAgent(entry.paths.agentSocket, "guest-set-user-password", {
        username: ADMINISTRATOR,
        password: Buffer.from(password).toString("base64"),
        crypted: false,
      });
    });
  }

  prepareRebuild(ctx: Ctx, spec: GuestSpec, options: RebuildOptions): Promise<void> {
    const { instanceUuid } = spec;
    return this.#locks.run(instanceUuid, async () => {
      const paths = this.#started().files.paths(instanceUuid);
      this.#notSpoiled(instanceUuid);
      const entry = this.#guests.get(instanceUuid);
      if (entry) await this.#settleDisks(entry);
      this.#prepared.delete(instanceUuid);
      const prepared = await prepareRebuild(
        ctx,
        { spec, options, before: entry?.definition, paths },
        this.#defineTools(),
      );
      // What has no room in it is known before the guest is ended.
      if (entry) withVolumesOf(entry.definition, withPortsOf(entry.definition, prepared));
      this.#prepared.set(instanceUuid, prepared);
    });
  }

  rebuild(ctx: Ctx, instanceUuid: string, key: string, softTimeoutMs: number): Promise<void> {
    return this.#locks.run(instanceUuid, async () => {
      const { files } = this.#started();
      const paths = files.paths(instanceUuid);
      this.#notSpoiled(instanceUuid);
      const entry = this.#guests.get(instanceUuid);
      if (entry) needStaying(entry);
      if (entry?.definition.builtAs === key) return this.#settleDisks(entry);
      const prepared = await preparedRebuild(paths);
      if (prepared?.builtAs !== key) throw DriverErrors.REBUILD_NOT_PREPARED({ instanceUuid });
      if (entry) {
        await this.#shutDown(ctx, entry, softTimeoutMs);
        await this.#end(entry);
        await this.#forgetMemory(entry);
      }
      // Its user may have changed meanwhile; files get their owner before each start.
      const made = { ...prepared, uid: entry?.definition.uid ?? prepared.uid };
      const definition = entry ? withVolumesOf(entry.definition, withPortsOf(entry.definition, made)) : made;
      await files.commit(paths, definition);
      const rebuilt: Entry = entry ?? { definition, paths, ...notStarted };
      rebuilt.definition = definition;
      this.#guests.set(instanceUuid, rebuilt);
      this.#prepared.delete(instanceUuid);
      await this.#settleDisks(rebuilt);
    });
  }

  discardRebuild(_ctx: Ctx, instanceUuid: string): Promise<void> {
    return this.#locks.run(instanceUuid, async () => {
      const paths = this.#started().files.paths(instanceUuid);
      const entry = this.#guests.get(instanceUuid);
      // What is being put in place is the guest's own by now.
      if (entry) await this.#settleDisks(entry);
      this.#prepared.delete(instanceUuid);
      await discardPrepared(paths);
    });
  }

  takeSnapshot(
    ctx: Ctx,
    instanceUuid: string,
    request: SnapshotRequest,
    tell: Tell<SnapshotPhase> = untold,
  ): Promise<DiskSnapshot> {
    const copy = (): Promise<DiskSnapshot> =>
      this.#locks.run(instanceUuid, async () => {
        const { isolation, files } = this.#started();
        const tools = { run: this.#run, config: this.#config, isolation, files };
        return takeSnapshot(ctx, this.#need(instanceUuid), request, tell, tools);
      });
    return this.#copies.run("", ctx.signal, tooManyCopies, copy);
  }

  quiesce(ctx: Ctx, instanceUuid: string, mostMs: number): Promise<void> {
    return this.#locked(instanceUuid, async (entry) => {
      if (entry.thaws !== undefined) return;
      if (entry.running?.runState !== "running") throw DriverErrors.QUIESCE_FAILED({ instanceUuid });
      await freeze(freezable(ctx, entry));
      entry.thaws = setTimeout(() => this.#thawLater(this.#ctx ?? ctx, entry), mostMs).unref();
    });
  }

  unquiesce(ctx: Ctx, instanceUuid: string): Promise<boolean> {
    return this.#locks.run(instanceUuid, async () => {
      this.#started();
      const entry = this.#guests.get(instanceUuid);
      if (entry === undefined) return false;
      const stoodStill = entry.thaws !== undefined && entry.running !== undefined;
      if (!(await this.#thaw(ctx, entry))) this.#thawAgain(entry);
      return stoodStill;
    });
  }

  async openSnapshot(_ctx: Ctx, instanceUuid: string, snapshotId: string): Promise<SnapshotData> {
    return openSnapshot(this.#need(instanceUuid), snapshotId);
  }

  dropSnapshot(_ctx: Ctx, instanceUuid: string, snapshotId: string): Promise<void> {
    return this.#locks.run(instanceUuid, async () => {
      this.#started();
      const entry = this.#guests.get(instanceUuid);
      if (entry !== undefined) await discard(entry, snapshotId);
    });
  }

  attachInterface(ctx: Ctx, instanceUuid: string, nic: GuestInterface): Promise<void> {
    return this.#locked(instanceUuid, (entry) => attachInterface(ctx, entry, nic, this.#interfaceTools()));
  }

  detachInterface(ctx: Ctx, instanceUuid: string, portId: string): Promise<void> {
    return this.#locked(instanceUuid, (entry) => detachInterface(ctx, entry, portId, this.#interfaceTools()));
  }

  async volumeConnector(_ctx: Ctx): Promise<VolumeConnector> {
    const { hypervisorHostname: host, hostIp: ip, iscsiInitiator: initiator } = this.#config;
    return { host, ip, initiator };
  }

  attachVolume(ctx: Ctx, instanceUuid: string, volume: GuestVolume): Promise<void> {
    return this.#locked(instanceUuid, (entry) => {
      const volumeId = keyOf(entry.definition, volume.volumeId);
      return attachVolume(ctx, entry, { ...volume, volumeId }, this.#volumeTools());
    });
  }

  detachVolume(ctx: Ctx, instanceUuid: string, volumeId: string): Promise<void> {
    return this.#locked(instanceUuid, (entry) =>
      detachVolume(ctx, entry, keyOf(entry.definition, volumeId), this.#volumeTools()),
    );
  }

  swapVolume(
    ctx: Ctx,
    instanceUuid: string,
    oldVolumeId: string,
    volume: GuestVolume,
    tell: Tell<VolumePhase> = untold,
  ): Promise<void> {
    return this.#locked(instanceUuid, (entry) =>
      swapVolume(ctx, entry, keyOf(entry.definition, oldVolumeId), volume, this.#volumeTools(), tell),
    );
  }

  renameVolume(_ctx: Ctx, instanceUuid: string, volumeId: string, newVolumeId: string): Promise<void> {
    return this.#locked(instanceUuid, (entry) =>
      renameVolume(entry, volumeId, newVolumeId, this.#volumeTools()),
    );
  }

  async taggedVolumes(_ctx: Ctx, instanceUuid: string): Promise<readonly TaggedVolume[]> {
    const entry = this.#guests.get(instanceUuid);
    return entry === undefined ? [] : taggedVolumes(entry.definition);
  }

  extendVolume(ctx: Ctx, instanceUuid: string, volumeId: string, sizeBytes: number): Promise<void> {
    return this.#locked(instanceUuid, (entry) =>
      extendVolume(ctx, entry, keyOf(entry.definition, volumeId), sizeBytes, this.#volumeTools()),
    );
  }

  exportDisks(
    ctx: Ctx,
    instanceUuid: string,
    transfer: DiskTransfer,
    softTimeoutMs: number,
  ): Promise<readonly LeavingDisk[]> {
    if (softTimeoutMs <= 0) this.#guests.get(instanceUuid)?.running?.hurry();
    return this.#locks.run(instanceUuid, async () => {
      const entry = this.#need(instanceUuid);
      await this.#shutDown(ctx, entry, softTimeoutMs);
      await this.#end(entry);
      await this.#forgetMemory(entry);
      await this.#settleDisks(entry);
      await writeFileAtomic(entry.paths.layout, JSON.stringify(layoutOf(entry.definition)));
      const disks = await leavingDisks(entry);
      await markLeaving(entry.paths, transfer);
      entry.leaving = transfer;
      return disks;
    });
  }

  async openLeavingDisk(
    ctx: Ctx,
    instanceUuid: string,
    transfer: DiskTransfer,
    disk: string,
    fromByte: number,
  ): Promise<LeavingDiskData> {
    this.#started();
    return openLeaving(ctx, this.#guests.get(instanceUuid), transfer, disk, fromByte);
  }

  keepDisks(_ctx: Ctx, instanceUuid: string): Promise<void> {
    return this.#locks.run(instanceUuid, async () => {
      this.#started();
      this.#notSpoiled(instanceUuid);
      const entry = this.#guests.get(instanceUuid);
      if (entry === undefined) return;
      await unmarkLeaving(entry.paths);
      entry.leaving = undefined;
    });
  }

  async importDisks(
    ctx: Ctx,
    spec: GuestSpec,
    arrival: Arrival,
    tell: Tell<MovePhase> = untold,
  ): Promise<void> {
    const { instanceUuid } = spec;
    this.#coming.add(spec);
    try {
      await this.#locks.run(instanceUuid, async () => {
        const { files } = this.#started();
        this.#notSpoiled(instanceUuid);
        const entry = this.#guests.get(instanceUuid);
        if (entry?.definition.arrivedBy === arrival.transferId) return;
        if (entry !== undefined) throw DriverErrors.GUEST_HERE_ALREADY({ instanceUuid });
        const paths = files.paths(instanceUuid);
        const definition = await importGuest(ctx, { spec, arrival, paths }, this.#defineTools(), tell);
        this.#guests.set(instanceUuid, { definition, paths, ...notStarted });
      });
    } finally {
      this.#coming.delete(spec);
    }
  }

  async diagnostics(_ctx: Ctx, instanceUuid: string): Promise<GuestDiagnostics> {
    const entry = this.#need(instanceUuid);
    return readDiagnostics(needRunning(entry), entry.definition, this.#config.virtType);
  }

  // ---- steps, all under the guest's lock ----

  async #boot(ctx: Ctx, entry: Entry): Promise<void> {
    const { files, isolation, bridges } = this.#started();
    const { paths } = entry;
    await this.#forgetMemory(entry);
    await this.#settleDisks(entry);
    await this.#settleUser(entry);
    const { definition } = entry;
    const user = userOf(definition);
    await prepareDisks(
      ctx,
      { definition, before: definition, paths, isRunning: false },
      { run: this.#run, config: this.#config, isolation, user },
    );
    boundConsole(paths, this.#config.consoleBytes);
    await files.makeStartable(paths, definition, user);
    await bridges.startAll(ctx, entry);
    const tools = { config: this.#config, isolation, files };
    const running = await launch(ctx, definition, paths, tools).catch(async (error: unknown) => {
      await bridges.endAll(entry);
      throw error;
    });
    this.#follow(entry, running);
    running.changeExpected = "resumed";
    await command(ctx, running, "cont");
    await running.refresh();
    ctx.log.info("compute.qemu.guest.started", {
      instanceUuid: running.instanceUuid,
      pid: running.identity.pid,
    });
  }

  /** Ends a rescued guest and has it boot from its own disk from now on; its rescue's files stay. */
  async #leaveRescue(ctx: Ctx, entry: Entry, softTimeoutMs: number): Promise<void> {
    if (entry.definition.rescue === null) return;
    await this.#shutDown(ctx, entry, softTimeoutMs);
    await this.#end(entry);
    await this.#redefine(entry, { ...entry.definition, rescue: null });
  }

  async #redefine(entry: Entry, definition: Definition): Promise<void> {
    await this.#started().files.commit(entry.paths, definition);
    entry.definition = definition;
  }

  async #shutDown(ctx: Ctx, entry: Entry, softTimeoutMs: number): Promise<void> {
    if (entry.running === undefined || softTimeoutMs <= 0) return;
    entry.running.endExpected = true;
    try {
      await askToShutDown(ctx, entry.running, softTimeoutMs, this.#config.powerButtonIntervalMs);
    } catch (error) {
      entry.running.endExpected = false;
      throw error;
    }
  }

  /** Finishes a rebuild that was cut short after it had become the guest's definition. */
  async #settleDisks(entry: Entry): Promise<void> {
    entry.definition = await takeIncoming(this.#started().files, entry.paths, entry.definition);
  }

  #defineTools(): DefineTools {
    const { files, runDir, isolation, facts } = this.#started();
    return { config: this.#config, offer: facts.offer, files, run: this.#run, runDir, isolation };
  }

  /**
   * Gives the stopped guest its user again. After a reboot of the machine another guest may have got that
   * number, and a guest of an older version has none of its own.
   */
  async #settleUser(entry: Entry): Promise<void> {
    const { files, isolation } = this.#started();
    const { definition, paths } = entry;
    const uid = isolation.uids?.take(paths.dir, definition.uid ?? undefined).uid ?? null;
    if (uid === definition.uid) return;
    entry.definition = { ...definition, uid };
    await files.give(paths, entry.definition, userOf(entry.definition));
    await files.commit(paths, entry.definition);
  }

  /** A guest that starts anew, or is to be off, does not go on from where it stood. */
  async #forgetMemory(entry: Entry): Promise<void> {
    if (entry.saved === undefined) return;
    await withdrawSaved(entry.paths);
    entry.saved = undefined;
    await dropMemory(entry.paths);
  }

  /** Leaves no process, and no memory of a crash. */
  async #end(entry: Entry): Promise<void> {
    if (entry.running) await endProcess(entry.running, entry.paths, this.#config);
    else if (entry.last === "crashed") await writeRunRecord(entry.paths.runRecord, stoppedRecord);
    entry.running = undefined;
    entry.last = "stopped";
    await this.#started().bridges.endAll(entry);
    await this.#leaveGroups(entry.definition.spec.instanceUuid);
  }

  /** The kernel keeps a process in its groups until its parent has seen its end. */
  async #leaveGroups(instanceUuid: string): Promise<void> {
    const { cgroups } = this.#started().isolation;
    for (let attempt = 1; cgroups?.remove(instanceUuid) === false; attempt++) {
      if (attempt > GROUP_ATTEMPTS)
        return this.#ctx?.log.warn("compute.qemu.guest.groups-left", { instanceUuid });
      await delay(GROUP_WAIT_MS);
    }
  }

  #interfaceTools(): InterfaceTools {
    const { files, facts, runDir } = this.#started();
    return { files, offer: facts.offer, runDir, patience: this.#config };
  }

  #volumeTools(): VolumeTools {
    const { files, bridges } = this.#started();
    return { files, bridges, patience: this.#config };
  }

  // ---- what happens unasked ----

  /** A daemon that reaches a volume is gone; the guest waits for the volume until there is another one. */
  #bridgeLost(instanceUuid: string, volumeId: string): void {
    const entry = this.#guests.get(instanceUuid);
    if (entry?.running === undefined || entry.running.endExpected) return;
    this.#ctx?.log.warn("compute.qemu.volume.daemon-lost", { instanceUuid, volumeId });
    this.#mendVolumes(entry);
  }

  /** Gives a running guest back what it has lost of its volumes, and tries again until it has. */
  #mendVolumes(entry: Entry): void {
    const { running, definition } = entry;
    if (running === undefined || volumesAtStart(definition).length === 0) return;
    const mend = this.#mends.get(running) ?? new Mend(() => this.#giveVolumesBack(entry, running));
    this.#mends.set(running, mend);
    mend.wanted();
  }

  /** @throws when it is to be tried again */
  #giveVolumesBack(entry: Entry, running: RunningGuest): Promise<void> {
    const { instanceUuid } = running;
    return this.#locks.run(instanceUuid, async () => {
      const ctx = this.#ctx;
      if (this.#host === undefined || ctx === undefined) return;
      if (entry.running !== running || running.endExpected) return;
      try {
        await plugMissingVolumes(ctx, entry, this.#volumeTools());
      } catch (error) {
        // Closed meanwhile: it is the next agent's to mend.
        if (this.#host === undefined) return;
        ctx.log.error("compute.qemu.volume.not-back", { instanceUuid, error });
        throw error;
      }
    });
  }

  /** Nobody may have come to thaw it, or a former agent has died while it was frozen. */
  #thawLater(ctx: Ctx, entry: Entry): void {
    const { instanceUuid } = entry.definition.spec;
    void this.#locks
      .run(instanceUuid, () => this.#thaw(ctx, entry))
      .catch((error: unknown) => {
        ctx.log.error("compute.qemu.guest.not-thawed", { instanceUuid, error });
        return false;
      })
      .then((thawed) => {
        if (!thawed) this.#thawAgain(entry);
      });
  }

  #thaw(ctx: Ctx, entry: Entry): Promise<boolean> {
    clearTimeout(entry.thaws);
    entry.thaws = undefined;
    return thaw(freezable(ctx, entry));
  }

  /** A guest that did not answer is told again, as long as this agent lives. */
  #thawAgain(entry: Entry): void {
    const ctx = this.#ctx;
    const isHere = this.#guests.get(entry.definition.spec.instanceUuid) === entry;
    if (ctx !== undefined && isHere) setTimeout(() => this.#thawLater(ctx, entry), THAW_AGAIN_MS).unref();
  }

  #follow(entry: Entry, running: RunningGuest): void {
    entry.running = running;
    // It let go of a device too late, or of one that nobody wanted back.
    running.onEvent(({ event, data }) => {
      const { spec, volumes } = entry.definition;
      if (event !== "DEVICE_DELETED") return;
      if (volumes.some(({ device }) => device === data["device"])) return this.#mendVolumes(entry);
      if (!spec.interfaces.some(({ device }) => device === data["device"])) return;
      this.#unasked(entry, running, async () => {
        if (this.#ctx !== undefined) await plugMissing(this.#ctx, entry, this.#interfaceTools());
      });
    });
    running.onSignal((signal) => this.#onSignal(entry, running, signal));
    // It may have shut down while it was being taken over.
    if (running.powerState === "SHUTDOWN")
      this.#onSignal(entry, running, { kind: "shutdown", byGuest: true, exits: running.toldToExit });
    void running.gone.then(() => this.#unasked(entry, running, () => this.#vanished(entry, running)));
  }

  #onSignal(entry: Entry, running: RunningGuest, signal: GuestSignal): void {
    const { instanceUuid } = running;
    const asked = running.endExpected || running.changeExpected === signal.kind;
    if (running.changeExpected === signal.kind) running.changeExpected = undefined;
    if (asked) return;
    switch (signal.kind) {
      case "paused":
        if (running.runState === "paused") this.#listener({ instanceUuid, type: "PAUSED", byGuest: false });
        break;
      case "resumed":
        this.#listener({ instanceUuid, type: "RESUMED", byGuest: false });
        break;
      case "reset":
        this.#listener({ instanceUuid, type: "REBOOTED", byGuest: signal.byGuest });
        break;
      case "shutdown":
        if (!signal.exits) this.#unasked(entry, running, () => this.#shutItselfDown(entry, signal.byGuest));
        break;
      case "panicked":
        this.#listener({ instanceUuid, type: "CRASHED", byGuest: true });
        break;
    }
  }

  /** Handles the end of a process that nobody asked for; skipped when a method got there first. */
  #unasked(entry: Entry, running: RunningGuest, handle: () => Promise<void>): void {
    void this.#locks
      .run(running.instanceUuid, async () => {
        if (entry.running === running && !running.endExpected) await handle();
      })
      .catch((error: unknown) =>
        this.#ctx?.log.error("compute.qemu.guest.end-unhandled", {
          instanceUuid: running.instanceUuid,
          error,
        }),
      );
  }

  async #shutItselfDown(entry: Entry, byGuest: boolean): Promise<void> {
    await this.#end(entry);
    this.#listener({ instanceUuid: entry.definition.spec.instanceUuid, type: "STOPPED", byGuest });
  }

  async #vanished(entry: Entry, running: RunningGuest): Promise<void> {
    entry.running = undefined;
    entry.last = running.toldToExit ? "stopped" : "crashed";
    await writeRunRecord(entry.paths.runRecord, { version: 1, phase: entry.last });
    await this.#started().bridges.endAll(entry);
    this.#ctx?.log.warn("compute.qemu.guest.vanished", {
      instanceUuid: running.instanceUuid,
      pid: running.identity.pid,
      as: entry.last,
    });
    this.#listener({
      instanceUuid: running.instanceUuid,
      type: running.toldToExit ? "STOPPED" : "CRASHED",
      byGuest: false,
    });
  }

  #boundConsoles(): void {
    const running = [...this.#guests.values()].filter((entry) => entry.running !== undefined);
    boundConsoles(running, this.#config.consoleBytes, ({ definition: { spec } }, error) =>
      this.#ctx?.log.error("compute.qemu.console.not-bounded", { instanceUuid: spec.instanceUuid, error }),
    );
  }

  // ---- look-ups ----

  #locked(instanceUuid: string, task: (entry: Entry) => Promise<void>): Promise<void> {
    return this.#locks.run(instanceUuid, () => task(this.#need(instanceUuid)));
  }

  #notSpoiled(instanceUuid: string): void {
    if (this.#spoiled.has(instanceUuid)) throw DriverErrors.DEFINITION_SPOILED({ instanceUuid });
  }

  #need(instanceUuid: string): Entry {
    this.#started();
    this.#notSpoiled(instanceUuid);
    const entry = this.#guests.get(instanceUuid);
    if (entry === undefined) throw DriverErrors.GUEST_NOT_DEFINED({ instanceUuid });
    return entry;
  }

  #started(): Host {
    if (this.#host === undefined) throw CommonErrors.UNAVAILABLE({ what: "The hypervisor driver" });
    return this.#host;
  }

  #stopped(): readonly Entry[] {
    return [...this.#guests.values()].filter((entry) => entry.running === undefined);
  }
}

/** A guest, as far as freezing goes. */
const freezable = ({ log }: Ctx, { definition, paths, running }: Entry): Freezable => {
  const { instanceUuid, hardware } = definition.spec;
  return { instanceUuid, paths, hears: running !== undefined && hardware.guestAgent === true, log };
};

const tooManyCopies = (): Error => CommonErrors.UNAVAILABLE({ what: "The host's turn to copy disks" });

/** A monitor command under a span of its own. */
const command = (ctx: Ctx, guest: RunningGuest, name: string): Promise<unknown> =>
  traced(ctx, `qmp ${name}`, {}, () => guest.execute(name));
