/**
 * QEMU's stream socket carries each frame behind its length, 4 bytes big-endian. @source qemu net/stream.c
 */
const lengthBytes = 4;
/** More than any frame; a greater length means that the stream is out of step. */
const maxFrameBytes = 1 << 17;

/** Cuts a byte stream into frames. */
export class FrameDecoder {
  #pending: Buffer = Buffer.alloc(0);

  /**
   * @returns the frames that are now whole. @throws when the stream makes no sense; it cannot be used any
   *   further
   */
  push(chunk: Buffer): Buffer[] {
    let bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const frames: Buffer[] = [];
    while (bytes.length >= lengthBytes) {
      const length = bytes.readUInt32BE(0);
      if (length > maxFrameBytes) throw new Error(`frame of ${length} bytes`);
      if (bytes.length < lengthBytes + length) break;
      frames.push(bytes.subarray(lengthBytes, lengthBytes + length));
      bytes = bytes.subarray(lengthBytes + length);
    }
    this.#pending = bytes;
    return frames;
  }
}

export function encodeFrame(frame: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(lengthBytes + frame.length);
  bytes.writeUInt32BE(frame.length, 0);
  frame.copy(bytes, lengthBytes);
  return bytes;
}
