import type { JournalEntry } from "./journal-entry.js";

/** How long answers to commands are kept. */
export const COMMANDS_KEPT_MS = 24 * 3_600_000;

/** As journals and agents know it. */
const laneOf = ({ lane }: JournalEntry): string => (lane === undefined || lane === "" ? "life" : lane);

/**
 * Which commands are still worth remembering. Of a server of which nothing was heard for `keepMs`, none. Of
 * another one: those that are younger, those that have not ended or whose end nobody was told, and in each
 * lane the one with the highest fence, so that no lower one is ever obeyed.
 * @param entries  the last entry of each command
 * @param isBusy   servers of which everything is kept
 * @returns in the same order
 */
export function keptEntries(
  entries: readonly JournalEntry[],
  nowMs: number,
  isBusy: (serverId: string) => boolean = () => false,
  keepMs = COMMANDS_KEPT_MS,
): readonly JournalEntry[] {
  const newest = new Map<string, number>();
  const highest = new Map<string, JournalEntry>();
  const note = (key: string, entry: JournalEntry): void => {
    const before = highest.get(key);
    if (before === undefined || BigInt(before.fence) <= BigInt(entry.fence)) highest.set(key, entry);
  };
  for (const entry of entries) {
    const { serverId, at } = entry;
    newest.set(serverId, Math.max(newest.get(serverId) ?? 0, at));
    note(`${serverId} ${laneOf(entry)}`, entry);
    if (entry.closesLanes === true) note(`${serverId} `, entry);
  }
  const fences = new Set(highest.values());
  return entries.filter((entry) => {
    if (isBusy(entry.serverId)) return true;
    if (nowMs - (newest.get(entry.serverId) ?? 0) >= keepMs) return false;
    const open = entry.phase === "started" || entry.told === false;
    return open || nowMs - entry.at < keepMs || fences.has(entry);
  });
}
