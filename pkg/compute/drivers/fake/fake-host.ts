import { PassThrough } from "node:stream";
import type { Duplex } from "node:stream";
import type { GuestEvent, HostInventory } from "../../driver.js";
import { DriverErrors } from "../errors.js";
import { FakeGuestFiles } from "./guest-file.js";
import type { ArrivingDisks, FakeGuest, PreparedGuest } from "./guest-file.js";
import { fakeInventory } from "./inventory.js";
import { FakeRules } from "./rules.js";

export interface FakeDriverOptions {
  readonly hostname: string;
  /** What differs from 64 VCPU, 256 GiB, 4 TiB. */
  readonly inventory?: Partial<HostInventory>;
  /** Folder that keeps the guests over restarts; memory only when unset. */
  readonly persistDir?: string;
  /** Shared between hosts when given. */
  readonly rules?: FakeRules;
}

/**
 * What a fake host remembers, and what a test does to it: it plays the guests and the world outside. What a
 * driver does is `FakeDriver`.
 */
export class FakeHost {
  readonly rules: FakeRules;
  protected offered: HostInventory;
  protected readonly guests = new Map<string, FakeGuest>();
  protected readonly prepared = new Map<string, PreparedGuest>();
  /** What has come of guests that are not defined here yet. */
  protected readonly arriving = new Map<string, ArrivingDisks>();
  protected readonly files: FakeGuestFiles | undefined;
  protected listener: (event: GuestEvent) => void = () => {};
  protected nextPid = 1000;
  /** Lines of consoles that somebody has open, by guest. */
  readonly #lines = new Map<string, Set<Duplex>>();

  constructor(options: FakeDriverOptions) {
    this.rules = options.rules ?? new FakeRules();
    this.offered = fakeInventory(options.hostname, options.inventory ?? {});
    this.files = options.persistDir === undefined ? undefined : new FakeGuestFiles(options.persistDir);
  }

  /** Counts from the next `inventory`. */
  setInventory(over: Partial<HostInventory>): void {
    this.offered = { ...this.offered, ...over };
  }

  /** The guest as the "hypervisor" remembers it. */
  guest(instanceUuid: string): FakeGuest | undefined {
    return this.guests.get(instanceUuid);
  }

  /** Plays `poweroff` inside the guest. */
  guestPowersOff(instanceUuid: string): void {
    this.down(this.needUp(instanceUuid), "SHUTDOWN");
    this.listener({ instanceUuid, type: "STOPPED", byGuest: true });
  }

  /** Plays `reboot` inside the guest. */
  guestReboots(instanceUuid: string): void {
    this.boot(this.needUp(instanceUuid));
    this.listener({ instanceUuid, type: "REBOOTED", byGuest: true });
  }

  /** Plays the death of the hypervisor process. */
  crashGuest(instanceUuid: string): void {
    this.down(this.needUp(instanceUuid), "CRASHED");
    this.listener({ instanceUuid, type: "CRASHED", byGuest: false });
  }

  protected boot(guest: FakeGuest): void {
    this.put({
      ...guest,
      powerState: "RUNNING",
      pid: this.nextPid++,
      starts: guest.starts + 1,
      console: `${guest.console}${bootLines(guest)}`.slice(-65_536),
    });
  }

  protected down(guest: FakeGuest, powerState: "SHUTDOWN" | "CRASHED"): void {
    if (guest.powerState !== powerState) this.put({ ...guest, powerState, pid: 0 });
  }

  /** A console on which a guest repeats what it is told, until it ends. */
  protected line(instanceUuid: string): Duplex {
    const line = new PassThrough();
    const open = this.#lines.get(instanceUuid) ?? new Set();
    this.#lines.set(instanceUuid, open.add(line));
    line.once("close", () => open.delete(line));
    return line;
  }

  protected hangUp(instanceUuid: string): void {
    for (const line of this.#lines.get(instanceUuid) ?? []) line.end();
    this.#lines.delete(instanceUuid);
  }

  protected put(guest: FakeGuest): void {
    const { pid } = this.guests.get(guest.instanceUuid) ?? guest;
    if (pid !== guest.pid) this.hangUp(guest.instanceUuid);
    this.files?.save(guest);
    this.guests.set(guest.instanceUuid, guest);
  }

  protected prepare(prepared: PreparedGuest): void {
    this.files?.savePrepared(prepared);
    this.prepared.set(prepared.guest.instanceUuid, prepared);
  }

  protected unprepare(instanceUuid: string): void {
    this.prepared.delete(instanceUuid);
    this.files?.dropPrepared(instanceUuid);
  }

  /** Puts what is prepared in the guest's place. @throws REBUILD_NOT_PREPARED */
  protected takePrepared(instanceUuid: string, key: string): void {
    const before = this.guests.get(instanceUuid);
    const prepared = this.prepared.get(instanceUuid);
    if (before?.leaving !== undefined) throw DriverErrors.GUEST_LEAVING({ instanceUuid });
    if (before?.builtAs !== key) {
      if (prepared?.key !== key) throw DriverErrors.REBUILD_NOT_PREPARED({ instanceUuid });
      const { guest, keepsEphemeral } = prepared;
      const ephemeralDisk = before?.ephemeralDisk ?? 0;
      const { portIds, macAddresses, volumes } = before ?? guest;
      this.put({
        ...guest,
        // They may have come and gone since it was prepared.
        portIds,
        macAddresses,
        volumes,
        builtAs: key,
        defines: (before?.defines ?? 0) + 1,
        starts: before?.starts ?? 0,
        console: before?.console ?? "",
        rootDisk: (before?.rootDisk ?? 0) + 1,
        ephemeralDisk: keepsEphemeral && before ? ephemeralDisk : ephemeralDisk + 1,
      });
    }
    this.unprepare(instanceUuid);
  }

  protected arrive(instanceUuid: string, arriving: ArrivingDisks): void {
    this.files?.saveArriving(instanceUuid, arriving);
    this.arriving.set(instanceUuid, arriving);
  }

  /** @throws GUEST_NOT_DEFINED, GUEST_LEAVING */
  protected needStaying(instanceUuid: string): FakeGuest {
    const guest = this.need(instanceUuid);
    if (guest.leaving !== undefined) throw DriverErrors.GUEST_LEAVING({ instanceUuid });
    return guest;
  }

  protected need(instanceUuid: string): FakeGuest {
    const guest = this.guests.get(instanceUuid);
    if (guest === undefined) throw DriverErrors.GUEST_NOT_DEFINED({ instanceUuid });
    return guest;
  }

  protected needUp(instanceUuid: string): FakeGuest {
    const guest = this.need(instanceUuid);
    if (!isUp(guest)) throw DriverErrors.GUEST_NOT_RUNNING({ instanceUuid });
    return guest;
  }
}

/** What a guest says while it boots: as many lines as clients expect of a console at least, and then some. */
function bootLines(guest: FakeGuest): string {
  const { instanceName, starts, vcpus, memoryMib, macAddresses, volumes, rescue } = guest;
  return [
    `${rescue === undefined ? "" : "rescue "}boot ${starts + 1}`,
    `${vcpus} CPUs, ${memoryMib} MiB memory`,
    ...macAddresses.map((mac, i) => `eth${i} ${mac} up`),
    ...volumes.map(({ volumeId, deviceName }) => `${deviceName} volume ${volumeId}`),
    "no kernel was loaded: this guest is only remembered",
    "ready",
    "login:",
  ]
    .map((line) => `[fake] ${instanceName} ${line}\n`)
    .join("");
}

export const isUp = (guest: FakeGuest): boolean =>
  guest.powerState === "RUNNING" || guest.powerState === "PAUSED";
