import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { MessageType } from "./message-type.js";

/** A writer that grew beyond this for one large message is not kept. */
const KEPT_BYTES = 4 << 20;

let idle: BinaryWriter | undefined;

/**
 * Encodes a message. One writer serves all: its buffer has the size that messages need here, while a new one
 * would grow to it in steps, each of them a copy.
 * @returns bytes of their own
 */
export function encodeMessage(type: MessageType, message: unknown): Uint8Array {
  const writer = idle ?? new BinaryWriter();
  idle = undefined; // A message that fails half-way leaves its writer in the middle of it.
  const bytes = type.encode(message as never, writer).finish();
  if (bytes.length <= KEPT_BYTES) idle = writer;
  return bytes;
}

/** Encodes a request, of which callers give only what they want to say. */
export const encodeRequest = (type: MessageType, partial: unknown): Uint8Array =>
  encodeMessage(type, type.fromPartial(partial as never));
