import { open, readFile } from "node:fs/promises";
import { writeFileAtomic } from "../../platform/files/index.js";
import { AgentErrors } from "../errors.js";

/** One line of the journal: what became of a command. Secrets never get here. */
export interface JournalEntry {
  readonly serverId: string;
  readonly commandId: string;
  readonly operation: string;
  readonly fence: string;
  /** Lane of the operation; absent: "life". */
  readonly lane?: string;
  /** Whether no lane takes lower fences any more. */
  readonly closesLanes?: boolean;
  readonly phase: "started" | "done" | "failed" | "undone";
  readonly errorReason?: string;
  readonly errorMessage?: string;
  readonly errorDetails?: string;
  /** Encoded output of a command that ended well, base64. */
  readonly output?: string;
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

  private constructor(path: string, file: JournalFile) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Opens the journal, giving what it holds: the last entry per command, oldest first. Old and torn lines are
   * dropped.
   */
  static async open(
    path: string,
    nowMs: number,
    fileAt = openFile,
  ): Promise<{ journal: Journal; entries: readonly JournalEntry[] }> {
    const latest = new Map<string, JournalEntry>();
    for (const entry of parse(await readFile(path, "utf8").catch(() => ""))) {
      latest.delete(entry.commandId);
      latest.set(entry.commandId, { ...latest.get(entry.commandId), ...entry });
    }
    const newest = new Map<string, number>();
    for (const e of latest.values()) newest.set(e.serverId, Math.max(newest.get(e.serverId) ?? 0, e.at));
    const entries = [...latest.values()].filter((e) => nowMs - (newest.get(e.serverId) ?? 0) < KEEP_MS);
    await rewrite(path, entries);
    return { journal: new Journal(path, await fileAt(path)), entries };
  }

  append(entry: JournalEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ line: `${JSON.stringify(entry)}\n`, resolve, reject });
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

function* parse(text: string): Generator<JournalEntry> {
  for (const line of text.split("\n")) {
    if (line === "") continue;
    try {
      yield JSON.parse(line) as JournalEntry;
    } catch {
      // A torn last line: the command it began was never acknowledged.
    }
  }
}

const rewrite = (path: string, entries: readonly JournalEntry[]): Promise<void> =>
  writeFileAtomic(path, entries.map((e) => `${JSON.stringify(e)}\n`).join(""));
