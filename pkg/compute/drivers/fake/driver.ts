import type { Ctx } from "../../../kernel/index.js";
import type {
  DiskPhase,
  DiskSnapshot,
  Driver,
  GuestEvent,
  GuestSpec,
  GuestState,
  HostInventory,
  HostTelemetry,
  SnapshotData,
  SnapshotPhase,
  SnapshotRequest,
  Tell,
} from "../../driver.js";
import { untold } from "../../driver.js";
import { DriverErrors } from "../errors.js";
import { uptimeNow } from "../host/uptime.js";
import { FakeHost, isUp } from "./fake-host.js";
import type { FakeGuest } from "./guest-file.js";
import { applyRule } from "./rules.js";
import type { FakeMethod } from "./rules.js";

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

  inspect(ctx: Ctx, instanceUuid: string): Promise<GuestState | undefined> {
    return this.#scripted(ctx, "inspect", instanceUuid, () => {
      const guest = this.guests.get(instanceUuid);
      return guest && toState(guest);
    });
  }

  /** Disks that are delayed by a rule are told of as if they were being copied. */
  define(ctx: Ctx, spec: GuestSpec, tell: Tell<DiskPhase> = untold): Promise<void> {
    const total = Math.max(1, spec.rootGib) * GIB;
    return this.#scripted(
      ctx,
      "define",
      spec.instanceUuid,
      () => {
        const before = this.guests.get(spec.instanceUuid);
        const { configDrive, ...plain } = spec;
        const digest = JSON.stringify({ ...plain, configDrive: configDrive && [...configDrive.keys()] });
        if (before?.digest === digest) return;
        this.put({
          instanceUuid: spec.instanceUuid,
          instanceName: spec.instanceName,
          digest,
          vcpus: spec.vcpus,
          memoryMib: spec.memoryMib,
          macAddresses: spec.interfaces.map((i) => i.macAddress),
          hasConfigDrive: configDrive !== undefined,
          powerState: before?.powerState ?? "SHUTDOWN",
          pid: before?.pid ?? 0,
          defines: (before?.defines ?? 0) + 1,
          starts: before?.starts ?? 0,
          console: before?.console ?? "",
          snapshots: before?.snapshots ?? [],
        });
      },
      { name: spec.instanceName, passed: (part) => tell({ phase: "disks", done: part * total, total }) },
    );
  }

  powerOn(ctx: Ctx, instanceUuid: string): Promise<void> {
    return this.#scripted(ctx, "powerOn", instanceUuid, () => {
      const guest = this.need(instanceUuid);
      if (!isUp(guest)) this.boot(guest);
    });
  }

  powerOff(ctx: Ctx, instanceUuid: string, _softTimeoutMs: number): Promise<void> {
    return this.#scripted(ctx, "powerOff", instanceUuid, () =>
      this.down(this.need(instanceUuid), "SHUTDOWN"),
    );
  }

  reboot(ctx: Ctx, instanceUuid: string, _type: "soft" | "hard", _softTimeoutMs: number): Promise<void> {
    return this.#scripted(ctx, "reboot", instanceUuid, () => this.boot(this.need(instanceUuid)));
  }

  remove(ctx: Ctx, instanceUuid: string): Promise<void> {
    return this.#scripted(ctx, "remove", instanceUuid, () => {
      this.guests.delete(instanceUuid);
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

  /** The guest remembers that it was told, not what. */
  setAdminPassword(ctx: Ctx, instanceUuid: string, _password: string): Promise<void> {
    return this.#scripted(ctx, "setAdminPassword", instanceUuid, () => {
      const guest = this.needUp(instanceUuid);
      this.put({ ...guest, console: `${guest.console}[fake] ${guest.instanceName} password set\n` });
    });
  }

  /**
   * A copy is one sector, whatever the flavor says. A delay by a rule is told of as if a GiB were being copied.
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
        const { length } = diskOf(guest);
        return { diskFormat: "raw", sizeBytes: length, virtualSizeBytes: length };
      },
      { passed: (part) => tell({ phase: "disk_copy", done: part * GIB, total: GIB }) },
    );
  }

  openSnapshot(ctx: Ctx, instanceUuid: string, snapshotId: string): Promise<SnapshotData> {
    return this.#scripted(ctx, "openSnapshot", instanceUuid, () => {
      const guest = this.need(instanceUuid);
      if (!guest.snapshots.includes(snapshotId)) throw DriverErrors.SNAPSHOT_LOST({ snapshotId });
      const disk = diskOf(guest);
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

  diagnostics(ctx: Ctx, instanceUuid: string): Promise<Readonly<Record<string, unknown>>> {
    return this.#scripted(ctx, "diagnostics", instanceUuid, () => {
      const guest = this.needUp(instanceUuid);
      return {
        // `driver` is a closed set for clients (they validate it); this is the member that fits.
        state: guest.powerState === "PAUSED" ? "paused" : "running",
        driver: "libvirt",
        hypervisor: "fake",
        hypervisor_os: "linux",
        uptime: 0,
        config_drive: guest.hasConfigDrive,
        num_cpus: guest.vcpus,
        num_nics: guest.macAddresses.length,
        num_disks: 1,
        cpu_details: Array.from({ length: guest.vcpus }, (_, id) => ({ id, time: 0, utilisation: 0 })),
        nic_details: guest.macAddresses.map((mac_address) => ({
          mac_address,
          rx_octets: 0,
          rx_errors: 0,
          rx_drop: 0,
          rx_packets: 0,
          rx_rate: null,
          tx_octets: 0,
          tx_errors: 0,
          tx_drop: 0,
          tx_packets: 0,
          tx_rate: null,
        })),
        disk_details: [
          { read_bytes: 0, read_requests: 0, write_bytes: 0, write_requests: 0, errors_count: 0 },
        ],
        memory_details: { maximum: guest.memoryMib, used: guest.memoryMib },
      };
    });
  }

  async #scripted<T>(
    ctx: Ctx,
    method: FakeMethod,
    instanceUuid: string | undefined,
    effect: () => T,
    { name, passed }: { readonly name?: string; readonly passed?: (part: number) => void } = {},
  ): Promise<T> {
    const instanceName =
      name ?? (instanceUuid === undefined ? undefined : this.guests.get(instanceUuid)?.instanceName);
    const rule = this.rules.take(method, instanceUuid, instanceName);
    if (rule === undefined) return effect();
    if (rule.when !== "after") await applyRule(ctx, rule, passed);
    const result = effect();
    if (rule.when === "after") await applyRule(ctx, rule, passed);
    return result;
  }
}

const UNSCRIPTED: ReadonlySet<string> = new Set(["constructor", "close", "onEvent"]);

/** What of it can be told to fail, to be late or to hang: every method that it has as a driver. */
export const FAKE_METHODS: readonly FakeMethod[] = Object.getOwnPropertyNames(FakeDriver.prototype).filter(
  (name): name is FakeMethod => !UNSCRIPTED.has(name),
);

/** A disk of one sector that says whose it is. */
function diskOf({ instanceName, starts }: FakeGuest): Uint8Array {
  const disk = new Uint8Array(512);
  disk.set(new TextEncoder().encode(`fake disk of ${instanceName}, started ${starts} times`.slice(0, 512)));
  return disk;
}

async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const tail = (bytes: Uint8Array, maxBytes: number): Uint8Array =>
  bytes.subarray(Math.max(0, bytes.length - maxBytes));

const toState = ({ instanceUuid, powerState, pid }: FakeGuest): GuestState => ({
  instanceUuid,
  powerState,
  pid,
});
