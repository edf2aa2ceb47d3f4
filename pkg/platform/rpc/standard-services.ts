import type * as grpc from "@grpc/grpc-js";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import type { PackageDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation } from "grpc-health-check";

/**
 * Adds grpc.health.v1; every service starts as SERVING. `stop` turns all to NOT_SERVING, first thing of a
 * drain.
 */
export function addHealth(server: grpc.Server, services: readonly string[]): { stop(): void } {
  const names = ["", ...services];
  const health = new HealthImplementation(
    Object.fromEntries(names.map((name) => [name, "SERVING" as const])),
  );
  health.addToServer(server);
  return {
    stop: () => {
      for (const name of names) health.setStatus(name, "NOT_SERVING");
    },
  };
}

/**
 * Adds server reflection, so that grpcurl and the like can list and call methods.
 * @param descriptors  an encoded FileDescriptorSet with all imports
 * @param services  full names of what is served here: only these are listed
 */
export function addReflection(
  server: grpc.Server,
  descriptors: Uint8Array,
  services: readonly string[],
): void {
  // The files go in as protoc wrote them. The loader of the same family would merge the files of a package
  // into one without imports, which no client can put together again.
  const files: PackageDefinition = {
    files: {
      format: "Protocol Buffer 3 EnumDescriptorProto",
      type: {},
      fileDescriptorProtos: filesOf(descriptors),
    },
  };
  new ReflectionService(files, { services: [...services] }).addToServer(server);
}

/**
 * The files of a FileDescriptorSet, each still encoded: it is a message of nothing but `repeated
 * FileDescriptorProto file = 1`.
 */
function filesOf(descriptors: Uint8Array): Buffer[] {
  const reader = new BinaryReader(descriptors);
  const files: Buffer[] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) files.push(Buffer.from(reader.bytes()));
    else reader.skip(wireType);
  }
  return files;
}
