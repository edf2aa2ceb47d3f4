// gen/descriptors.binpb → the SDKs: one class per service of kilonova.api.v1, in TypeScript
// (pkg/sdk/resources.gen.ts) and in Python (pkg/sdk-python/kilonova/_resources.py), the descriptors that the
// Python one makes its messages from, and the types of both for who checks them.
import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./lib/paths.mjs";
import { resourceTypesOf, typesOf } from "./lib/sdk/python-types.mjs";
import { pythonOf } from "./lib/sdk/python.mjs";
import { servicesOf } from "./lib/sdk/services.mjs";
import { messagesOf, typescriptOf } from "./lib/sdk/typescript.mjs";

const set = fromBinary(FileDescriptorSetSchema, readFileSync(join(root, "gen", "descriptors.binpb")));
const registry = createFileRegistry(set);
const services = servicesOf(registry);
writeFileSync(join(root, "pkg", "sdk", "resources.gen.ts"), typescriptOf(services));
writeFileSync(join(root, "pkg", "sdk", "messages.gen.ts"), messagesOf(set));
const python = join(root, "pkg", "sdk-python", "kilonova");
writeFileSync(join(python, "_resources.py"), pythonOf(services));
writeFileSync(join(python, "_resources.pyi"), resourceTypesOf(services));
writeFileSync(join(python, "types.pyi"), typesOf(registry));
writeFileSync(join(python, "descriptors.binpb"), descriptorsFor(/^(kilonova\/(api|type)|google)\//));

/** The files whose names fit, in order of dependency, without their comments. */
function descriptorsFor(pattern) {
  const file = set.file
    .filter((one) => pattern.test(one.name))
    .map((one) => ({ ...one, sourceCodeInfo: undefined }));
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
}
