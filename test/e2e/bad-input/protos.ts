import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createFileRegistry, fromBinary, fromJson, toBinary } from "@bufbuild/protobuf";
import type { DescMethod, FileRegistry, JsonValue } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { projectRoot } from "../support/cloud.js";

const API = "kilonova.api.v1";

/**
 * The public contract as the server itself describes it to strangers: nothing here is made from the same
 * sources as what is tested.
 */
export class Protos {
  readonly #registry: FileRegistry;

  constructor() {
    this.#registry = createFileRegistry(
      fromBinary(FileDescriptorSetSchema, readFileSync(join(projectRoot, "gen", "descriptors.binpb"))),
    );
  }

  /** Every method of the public services. */
  get methods(): readonly DescMethod[] {
    return [...this.#registry].flatMap((type) =>
      type.kind === "service" && type.file.proto.package === API ? type.methods : [],
    );
  }

  /** @param name  `ServersService/GetServer` @throws when there is none */
  method(name: string): DescMethod {
    const found = this.methods.find((method) => `${method.parent.name}/${method.name}` === name);
    if (!found) throw new Error(`no method ${name}`);
    return found;
  }

  /** The bytes of a request given in proto's JSON. @throws when it does not fit the message */
  encode(method: DescMethod, request: unknown): Buffer {
    return Buffer.from(
      toBinary(method.input, fromJson(method.input, request as JsonValue, { registry: this.#registry })),
    );
  }
}

/** Of a method, as it goes over the wire. */
export const pathOf = (method: DescMethod): string => `/${method.parent.typeName}/${method.name}`;
