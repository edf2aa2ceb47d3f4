import { open, readFile } from "node:fs/promises";
import { z } from "zod";
import { ifThere, writeFileAtomic } from "../../platform/files/index.js";
import { AgentErrors } from "../errors.js";

/** What an entry has. Other keys are of a later version, and stay. */
const entryShape = z.looseObject({
  serverId: z.string().min(1),
  commandId: z.string().min(1),
  operation: z.string(),
  fence: z.string().regex(/^\d+$/),
  phase: z.enum(["started", "done", "failed", "undone"]),
  errorReason: z.string().optional(),
  errorMessage: z.string().optional(),
  errorDetails: z.string().optional(),
  output: z.string().optional(),
  lane: z.string().optional(),
  closesLanes: z.boolean().optional(),
  told: z.boolean().optional(),
  at: z.number(),
} satisfies Record<keyof JournalEntry, z.ZodType>);

/** A line of a later version about something else than a command. */
const foreignShape = z.looseObject({ commandId: z.never().optional() });
type ForeignLine = z.infer<typeof foreignShape>;

/** One line of the journal: what became of a command. Secrets never get here. */
export interface JournalEntry {
  /** Id of the operation's subject: fences count for each. A server's, or the host's own. */
  readonly serverId: string;
  readonly commandId: string;
  readonly operation: string;
  /** Decimal. */
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

/** What lines are appended to. */
export interface JournalFile {
  appendFile(lines: string): Promise<void>;
  datasync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** The part of the file system that the journal needs; replaced by tests. */
export interface JournalDisk {
  read(path: string): Promise<Uint8Array>;
  /** Replaces a file as a whole, durably. */
  write(path: string, text: string): Promise<void>;
  append(path: string): Promise<JournalFile>;
}

const disk: JournalDisk = {
  read: readFile,
  write: writeFileAtomic,
  append: (path) => open(path, "a", 0o600),
};

export interface OpenedJournal {
  readonly journal: Journal;
  /** The last entry of each command, oldest first. */
  readonly entries: readonly JournalEntry[];
  /** Length of a torn last line that was cut off; 0 when there was none. */
  readonly cutBytes: number;
}

const KEEP_MS = 24 * 3600_000;
const NEWLINE = 0x0a;

/**
 * The agent's memory of commands: an append-only file of JSON lines. `append` returns when the line is on
 * disk; lines that arrive while a sync runs share the next one, so that many commands at once cost few syncs.
 *
 * Beside it lies `<path>.made`, written once: where that is and the journal is not, the journal was lost.
 *
 * @cost one fdatasync per batch
 */
export class Journal {
  readonly #path: string;
  readonly #file: JournalFile;
  /** Bytes that are known to be on disk. */
  #length: number;
  /** By command, what a later version has added to its entries: the next line has it too. */
  readonly #carried: ReadonlyMap<string, object>;
  /** Why nothing can be appended any more. */
  #broken: unknown;
  #pending: { line: string; resolve(): void; reject(error: unknown): void }[] = [];
  #flushing: Promise<void> | undefined;

  private constructor(
    path: string,
    file: JournalFile,
    { length, entries }: { readonly length: number; readonly entries: readonly JournalEntry[] },
  ) {
    this.#path = path;
    this.#file = file;
    this.#length = length;
    this.#carried = new Map(entries.map((entry) => [entry.commandId, unknownKeys(entry)]));
  }

  /**
   * Opens the journal and writes it anew without what is old: servers of which nothing was heard for a day.
   * What a later version has written, lines or keys, stays. A torn last line is cut off: nobody was told that
   * it is on disk.
   * @throws JOURNAL_UNREADABLE, JOURNAL_LOST: an agent that forgot its fences would obey operations that lost
   *   their server, so it must not start; JOURNAL_BROKEN when it cannot be written
   */
  static async open(path: string, nowMs: number, files = disk): Promise<OpenedJournal> {
    const { all, foreign, cutBytes } = await readAll(path, files);
    const latest = new Map<string, JournalEntry>();
    for (const line of all) {
      const entry = { ...unknownKeys(latest.get(line.commandId)), ...line };
      latest.delete(line.commandId);
      latest.set(line.commandId, entry);
    }
    const newest = new Map<string, number>();
    for (const e of latest.values()) newest.set(e.serverId, Math.max(newest.get(e.serverId) ?? 0, e.at));
    const entries = [...latest.values()].filter((e) => nowMs - (newest.get(e.serverId) ?? 0) < KEEP_MS);
    const kept = foreign.filter(({ at }) => typeof at !== "number" || nowMs - at < KEEP_MS);
    const text = [...kept, ...entries].map(lineOf).join("");
    try {
      await files.write(path, text);
      await files.write(madeMark(path), "");
      const file = await files.append(path);
      return {
        journal: new Journal(path, file, { length: Buffer.byteLength(text), entries }),
        entries,
        cutBytes,
      };
    } catch (cause) {
      throw AgentErrors.JOURNAL_BROKEN({ path }, { cause });
    }
  }

  append(entry: JournalEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      const line = lineOf({ ...this.#carried.get(entry.commandId), ...entry });
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
        await this.#write(batch.map((p) => p.line).join(""));
        for (const p of batch) p.resolve();
      } catch (cause) {
        for (const p of batch) p.reject(AgentErrors.JOURNAL_BROKEN({ path: this.#path }, { cause }));
      }
    }
    this.#flushing = undefined;
  }

  /** Half of a failed write must not stand before later lines: it is cut off, or nothing follows it. */
  async #write(lines: string): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    try {
      await this.#file.appendFile(lines);
      await this.#file.datasync();
      this.#length += Buffer.byteLength(lines);
    } catch (error) {
      await this.#file.truncate(this.#length).catch((cause: unknown) => {
        this.#broken = cause;
      });
      throw error;
    }
  }
}

const lineOf = (line: JournalEntry | ForeignLine): string => `${JSON.stringify(line)}\n`;
const madeMark = (path: string): string => `${path}.made`;

/** What a later version has added to an entry. */
const unknownKeys = (entry: JournalEntry | undefined): object =>
  Object.fromEntries(Object.entries(entry ?? {}).filter(([key]) => !Object.hasOwn(entryShape.shape, key)));

interface Lines {
  readonly all: readonly JournalEntry[];
  readonly foreign: readonly ForeignLine[];
}

async function readAll(path: string, files: JournalDisk): Promise<Lines & { readonly cutBytes: number }> {
  const bytes = await readable(path, files);
  if (bytes === undefined) {
    if ((await readable(madeMark(path), files)) !== undefined) throw AgentErrors.JOURNAL_LOST({ path });
    return { all: [], foreign: [], cutBytes: 0 };
  }
  const whole = bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
  return { ...parse(path, whole), cutBytes: bytes.length - whole.length };
}

/** @returns undefined when the file does not exist */
async function readable(path: string, files: JournalDisk): Promise<Uint8Array | undefined> {
  try {
    return await ifThere(files.read(path));
  } catch (cause) {
    throw AgentErrors.JOURNAL_UNREADABLE({ path, problem: (cause as Error).message }, { cause });
  }
}

/** @param bytes  ends with a newline, or is empty */
function parse(path: string, bytes: Uint8Array): Lines {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  const lines = { all: [] as JournalEntry[], foreign: [] as ForeignLine[] };
  for (let start = 0, number = 1; start < bytes.length; number++) {
    const end = bytes.indexOf(NEWLINE, start);
    try {
      const line: unknown = JSON.parse(utf8.decode(bytes.subarray(start, end)));
      const foreign = foreignShape.safeParse(line);
      if (foreign.success) lines.foreign.push(foreign.data);
      else lines.all.push(entryShape.parse(line) as JournalEntry);
    } catch (cause) {
      throw AgentErrors.JOURNAL_UNREADABLE(
        { path, problem: `line ${number} is no entry of a journal` },
        { cause },
      );
    }
    start = end + 1;
  }
  return lines;
}
