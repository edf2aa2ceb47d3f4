import type { BinaryWriter } from "@bufbuild/protobuf/wire";

/** A message type as ts-proto generates it; which message is known where a definition is used. */
export interface MessageType {
  encode(message: never, writer?: BinaryWriter): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
  fromPartial(partial: never): unknown;
}
