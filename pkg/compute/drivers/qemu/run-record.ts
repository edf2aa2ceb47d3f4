import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Logger } from "../../../kernel/index.js";
import { ifThere, writeFileAtomic } from "../../../platform/files/index.js";

const schema = z.object({
  version: z.literal(1),
  /**
   * running: `process` runs the guest. stopping: the agent decided to end it, so its absence is no crash.
   * stopped, crashed: how the last process ended; `process` is absent.
   */
  phase: z.enum(["running", "stopping", "stopped", "crashed"]),
  process: z.object({ pid: z.number().int(), startTicks: z.string(), bootId: z.string() }).optional(),
  /** With what it was started; absent in records of older versions. */
  argv: z.array(z.string()).optional(),
});

/** What the next agent must know about a guest's process, written before and after each change. */
export type RunRecord = z.infer<typeof schema>;

export const stoppedRecord: RunRecord = { version: 1, phase: "stopped" };

/**
 * @returns `stopped` when there is none, or what is there is no record (the log says so): then only /proc can
 *   tell of a process
 * @throws when it cannot be read
 */
export async function readRunRecord(path: string, log: Logger): Promise<RunRecord> {
  const text = await ifThere(readFile(path, "utf8"));
  if (text === undefined) return stoppedRecord;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    log.error("compute.qemu.run-record.spoiled", { path, error });
    return stoppedRecord;
  }
}

export const writeRunRecord = (path: string, record: RunRecord): Promise<void> =>
  writeFileAtomic(path, JSON.stringify(record));

/** What became of a guest while no agent looked. */
export type WhileAway = { readonly now: "stopped" | "crashed"; readonly tell?: "STOPPED" | "CRASHED" };

/** Judges a guest whose process is gone. @param bootId  of the machine now */
export function judgeVanished(record: RunRecord, bootId: string): WhileAway {
  if (record.phase === "stopped" || record.phase === "crashed") return { now: record.phase };
  if (record.phase === "stopping") return { now: "stopped" };
  // A rebooted machine took the guest with it; that is no fault of the guest's own process.
  if (record.process !== undefined && record.process.bootId !== bootId)
    return { now: "stopped", tell: "STOPPED" };
  return { now: "crashed", tell: "CRASHED" };
}
