/**
 * The parts of an image that are looked at: its beginning, and its last 512 bytes. Reads beyond what is known
 * give undefined, never a guess.
 */
export interface ImageView {
  readonly head: Uint8Array;
  /** The last 512 bytes (fewer of a smaller file). */
  readonly tail: Uint8Array;
  readonly sizeBytes: number;
}

/**
 * How much of the beginning to hand in. VHDX and streamed VMDK keep their facts within the first megabytes.
 */
export const HEAD_BYTES = 4 * 1024 * 1024;

/** Reads numbers from a header with bounds. */
export class Header {
  readonly #view: DataView;
  readonly length: number;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.length = bytes.byteLength;
  }

  u16le = (at: number): number | undefined => (this.#has(at, 2) ? this.#view.getUint16(at, true) : undefined);
  u32le = (at: number): number | undefined => (this.#has(at, 4) ? this.#view.getUint32(at, true) : undefined);
  u32be = (at: number): number | undefined => (this.#has(at, 4) ? this.#view.getUint32(at) : undefined);
  u64le = (at: number): bigint | undefined =>
    this.#has(at, 8) ? this.#view.getBigUint64(at, true) : undefined;
  u64be = (at: number): bigint | undefined => (this.#has(at, 8) ? this.#view.getBigUint64(at) : undefined);

  /** Whether these ASCII (or `\xff`-style) characters stand here. */
  has(at: number, magic: string): boolean {
    if (!this.#has(at, magic.length)) return false;
    for (let i = 0; i < magic.length; i++)
      if (this.#view.getUint8(at + i) !== magic.charCodeAt(i)) return false;
    return true;
  }

  /** The bytes as Latin-1 text; undefined when they are not all known. */
  text(at: number, length: number): string | undefined {
    if (!this.#has(at, length)) return undefined;
    let out = "";
    for (let i = 0; i < length; i++) out += String.fromCharCode(this.#view.getUint8(at + i));
    return out;
  }

  /** Whether all these bytes are zero; false when they are not all known. */
  zero(at: number, length: number): boolean {
    if (!this.#has(at, length)) return false;
    for (let i = 0; i < length; i++) if (this.#view.getUint8(at + i) !== 0) return false;
    return true;
  }

  #has(at: number, length: number): boolean {
    return at >= 0 && length >= 0 && at + length <= this.length;
  }
}
