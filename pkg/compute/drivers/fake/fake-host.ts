import type { GuestEvent, HostInventory } from "../../driver.js";
import { DriverErrors } from "../errors.js";
import { FakeGuestFiles } from "./guest-file.js";
import type { FakeGuest } from "./guest-file.js";
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
  protected readonly files: FakeGuestFiles | undefined;
  protected listener: (event: GuestEvent) => void = () => {};
  protected nextPid = 1000;

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

  protected put(guest: FakeGuest): void {
    this.files?.save(guest);
    this.guests.set(guest.instanceUuid, guest);
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
function bootLines({ instanceName, starts, vcpus, memoryMib, macAddresses, rescue }: FakeGuest): string {
  return [
    `${rescue === undefined ? "" : "rescue "}boot ${starts + 1}`,
    `${vcpus} CPUs, ${memoryMib} MiB memory`,
    ...macAddresses.map((mac, i) => `eth${i} ${mac} up`),
    "no kernel was loaded: this guest is only remembered",
    "ready",
    "login:",
  ]
    .map((line) => `[fake] ${instanceName} ${line}\n`)
    .join("");
}

export const isUp = (guest: FakeGuest): boolean =>
  guest.powerState === "RUNNING" || guest.powerState === "PAUSED";
