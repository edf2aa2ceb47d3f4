import type * as grpc from "@grpc/grpc-js";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
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
 * @param services  full names of what is served here: only these, and what their files import, are shown
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
      fileDescriptorProtos: filesWith(services, filesOf(descriptors)),
    },
  };
  new ReflectionService(files, { services: [...services] }).addToServer(server);
}

/** As much of a FileDescriptorProto as says which files a client needs. */
interface File {
  readonly bytes: Buffer;
  readonly name: string;
  readonly imports: readonly string[];
  /** Full names. */
  readonly services: readonly string[];
}

/** The files that define these services, and what they import; of anything else nobody learns. */
function filesWith(services: readonly string[], files: readonly File[]): Buffer[] {
  const wanted = new Set(services);
  const byName = new Map(files.map((file) => [file.name, file]));
  const shown = new Set<File>();
  const show = (file: File | undefined): void => {
    if (file === undefined || shown.has(file)) return;
    shown.add(file);
    for (const name of file.imports) show(byName.get(name));
  };
  for (const file of files) if (file.services.some((service) => wanted.has(service))) show(file);
  return files.filter((file) => shown.has(file)).map(({ bytes }) => bytes);
}

/**
 * The files of a FileDescriptorSet, each still encoded: it is a message of nothing but `repeated
 * FileDescriptorProto file = 1`.
 */
function filesOf(descriptors: Uint8Array): File[] {
  return fieldsOf(descriptors, 1).map((bytes) => {
    const [packageName = ""] = textsOf(bytes, 2);
    return {
      bytes: Buffer.from(bytes),
      name: textsOf(bytes, 1)[0] ?? "",
      imports: textsOf(bytes, 3),
      services: fieldsOf(bytes, 6).map((service) => `${packageName}.${textsOf(service, 1)[0] ?? ""}`),
    };
  });
}

const textsOf = (message: Uint8Array, field: number): string[] =>
  fieldsOf(message, field).map((bytes) => Buffer.from(bytes).toString());

/** The values of a length-delimited field, in order. */
function fieldsOf(message: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(message);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === wanted && wireType === WireType.LengthDelimited) found.push(reader.bytes());
    else reader.skip(wireType);
  }
  return found;
}
