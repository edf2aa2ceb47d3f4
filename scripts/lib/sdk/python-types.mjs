import { ScalarType } from "@bufbuild/protobuf";
import { docstring, fieldsOf, snake } from "./python.mjs";
import { commentOf } from "./services.mjs";

const HEADER = "# Written by scripts/gen-sdk.mjs from proto/kilonova. Do not edit.\n";

/** Made by protobuf itself; what it is made of is the same. */
const WELL_KNOWN = { Timestamp: "timestamp_pb2", Duration: "duration_pb2", FieldMask: "field_mask_pb2" };

/** types.pyi: every message and enum that users may name. */
export function typesOf(registry) {
  const ours = [...registry].filter(
    (one) => ["message", "enum"].includes(one.kind) && /^kilonova\.(api|type)\./.test(one.typeName),
  );
  const all = ours.sort((a, b) => (a.name < b.name ? -1 : 1));
  const imports = Object.entries(WELL_KNOWN).map(
    ([name, module]) => `from google.protobuf.${module} import ${name} as ${name}`,
  );
  return `${HEADER}"""Messages and enums of the contract. Enum fields read as numbers: \`VmState(server.vm_state)\`."""

from collections.abc import Iterable, Mapping, MutableMapping, MutableSequence
from enum import IntEnum
from typing import Any, Literal

from google.protobuf.message import Message
${imports.sort().join("\n")}

${all.map((one) => (one.kind === "enum" ? enumOf(one) : messageOf(one))).join("\n")}`;
}

/** _resources.pyi: how each method is called, and what it answers. */
export function resourceTypesOf(services) {
  const started = services.flatMap(({ methods }) => methods.filter(({ manner }) => manner === "starts"));
  const answers = new Map(started.map((method) => [method.desc.output.name, startedOf(method)]));
  return `${HEADER}from collections.abc import Iterable, Mapping, MutableMapping, MutableSequence
from typing import Any

from . import types
from ._caller import Caller
from ._operations import PendingOperation, Started
from ._pages import Pages
from ._resource import Resource
from ._watch import Watch

${[...answers.values()].join("\n")}
${services.map(classOf).join("\n")}
class Resources:
    """One client for each service."""

${services.map(({ name }) => `    ${snake(name)}: ${name}`).join("\n")}
    def __init__(self, caller: Caller) -> None: ...
`;
}

function enumOf(desc) {
  const values = desc.values.map(({ localName, number }) => `    ${localName} = ${number}\n`);
  return `class ${desc.name}(IntEnum):\n${docstring(comment(desc, 5), "    ")}\n${values.join("")}`;
}

function messageOf(desc) {
  const fields = desc.fields.map(
    (field) => `    ${field.name}: ${readType(field)}\n${docstring(comment(field), "    ")}\n`,
  );
  const names = desc.fields.filter((field) => field.presence !== 2 /* implicit */ || field.message);
  const present = names.filter(({ fieldKind }) => ["message", "scalar", "enum"].includes(fieldKind));
  const has =
    present.length === 0
      ? ""
      : `    def HasField(self, field_name: Literal[${present.map(({ name }) => `"${name}"`).join(", ")}]) -> bool: ...\n`;
  const oneofs = desc.oneofs.map(
    ({ name, fields: choices }) =>
      `    def WhichOneof(self, oneof_group: Literal["${name}"]) -> Literal[${choices.map((one) => `"${one.name}"`).join(", ")}] | None: ...\n`,
  );
  if (oneofs.length > 1) throw new Error(`${desc.name} has more than one oneof`);
  const init = desc.fields.length === 0 ? "self" : `self, *, ${argumentsOf(desc.fields, "")}`;
  return `class ${desc.name}(Message):
${docstring(comment(desc, 4), "    ")}

${fields.join("")}    def __init__(${init}) -> None: ...
${has}${oneofs.join("")}`;
}

/** An answer whose operations can be waited for. */
function startedOf({ desc: { output }, operations }) {
  const names = operations.map(({ name }) => name);
  const fields = output.fields.map((field) => {
    const one = field.fieldKind === "list" ? "list[PendingOperation]" : "PendingOperation | None";
    return `    ${field.name}: ${names.includes(field.name) ? one : readType(field, "types.")}\n`;
  });
  return `class _Started${output.name}(Started[types.${output.name}]):\n${fields.join("")}`;
}

function classOf({ desc, name, methods, comment: text }) {
  const body = methods.map((method) => methodOf(desc, method));
  return `class ${name}(Resource):\n${docstring(text, "    ")}\n\n${body.join("")}`;
}

function methodOf(_service, { desc: { input, output }, name, manner, items }) {
  const timeout = manner === "watches" ? [] : ["timeout: float | None = ..."];
  const fields = fieldsOf(input);
  const given = fields.length === 0 ? [] : [argumentsOf(fields, "types.")];
  const wanted = [...timeout, ...given].join(", ");
  const answer = {
    call: () => `types.${output.name}`,
    starts: () => `_Started${output.name}`,
    pages: () => `Pages[${rowOf(items)}, types.${output.name}]`,
    watches: () => `Watch[types.${output.name}]`,
  }[manner]();
  return `    def ${snake(name)}(self${wanted === "" ? "" : `, *, ${wanted}`}) -> ${answer}: ...\n`;
}

const rowOf = ({ message }) => (message.name === "Operation" ? "PendingOperation" : `types.${message.name}`);

const argumentsOf = (fields, prefix) =>
  fields.map((field) => `${field.name}: ${writeType(field, prefix)} = ...`).join(", ");

const SCALARS = {
  [ScalarType.STRING]: "str",
  [ScalarType.BYTES]: "bytes",
  [ScalarType.BOOL]: "bool",
  [ScalarType.DOUBLE]: "float",
  [ScalarType.FLOAT]: "float",
};
const scalar = (type) => SCALARS[type] ?? "int";

/** What a field reads as. @param prefix  where messages are found */
function readType(field, prefix = "") {
  const one = () => (field.message ? prefix + field.message.name : field.enum ? "int" : scalar(field.scalar));
  if (field.fieldKind === "list") return `MutableSequence[${one()}]`;
  if (field.fieldKind === "map") return `MutableMapping[${scalar(field.mapKey)}, ${one()}]`;
  return one();
}

/** What may be given for it: a message also as a dict, an enum's value also by its whole name. */
function writeType(field, prefix) {
  const one = () => {
    if (field.message) return `${prefix}${field.message.name} | Mapping[str, Any]`;
    return field.enum ? "int | str" : scalar(field.scalar);
  };
  if (field.fieldKind === "list") return `Iterable[${one()}]`;
  if (field.fieldKind === "map") return `Mapping[${scalar(field.mapKey)}, ${one()}]`;
  return `${one()} | None`;
}

/** @param kind  number of messages or enums in a file's descriptor; a field is found in its message */
function comment(desc, kind) {
  if (kind === undefined) {
    const { parent } = desc;
    return commentOf(parent.file, [4, parent.file.messages.indexOf(parent), 2, parent.fields.indexOf(desc)]);
  }
  const all = kind === 4 ? desc.file.messages : desc.file.enums;
  return commentOf(desc.file, [kind, all.indexOf(desc)]);
}
