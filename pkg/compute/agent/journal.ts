import { open, readFile } from "node:fs/promises";
import { z } from "zod";
import { ifThere, writeFileAtomic } from "../../platform/files/index.js";
import { AgentErrors } from "../errors.js";
import type { JournalEntry } from "./journal-entry.js";
import { COMMANDS_KEPT_MS, keptEntries } from "./journal-retention.js";

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

/** A journal that is shorter is not worth writing anew. */
const SMALL_BYTES = 1024 ** 2;
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
  readonly #files: JournalDisk;
  #file: JournalFile;
  /** Bytes that are known to be on disk. */
  #length: number;
  /** Of these, what was there when it was written as a whole. */
  #wholeBytes: number;
  /** By command, what a later version has added to its entries: the next line has it too. */
  #carried: ReadonlyMap<string, object>;
  /** Why nothing can be appended any more. */
  #broken: unknown;
  #pending: { line: string; resolve(): void; reject(error: unknown): void }[] = [];
  #flushing: Promise<void> | undefined;

  private constructor(
    path: string,
    files: JournalDisk,
    file: JournalFile,
    { length, entries }: { readonly length: number; readonly entries: readonly JournalEntry[] },
  ) {
    this.#path = path;
    this.#files = files;
    this.#file = file;
    this.#length = length;
    this.#wholeBytes = length;
    this.#carried = carriedOf(entries);
  }

  /**
   * Opens the journal and writes it anew without what is forgotten (`keptEntries`).
   * What a later version has written, lines or keys, stays. A torn last line is cut off: nobody was told that
   * it is on disk.
   * @throws JOURNAL_UNREADABLE, JOURNAL_LOST: an agent that forgot its fences would obey operations that lost
   *   their server, so it must not start; JOURNAL_BROKEN when it cannot be written
   */
  static async open(path: string, nowMs: number, files = disk): Promise<OpenedJournal> {
    const { text, entries, cutBytes } = await readKept(path, files, nowMs);
    try {
      await files.write(path, text);
      await files.write(madeMark(path), "");
      const file = await files.append(path);
      return {
        journal: new Journal(path, files, file, { length: Buffer.byteLength(text), entries }),
        entries,
        cutBytes,
      };
    } catch (cause) {
      throw AgentErrors.JOURNAL_BROKEN({}, { cause });
    }
  }

  append(entry: JournalEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      const line = lineOf({ ...this.#carried.get(entry.commandId), ...entry });
      this.#pending.push({ line, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  /**
   * Writes the journal anew without what is forgotten, as `open` does, when it has grown to more than twice
   * of what it was: an agent that never ends has no endless journal. Lines that come meanwhile wait.
   * @param isBusy  servers of which everything is kept
   * @param smallBytes  a shorter journal stays as it is
   * @returns whether it was written anew
   * @throws JOURNAL_BROKEN, JOURNAL_UNREADABLE; what was on disk is there then, too
   */
  async compact(
    nowMs: number,
    isBusy: (serverId: string) => boolean,
    smallBytes = SMALL_BYTES,
  ): Promise<boolean> {
    if (this.#length < smallBytes || this.#length < 2 * this.#wholeBytes) return false;
    while (this.#flushing !== undefined) await this.#flushing;
    const work = this.#rewrite(nowMs, isBusy);
    this.#flushing = work
      .catch(() => {}) // told below
      .then(() => {
        this.#flushing = this.#pending.length > 0 ? this.#flush() : undefined;
      });
    await work;
    return true;
  }

  async close(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
    await this.#file.close();
  }

  async #rewrite(nowMs: number, isBusy: (serverId: string) => boolean): Promise<void> {
    if (this.#broken !== undefined) throw AgentErrors.JOURNAL_BROKEN({}, { cause: this.#broken });
    const { text, entries } = await readKept(this.#path, this.#files, nowMs, isBusy);
    try {
      await this.#files.write(this.#path, text);
      this.#carried = carriedOf(entries);
    } catch (cause) {
      throw AgentErrors.JOURNAL_BROKEN({}, { cause });
    } finally {
      // Also after a failure: nobody knows which file has the name then.
      await this.#reopen();
    }
  }

  /** Goes on with the file that has the name now; nothing is written any more when there is none. */
  async #reopen(): Promise<void> {
    const old = this.#file;
    try {
      this.#file = await this.#files.append(this.#path);
      this.#length = (await this.#files.read(this.#path)).length;
      this.#wholeBytes = this.#length;
    } catch (cause) {
      this.#broken = cause;
    }
    if (old !== this.#file) await old.close().catch(() => {});
  }

  async #flush(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      try {
        await this.#write(batch.map((p) => p.line).join(""));
        for (const p of batch) p.resolve();
      } catch (cause) {
        for (const p of batch) p.reject(AgentErrors.JOURNAL_BROKEN({}, { cause }));
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

const carriedOf = (entries: readonly JournalEntry[]): ReadonlyMap<string, object> =>
  new Map(entries.map((entry) => [entry.commandId, unknownKeys(entry)]));

/** What is worth keeping of a journal, and the text that it becomes. */
async function readKept(
  path: string,
  files: JournalDisk,
  nowMs: number,
  isBusy?: (serverId: string) => boolean,
): Promise<{ readonly text: string; readonly entries: readonly JournalEntry[]; readonly cutBytes: number }> {
  const { all, foreign, cutBytes } = await readAll(path, files);
  const latest = new Map<string, JournalEntry>();
  for (const line of all) {
    const entry = { ...unknownKeys(latest.get(line.commandId)), ...line };
    latest.delete(line.commandId);
    latest.set(line.commandId, entry);
  }
  const entries = keptEntries([...latest.values()], nowMs, isBusy);
  const kept = foreign.filter(({ at }) => typeof at !== "number" || nowMs - at < COMMANDS_KEPT_MS);
  return { text: [...kept, ...entries].map(lineOf).join(""), entries, cutBytes };
}

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
