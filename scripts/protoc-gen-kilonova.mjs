// The plugin that buf runs for gen/: ts-proto, so that fields which this build does not know stay with the
// messages that carry them (docs/contributor/mixed-versions.md). ts-proto does so for decode and encode.
// Three things are changed:
// - Only a message that has unknown fields gets an object for them. One for each message would make decoding
//   three times as slow.
// - `fromPartial` keeps them too. Requests to other services are completed by it.
// - A writer that has a property `knownOnly` leaves them out: for what strangers get to see.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { CodeGeneratorResponseSchema } from "@bufbuild/protobuf/wkt";
import { spawnSync } from "node:child_process";
import { readFileSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";

const { stdout, stderr, status } = spawnSync(
  process.execPath,
  [fileURLToPath(import.meta.resolve("ts-proto/protoc-gen-ts_proto"))],
  { input: readFileSync(0), maxBuffer: 1 << 30 },
);
process.stderr.write(stderr);
if (status !== 0) process.exit(status ?? 1);
const response = fromBinary(CodeGeneratorResponseSchema, stdout);
const bytes = toBinary(
  CodeGeneratorResponseSchema,
  create(CodeGeneratorResponseSchema, {
    ...response,
    file: response.file.map((file) => ({ ...file, content: keepingUnknown(file.content) })),
  }),
);
for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at);

/** @throws when ts-proto writes something in another way than the one known here */
function keepingUnknown(source) {
  const partials = replaced(
    source,
    /( fromPartial\(\s*)(?:object|_)(: DeepPartial<(\w+)>,?\s*\): \w+ \{\n)( +)(const message = createBase\w+\(\);\n)/g,
    count(source, / fromPartial\(/g) - count(source, /^ {2}fromPartial\(object: DeepPartial<T>\): T;$/gm),
    (_, begin, type, name, indent, base) =>
      `${begin}object${type}${indent}${base}` +
      `${indent}if (object._unknownFields !== undefined)\n` +
      `${indent}  message._unknownFields = object._unknownFields as ${name}["_unknownFields"];\n`,
  );
  const messages = count(source, / const buf = reader\.skip\(tag & 7\);/g);
  const bases = replaced(
    partials,
    /^ +_unknownFields: \{\},\n|(?:, | )_unknownFields: \{\}(?= )/gm,
    messages,
    () => "",
  );
  const reading = replaced(
    bases,
    /^( +)const list = message\._unknownFields!\[tag\];\n/gm,
    messages,
    (line, indent) => `${indent}message._unknownFields ??= {};\n${line}`,
  );
  return replaced(
    reading,
    /^( +)if \(message\._unknownFields !== undefined\) \{\n/gm,
    messages,
    (_, indent) => `${indent}if (message._unknownFields !== undefined && !("knownOnly" in writer)) {\n`,
  );
}

function replaced(source, pattern, times, by) {
  if (count(source, pattern) !== times)
    throw new Error(`${pattern} fits ${count(source, pattern)} times, not ${times} times`);
  return source.replaceAll(pattern, by);
}

function count(source, pattern) {
  return source.match(pattern)?.length ?? 0;
}
