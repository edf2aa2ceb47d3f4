/**
 * The same bytes as a Buffer, without copying: encoders give Uint8Array, columns and messages take Buffer.
 */
export const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Encodes a message for a column. */
export const encoded = <T>(type: { encode(message: T): { finish(): Uint8Array } }, message: T): Buffer =>
  bufferOf(type.encode(message).finish());
