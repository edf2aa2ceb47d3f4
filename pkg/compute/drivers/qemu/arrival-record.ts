import { readFile } from "node:fs/promises";
import { z } from "zod";
import { ifThere, writeFileAtomic } from "../../../platform/files/index.js";
import type { GuestPaths } from "./guest-paths.js";

const schema = z.object({ transferId: z.string(), reached: z.record(z.string(), z.number()) });

/**
 * How far a transfer of disks has come: by it the next attempt goes on, also after the agent's death or a
 * power cut. Written when the data before is on the disk.
 */
export class ArrivalRecord {
  readonly #path: string;
  readonly #transferId: string;
  readonly #reached: Map<string, number>;

  /** What an earlier attempt at this transfer has left; undefined for none, or none that is understood. */
  static async find({ arriving: path }: GuestPaths, transferId: string): Promise<ArrivalRecord | undefined> {
    const text = await ifThere(readFile(path, "utf8"));
    if (text === undefined) return undefined;
    try {
      const stored = schema.parse(JSON.parse(text));
      return stored.transferId === transferId
        ? new ArrivalRecord(path, transferId, new Map(Object.entries(stored.reached)))
        : undefined;
    } catch {
      return undefined;
    }
  }

  /** Of a transfer that begins. */
  static async begin({ arriving: path }: GuestPaths, transferId: string): Promise<ArrivalRecord> {
    const record = new ArrivalRecord(path, transferId, new Map());
    await record.#write();
    return record;
  }

  private constructor(path: string, transferId: string, reached: Map<string, number>) {
    this.#path = path;
    this.#transferId = transferId;
    this.#reached = reached;
  }

  /** First byte of a disk that is still wanted. */
  of(disk: string): number {
    return this.#reached.get(disk) ?? 0;
  }

  async note(disk: string, byte: number): Promise<void> {
    this.#reached.set(disk, byte);
    await this.#write();
  }

  #write(): Promise<void> {
    const reached = Object.fromEntries(this.#reached);
    return writeFileAtomic(this.#path, JSON.stringify({ transferId: this.#transferId, reached }));
  }
}
