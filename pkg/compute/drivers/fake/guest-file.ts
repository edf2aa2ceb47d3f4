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
  readonly hasConfigDrive: boolean;
  readonly powerState: "RUNNING" | "PAUSED" | "SHUTDOWN" | "CRASHED";
  readonly pid: number;
  readonly defines: number;
  readonly starts: number;
  readonly console: string;
  /** From what it boots until it is unrescued; absent when it is not rescued. */
  readonly rescue?: string | undefined;
}

// Keys of a later version stay: a guest is written again as a whole.
const schema: z.ZodType<FakeGuest> = z.looseObject({
  instanceUuid: z.string(),
  instanceName: z.string(),
  digest: z.string(),
  vcpus: z.number(),
  memoryMib: z.number(),
  macAddresses: z.array(z.string()),
  hasConfigDrive: z.boolean(),
  powerState: z.enum(["RUNNING", "PAUSED", "SHUTDOWN", "CRASHED"]),
  pid: z.number(),
  defines: z.number(),
  starts: z.number(),
  console: z.string(),
  rescue: z.string().optional(),
});

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

  save(guest: FakeGuest): void {
    const path = this.#path(guest.instanceUuid);
    writeFileSync(`${path}.tmp`, JSON.stringify(guest), { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  }

  drop(instanceUuid: string): void {
    rmSync(this.#path(instanceUuid), { force: true });
  }

  #path(instanceUuid: string): string {
    return join(this.#dir, `${instanceUuid}.json`);
  }
}
