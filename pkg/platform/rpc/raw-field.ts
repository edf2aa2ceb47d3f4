import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { encodeMessage } from "./encode.js";

/** A message of which one field, made of messages, stays as it is encoded: one array of bytes for each. */
export type WithRaw<M, F extends keyof M> = Omit<M, F> & Readonly<Record<F, readonly Uint8Array[]>>;

type IsMessage<T> = T extends Uint8Array | ReadonlyMap<unknown, unknown>
  ? false
  : T extends object
    ? true
    : false;
/** Whether a field's type is a message or a list of messages; all others are encoded in other ways. */
type IsMade<T> = T extends readonly (infer Item)[] ? IsMessage<Item> : IsMessage<T>;
/** The fields of a message that are made of messages. */
export type MessageField<M> = {
  [F in Exclude<keyof M & string, "_unknownFields">]: IsMade<NonNullable<M[F]>> extends true ? F : never;
}[Exclude<keyof M & string, "_unknownFields">];

/** A message type as ts-proto generates it, for code that knows the message. */
interface TypeOf<M> {
  encode(message: M, writer?: BinaryWriter): BinaryWriter;
  decode(bytes: Uint8Array): M;
  fromPartial(partial: object): M;
}

/** Stands for a generated type, on either side of a call: what crosses are the same bytes. */
export interface RawFieldType<M, F extends keyof M> {
  encode(message: WithRaw<M, F>, writer?: BinaryWriter): BinaryWriter;
  /** @returns views on `bytes`, not copies */
  decode(bytes: Uint8Array): WithRaw<M, F>;
  fromPartial(partial: Partial<WithRaw<M, F>>): WithRaw<M, F>;
}

/**
 * The type of a message that is passed on rather than looked at: items that somebody has encoded before need
 * not be encoded again, and whoever remembers what he made of the same bytes need not decode them.
 * @param field  a message or a list of messages
 */
export function rawField<M extends object, F extends MessageField<M>>(
  type: TypeOf<M>,
  field: F,
): RawFieldType<M, F> {
  const none = type.fromPartial({})[field];
  const one = Array.isArray(none) ? [{}] : {};
  const tag = new BinaryReader(type.encode(type.fromPartial({ [field]: one })).finish()).uint32();
  return {
    encode: (message, writer = new BinaryWriter()) => {
      type.encode(type.fromPartial({ ...message, [field]: none }), writer);
      for (const item of message[field]) writer.uint32(tag).bytes(item);
      return writer;
    },
    decode: (bytes) => {
      const { items, rest } = takeOut(bytes, tag);
      return withItems(type.decode(rest), field, items);
    },
    fromPartial: (partial) =>
      withItems(type.fromPartial({ ...partial, [field]: none }), field, partial[field] ?? []),
  };
}

/** The compiler does not follow a key that it knows by its type only: said here, for all. */
const withItems = <M, F extends keyof M>(
  message: M,
  field: F,
  items: readonly Uint8Array[],
): WithRaw<M, F> => ({
  ...message,
  ...({ [field]: items } as Record<F, readonly Uint8Array[]>),
});

/** Parts a message into the items of one field and everything else. */
function takeOut(bytes: Uint8Array, tag: number): { items: Uint8Array[]; rest: Uint8Array } {
  const reader = new BinaryReader(bytes);
  const items: Uint8Array[] = [];
  const others: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const found = reader.uint32();
    if (found === tag) {
      items.push(reader.bytes());
    } else {
      reader.skip(found & 7, found >>> 3);
      others.push(bytes.subarray(start, reader.pos));
    }
  }
  return { items, rest: Buffer.concat(others) };
}

/** An answer that its handler has encoded; to users with `encodeKnown`, whatever is raw in it. */
export class EncodedAnswer<M> {
  readonly bytes: Uint8Array;
  /** Only for the compiler: which message the bytes are. */
  declare readonly message?: M;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  static of<M, F extends keyof M>(type: RawFieldType<M, F>, message: WithRaw<M, F>): EncodedAnswer<M> {
    return new EncodedAnswer(encodeMessage(type, message));
  }
}
