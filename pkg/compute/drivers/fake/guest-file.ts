import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { makeFolder } from "../../../platform/files/index.js";

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
});
const preparedSchema = z.object({ key: z.string(), keepsEphemeral: z.boolean(), guest: schema });
const PREPARED = ".next";

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

  save(guest: FakeGuest): void {
    this.#write(this.#path(guest.instanceUuid), guest);
  }

  savePrepared(prepared: PreparedGuest): void {
    this.#write(this.#preparedPath(prepared.guest.instanceUuid), prepared);
  }

  drop(instanceUuid: string): void {
    rmSync(this.#path(instanceUuid), { force: true });
    this.dropPrepared(instanceUuid);
  }

  dropPrepared(instanceUuid: string): void {
    rmSync(this.#preparedPath(instanceUuid), { force: true });
  }

  #write(path: string, content: object): void {
    writeFileSync(`${path}.tmp`, JSON.stringify(content), { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  }

  #preparedPath(instanceUuid: string): string {
    return join(this.#dir, `${instanceUuid}${PREPARED}`);
  }

  #path(instanceUuid: string): string {
    return join(this.#dir, `${instanceUuid}.json`);
  }
}
