import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { readFileSync } from "node:fs";

/** A field that no build of ours will ever have: what a newer build might have sent. */
const NUMBER = 536_870_911;
const VARINT = 0;
const VALUE = Uint8Array.of(42);

const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(new URL("../../gen/descriptors.binpb", import.meta.url))),
);

/** A message type as ts-proto generates it. */
interface TypeOf<M> {
  encode(message: M): { finish(): Uint8Array };
  decode(bytes: Uint8Array): M;
}

/** Full names of all our messages, in the order of the contract. */
export const messageNames = (): readonly string[] =>
  [...registry].flatMap((one) => (one.kind === "message" && isOurs(one) ? [one.typeName] : []));

/** Where gen/ has a message: the module without its ending, and the export. */
export function generatedAs(name: string): { readonly module: string; readonly symbol: string } {
  const { file } = messageOf(name);
  return { module: file.name, symbol: name.slice(file.proto.package.length + 1).replaceAll(".", "_") };
}

/**
 * A message with a field that this build does not know, in itself and in every message inside. Those that are
 * not set are set: a field of theirs would be lost just as well.
 * @param name   full name, such as `kilonova.type.v1.Server`
 * @param bytes  what it is otherwise
 */
export function salted(name: string, bytes: Uint8Array = new Uint8Array()): Buffer {
  const desc = messageOf(name);
  const message = fromBinary(desc, bytes);
  const visit = (one: ReflectMessage): void => {
    const { $unknown: known = [] } = one.message;
    one.message.$unknown = [...known, { no: NUMBER, wireType: VARINT, data: VALUE }];
    for (const field of one.fields) {
      if (field.fieldKind === "message" && isOurs(field.message)) {
        if (!one.isSet(field)) one.set(field, reflect(field.message, create(field.message)));
        visit(one.get(field));
      } else if (field.fieldKind === "list" && field.listKind === "message" && isOurs(field.message)) {
        const list = one.get(field);
        if (list.size === 0) list.add(reflect(field.message, create(field.message)));
        for (const item of list) visit(item as ReflectMessage);
      }
    }
  };
  visit(reflect(desc, message));
  return Buffer.from(toBinary(desc, message));
}

/** As `salted`, decoded by the generated code, as another process would receive it. */
export const saltedAs = <M>(name: string, type: TypeOf<M>, message: M): M =>
  type.decode(salted(name, type.encode(message).finish()));

/** Where in an encoded message the field is: "" for the message itself, "flavor", "steps[]", … */
export function saltIn(name: string, bytes: Uint8Array): ReadonlySet<string> {
  const found = new Set<string>();
  const desc = messageOf(name);
  const visit = (one: ReflectMessage, path: string): void => {
    if (one.message.$unknown?.some(({ no }) => no === NUMBER) === true) found.add(path);
    const below = path === "" ? "" : `${path}.`;
    for (const field of one.fields) {
      if (field.fieldKind === "message" && one.isSet(field)) visit(one.get(field), below + field.name);
      else if (field.fieldKind === "list" && field.listKind === "message")
        for (const item of one.get(field)) visit(item as ReflectMessage, `${below}${field.name}[]`);
    }
  };
  visit(reflect(desc, fromBinary<DescMessage>(desc, bytes) as Message), "");
  return found;
}

/** All places where `salted` puts the field. */
export const saltable = (name: string): ReadonlySet<string> => saltIn(name, salted(name));

/** Google's own messages (Timestamp, Duration, FieldMask) get no new fields. */
const isOurs = (desc: DescMessage): boolean => desc.typeName.startsWith("kilonova.");

function messageOf(name: string): DescMessage {
  const desc = registry.getMessage(name);
  if (desc === undefined) throw new Error(`no message ${name}`);
  return desc;
}
