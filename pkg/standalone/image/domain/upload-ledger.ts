import { E } from "../errors.js";

/** Limits of a project; -1 is none. */
export interface UploadLimits {
  readonly imageSizeTotalBytes: number;
  readonly imageCountUploading: number;
}

/** One upload under way. */
export interface LedgerEntry {
  /** Counts what arrived. @throws OVER_LIMIT when the project has no room for it */
  take(bytes: number): void;
  /** Whether so many bytes would fit at all. @throws OVER_LIMIT */
  foresee(bytes: number): void;
  /** The upload is over; what it took goes on counting when it was kept. Repeatable. */
  end(kept: boolean): void;
}

interface Account {
  /** What was stored when the first of the present uploads began, and what was kept since. */
  stored: number;
  readonly ready: Promise<void>;
  loaded: boolean;
  readonly uploads: Map<symbol, number>;
}

/**
 * Bytes and uploads of each project that has uploads under way. What lies in the database is read when the
 * first of them begins; an account lasts until the last one ends. One process serves a directory of images,
 * so nobody else adds to it.
 */
export class UploadLedger {
  readonly #limits: UploadLimits;
  readonly #accounts = new Map<string, Account>();

  constructor(limits: UploadLimits) {
    this.#limits = limits;
  }

  /**
   * Begins an upload.
   * @param owner   null: images of no project are administrators' and have no limits
   * @param stored  reads how many bytes the project's images have
   * @throws OVER_LIMIT when too many are under way, or nothing more fits
   */
  async begin(owner: string | null, stored: () => Promise<number>): Promise<LedgerEntry> {
    if (owner === null) return { take: () => {}, foresee: () => {}, end: () => {} };
    const account = this.#accounts.get(owner) ?? this.#open(owner, stored);
    const { imageCountUploading } = this.#limits;
    if (imageCountUploading >= 0 && account.uploads.size >= imageCountUploading) {
      this.#closeIfIdle(owner, account);
      throw E.OVER_LIMIT({ limit: "image_count_uploading", value: imageCountUploading });
    }
    const key = Symbol("upload");
    account.uploads.set(key, 0);
    const end = (kept: boolean): void => {
      const taken = account.uploads.get(key);
      if (taken === undefined) return;
      if (kept) account.stored += taken;
      account.uploads.delete(key);
      this.#closeIfIdle(owner, account);
    };
    try {
      await account.ready;
      this.#require(account, 1);
    } catch (error) {
      end(false);
      throw error;
    }
    return {
      take: (bytes) => {
        this.#require(account, bytes);
        account.uploads.set(key, (account.uploads.get(key) ?? 0) + bytes);
      },
      foresee: (bytes) => this.#require(account, bytes),
      end,
    };
  }

  /** Uploads of a project under way. */
  uploading(owner: string): number {
    return this.#accounts.get(owner)?.uploads.size ?? 0;
  }

  /** An image is gone: its bytes are free again for uploads under way. */
  release(owner: string | null, bytes: number): void {
    const account = owner === null ? undefined : this.#accounts.get(owner);
    if (account?.loaded === true) account.stored -= bytes;
  }

  #open(owner: string, stored: () => Promise<number>): Account {
    const account: Account = {
      stored: 0,
      loaded: false,
      uploads: new Map(),
      ready: stored().then((bytes) => {
        account.stored += bytes;
        account.loaded = true;
      }),
    };
    account.ready.catch(() => {}); // told to every upload that waits for it
    this.#accounts.set(owner, account);
    return account;
  }

  #closeIfIdle(owner: string, account: Account): void {
    if (account.uploads.size === 0 && this.#accounts.get(owner) === account) this.#accounts.delete(owner);
  }

  #require(account: Account, bytes: number): void {
    const { imageSizeTotalBytes: limit } = this.#limits;
    if (limit < 0) return;
    let used = account.stored;
    for (const taken of account.uploads.values()) used += taken;
    if (used + bytes > limit)
      throw E.OVER_LIMIT({ limit: "image_size_total", value: Math.floor(limit / 2 ** 20) });
  }
}
