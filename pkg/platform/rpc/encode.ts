import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { MessageType } from "./message-type.js";

/** A writer that grew beyond this for one large message is not kept. */
const KEPT_BYTES = 4 << 20;

/** Leaves out fields that this build does not know; the generated encoders look for the property. */
class KnownOnlyWriter extends BinaryWriter {
  readonly knownOnly = true;
}

/**
 * Encodes messages. One writer serves all: its buffer has the size that messages need here, while a new one
 * would grow to it in steps, each of them a copy.
 */
function encoder(newWriter: () => BinaryWriter): (type: MessageType, message: unknown) => Uint8Array {
  let idle: BinaryWriter | undefined;
  return (type, message) => {
    const writer = idle ?? newWriter();
    idle = undefined; // A message that fails half-way leaves its writer in the middle of it.
    const bytes = type.encode(message as never, writer).finish();
    if (bytes.length <= KEPT_BYTES) idle = writer;
    return bytes;
  };
}

/**
 * Encodes a message with all that it carries, fields of a newer build included. @returns bytes of their own
 */
export const encodeMessage = encoder(() => new BinaryWriter());

/**
 * Encodes a message for somebody who is not one of our services. A field of a newer build is left out: here
 * nobody knows who may see it.
 * @returns bytes of their own
 */
export const encodeKnown = encoder(() => new KnownOnlyWriter());

/** Encodes a request, of which callers give only what they want to say. */
export const encodeRequest = (type: MessageType, partial: unknown): Uint8Array =>
  encodeMessage(type, type.fromPartial(partial as never));
