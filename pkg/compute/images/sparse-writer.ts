import type { FileHandle } from "node:fs/promises";

const BLOCK = 64 * 1024;
const zeros = Buffer.alloc(BLOCK);

/**
 * Writes a stream to a new file, leaving holes where whole blocks are zero: a mostly empty disk takes little
 * space.
 */
export class SparseWriter {
  readonly #file: FileHandle;
  readonly #block = Buffer.alloc(BLOCK);
  #filled = 0;
  #at = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Bytes taken so far, holes included. */
  get sizeBytes(): number {
    return this.#at + this.#filled;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let taken = 0; taken < chunk.length;) {
      const part = chunk.subarray(taken, taken + BLOCK - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === BLOCK) await this.#flush();
    }
  }

  /** Writes the rest and gives the file its full length. */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#file.truncate(this.#at);
  }

  async #flush(): Promise<void> {
    const block = this.#block.subarray(0, this.#filled);
    if (!block.equals(zeros.subarray(0, this.#filled)))
      await this.#file.write(block, 0, block.length, this.#at);
    this.#at += this.#filled;
    this.#filled = 0;
  }
}
