import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { makeFolder } from "../../../platform/files/index.js";
import type { DiskTransfer } from "../../driver.js";

/** A fake guest as it outlives its agent. `starts` and `defines` let tests see repeated effects. */
export interface FakeGuest {
  readonly instanceUuid: string;
  readonly instanceName: string;
  readonly digest: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly macAddresses: readonly string[];
  /** Of its interfaces, in the order of their addresses. */
  readonly portIds: readonly string[];
  readonly hasConfigDrive: boolean;
  readonly powerState: "RUNNING" | "PAUSED" | "SHUTDOWN" | "CRASHED" | "SUSPENDED";
  readonly pid: number;
  readonly defines: number;
  readonly starts: number;
  readonly console: string;
  /** Which disks it has: another number is another disk. */
  readonly rootDisk: number;
  readonly ephemeralDisk: number;
  /** The rebuild that it was made by; "" for none. */
  readonly builtAs: string;
  /** Ids of the copies of its disk. */
  readonly snapshots: readonly string[];
  /** From what it boots until it is unrescued; absent when it is not rescued. */
  readonly rescue?: string | undefined;
  readonly volumes: readonly FakeVolume[];
  /** Whether its file systems stand still; absent: never. */
  readonly frozen?: boolean | undefined;
  /** What is on its disks, when they came from another host; absent: what every new guest has. */
  readonly disks?: FakeDisks | undefined;
  /** Whom its disks are offered to; absent: nobody. */
  readonly leaving?: DiskTransfer | undefined;
  /** The transfer by which it came; absent for none. */
  readonly arrivedBy?: string | undefined;
}

/** What is on a disk, in its order; the rest is a hole. */
export interface FakeDisk {
  readonly sizeBytes: number;
  readonly pieces: readonly { readonly offset: number; readonly base64: string }[];
}

/** Disks by their names. */
export type FakeDisks = Readonly<Record<string, FakeDisk>>;

/** Disks on their way to this host. */
export interface ArrivingDisks {
  readonly transferId: string;
  readonly disks: FakeDisks;
}

/** A volume in a fake guest: all but what its connection holds. */
export interface FakeVolume {
  readonly volumeId: string;
  readonly deviceName: string;
  readonly deviceType: string;
  readonly tag?: string | undefined;
  readonly protocol: string;
  readonly readOnly: boolean;
  /** The size that the guest was told to see; absent before. */
  readonly sizeBytes?: number | undefined;
}

/** What shall take a guest's place. */
export interface PreparedGuest {
  readonly key: string;
  readonly keepsEphemeral: boolean;
  readonly guest: FakeGuest;
}

const disks = z.record(
  z.string(),
  z.object({
    sizeBytes: z.number(),
    pieces: z.array(z.object({ offset: z.number(), base64: z.string() })),
  }),
);
// Keys of a later version stay: a guest is written again as a whole.
const schema: z.ZodType<FakeGuest> = z.looseObject({
  instanceUuid: z.string(),
  instanceName: z.string(),
  digest: z.string(),
  vcpus: z.number(),
  memoryMib: z.number(),
  macAddresses: z.array(z.string()),
  // An older build did not write them down.
  portIds: z.array(z.string()).default([]),
  hasConfigDrive: z.boolean(),
  powerState: z.enum(["RUNNING", "PAUSED", "SHUTDOWN", "CRASHED", "SUSPENDED"]),
  pid: z.number(),
  defines: z.number(),
  starts: z.number(),
  console: z.string(),
  rootDisk: z.number().default(1),
  ephemeralDisk: z.number().default(1),
  builtAs: z.string().default(""),
  // Absent from guests of older versions.
  snapshots: z.array(z.string()).default([]),
  rescue: z.string().optional(),
  volumes: z
    .array(
      z.looseObject({
        volumeId: z.string(),
        deviceName: z.string(),
        deviceType: z.string(),
        tag: z.string().optional(),
        protocol: z.string(),
        readOnly: z.boolean(),
        sizeBytes: z.number().optional(),
      }),
    )
    .default([]),
  frozen: z.boolean().optional(),
  disks: disks.optional(),
  leaving: z.object({ transferId: z.string(), toHost: z.string() }).optional(),
  arrivedBy: z.string().optional(),
});
const arrivingSchema = z.object({ instanceUuid: z.string(), transferId: z.string(), disks });
const preparedSchema = z.object({ key: z.string(), keepsEphemeral: z.boolean(), guest: schema });
const PREPARED = ".next";
const ARRIVING = ".arriving";

/**
 * Keeps one JSON file per guest, so that effects are seen after the agent was killed. Atomic; not fsynced: no
 * power cuts here.
 */
export class FakeGuestFiles {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    makeFolder(dir, 0o700);
  }

  load(): FakeGuest[] {
    return readdirSync(this.#dir)
      .filter((name) => name.endsWith(".json"))
      .map((name) => schema.parse(JSON.parse(readFileSync(join(this.#dir, name), "utf8"))));
  }

  loadPrepared(): PreparedGuest[] {
    return readdirSync(this.#dir)
      .filter((name) => name.endsWith(PREPARED))
      .map((name) => preparedSchema.parse(JSON.parse(readFileSync(join(this.#dir, name), "utf8"))));
  }

  loadArriving(): (ArrivingDisks & { readonly instanceUuid: string })[] {
    return readdirSync(this.#dir)
      .filter((name) => name.endsWith(ARRIVING))
      .map((name) => arrivingSchema.parse(JSON.parse(readFileSync(join(this.#dir, name), "utf8"))));
  }

  save(guest: FakeGuest): void {
    this.#write(this.#path(guest.instanceUuid), guest);
  }

  savePrepared(prepared: PreparedGuest): void {
    this.#write(this.#preparedPath(prepared.guest.instanceUuid), prepared);
  }

  saveArriving(instanceUuid: string, arriving: ArrivingDisks): void {
    this.#write(this.#arrivingPath(instanceUuid), { instanceUuid, ...arriving });
  }

  drop(instanceUuid: string): void {
    rmSync(this.#path(instanceUuid), { force: true });
    this.dropPrepared(instanceUuid);
    this.dropArriving(instanceUuid);
  }

  dropArriving(instanceUuid: string): void {
    rmSync(this.#arrivingPath(instanceUuid), { force: true });
  }

  dropPrepared(instanceUuid: string): void {
    rmSync(this.#preparedPath(instanceUuid), { force: true });
  }

  #write(path: string, content: object): void {
    writeFileSync(`${path}.tmp`, JSON.stringify(content), { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  }

  #arrivingPath(instanceUuid: string): string {
    return join(this.#dir, `${instanceUuid}${ARRIVING}`);
  }

  #preparedPath(instanceUuid: string): string {
    return join(this.#dir, `${instanceUuid}${PREPARED}`);
  }

  #path(instanceUuid: string): string {
    return join(this.#dir, `${instanceUuid}.json`);
  }
}
