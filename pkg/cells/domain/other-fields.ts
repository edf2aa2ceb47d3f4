import { bufferOf } from "./bytes.js";

/** A message type as ts-proto generates it. */
interface TypeOf<M> {
  encode(message: M): { finish(): Uint8Array };
  decode(bytes: Uint8Array): M;
  fromPartial(partial: object): M;
}

const NONE = Buffer.alloc(0);

/**
 * For messages that are stored column by column: the fields that have no column, encoded as the message
 * itself: those that a newer build has sent, and those of this build that SQL has no need to look at. A field
 * that is new begins its life here, so that older builds carry it on (docs/contributor/mixed-versions.md).
 * @param known  the fields of this build that have no column
 * @returns empty for none, which costs nothing
 */
export const otherFieldsOf = <M extends { readonly _unknownFields?: object | undefined }>(
  type: TypeOf<M>,
  { _unknownFields }: Pick<M, "_unknownFields">,
  known: Partial<M> = {},
): Buffer =>
  _unknownFields === undefined && Object.values(known).every((value) => value === undefined || value === "")
    ? NONE
    : bufferOf(type.encode(type.fromPartial({ ...known, _unknownFields })).finish());

/** Fields without a column, to be spread below those that have one. */
export const withOtherFields = <M>(type: TypeOf<M>, stored: Buffer): M | undefined =>
  stored.length === 0 ? undefined : type.decode(stored);
