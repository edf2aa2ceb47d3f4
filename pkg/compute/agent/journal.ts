import { open, readFile } from "node:fs/promises";
import { writeFileAtomic } from "../../platform/files/index.js";
import { AgentErrors } from "../errors.js";

/** One line of the journal: what became of a command. Secrets never get here. */
export interface JournalEntry {
  readonly serverId: string;
  readonly commandId: string;
  readonly operation: string;
  readonly fence: string;
  readonly phase: "started" | "done" | "failed" | "undone";
  readonly errorReason?: string;
  readonly errorMessage?: string;
  readonly errorDetails?: string;
  readonly powerState?: number;
  /** Whether the cell knows the outcome (a caller waited for it, or a report was accepted). */
  readonly told?: boolean;
  /** Epoch ms. */
  readonly at: number;
}

/** What lines are appended to; replaced by tests. */
export interface JournalFile {
  appendFile(lines: string): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

const openFile = (path: string): Promise<JournalFile> => open(path, "a", 0o600);

const KEEP_MS = 24 * 3600_000;

/**
 * The agent's memory of commands: an append-only file of JSON lines. `append` returns when the line is on
 * disk; lines that arrive while a sync runs share the next one, so that many commands at once cost few syncs.
 *
 * @cost one fdatasync per batch
 */
export class Journal {
  readonly #path: string;
  readonly #file: JournalFile;
  #pending: { line: string; resolve(): void; reject(error: unknown): void }[] = [];
  #flushing: Promise<void> | undefined;
  /** By command, what a later version has added to its entries: the next line has it too. */
  readonly #carried: ReadonlyMap<string, object>;

  private constructor(path: string, file: JournalFile, entries: readonly JournalEntry[]) {
    this.#path = path;
    this.#file = file;
    this.#carried = new Map(
      entries
        .map((entry) => [entry.commandId, unknownKeys(entry)] as const)
        .filter(([, keys]) => Object.keys(keys).length > 0),
    );
  }

  /**
   * Opens the journal, giving what it holds: the last entry per command, oldest first. Old and torn lines are
   * dropped; what a later version has written, lines or keys, stays.
   */
  static async open(
    path: string,
    nowMs: number,
    fileAt = openFile,
  ): Promise<{ journal: Journal; entries: readonly JournalEntry[] }> {
    const latest = new Map<string, JournalEntry>();
    const foreign: ForeignLine[] = [];
    for (const line of parse(await readFile(path, "utf8").catch(() => ""))) {
      if (!isEntry(line)) {
        foreign.push(line);
        continue;
      }
      const entry = { ...unknownKeys(latest.get(line.commandId)), ...line };
      latest.delete(line.commandId);
      latest.set(line.commandId, entry);
    }
    const newest = new Map<string, number>();
    for (const e of latest.values()) newest.set(e.serverId, Math.max(newest.get(e.serverId) ?? 0, e.at));
    const entries = [...latest.values()].filter((e) => nowMs - (newest.get(e.serverId) ?? 0) < KEEP_MS);
    const kept = foreign.filter(({ at }) => nowMs - (typeof at === "number" ? at : nowMs) < KEEP_MS);
    await rewrite(path, [...kept, ...entries]);
    return { journal: new Journal(path, await fileAt(path), entries), entries };
  }

  append(entry: JournalEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      const line = `${JSON.stringify({ ...this.#carried.get(entry.commandId), ...entry })}\n`;
      this.#pending.push({ line, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  async close(): Promise<void> {
    await this.#flushing;
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      try {
        await this.#file.appendFile(batch.map((p) => p.line).join(""));
        await this.#file.datasync();
        for (const p of batch) p.resolve();
      } catch (cause) {
        for (const p of batch) p.reject(AgentErrors.JOURNAL_BROKEN({ path: this.#path }, { cause }));
      }
    }
    this.#flushing = undefined;
  }
}

/** A line of a later version, about something else than a command. */
type ForeignLine = Readonly<Record<string, unknown>>;

/** Every key that this version writes. */
const KEYS: Readonly<Record<keyof JournalEntry, true>> = {
  serverId: true,
  commandId: true,
  operation: true,
  fence: true,
  phase: true,
  errorReason: true,
  errorMessage: true,
  errorDetails: true,
  powerState: true,
  told: true,
  at: true,
};

const isEntry = (line: JournalEntry | ForeignLine): line is JournalEntry =>
  typeof line.serverId === "string" && typeof line.commandId === "string" && typeof line.fence === "string";

/** What a later version has added to an entry. */
const unknownKeys = (entry: JournalEntry | undefined): object =>
  Object.fromEntries(Object.entries(entry ?? {}).filter(([key]) => !Object.hasOwn(KEYS, key)));

function* parse(text: string): Generator<JournalEntry | ForeignLine> {
  for (const line of text.split("\n")) {
    if (line === "") continue;
    try {
      const read: unknown = JSON.parse(line);
      if (typeof read === "object" && read !== null) yield read as ForeignLine;
    } catch {
      // A torn last line: the command it began was never acknowledged.
    }
  }
}

const rewrite = (path: string, lines: readonly (JournalEntry | ForeignLine)[]): Promise<void> =>
  writeFileAtomic(path, lines.map((one) => `${JSON.stringify(one)}\n`).join(""));
