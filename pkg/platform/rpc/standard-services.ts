import type * as grpc from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation } from "grpc-health-check";

/** Adds grpc.health.v1; every service starts as SERVING. `stop` turns all to NOT_SERVING, first thing of a drain. */
export function addHealth(server: grpc.Server, services: readonly string[]): { stop(): void } {
  const names = ["", ...services];
  const health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, "SERVING" as const])));
  health.addToServer(server);
  return { stop: () => { for (const name of names) health.setStatus(name, "NOT_SERVING"); } };
}

/** Adds server reflection, so that grpcurl and the like can list and call methods. */
export function addReflection(server: grpc.Server, descriptors: Uint8Array): void {
  new ReflectionService(loadFileDescriptorSetFromBuffer(Buffer.from(descriptors))).addToServer(server);
}
