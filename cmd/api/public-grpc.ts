import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { publicErrors } from "../../pkg/api/index.js";
import type { Keystone } from "../../pkg/clients/keystone/index.js";
import type { RpcServerOptions, ServiceBinding } from "../../pkg/platform/rpc/index.js";
import { startRpcServer } from "../../pkg/platform/rpc/index.js";
import type { Sharing } from "../../pkg/platform/sharing/index.js";
import type { ServiceProcess } from "../../pkg/platform/service/index.js";
import { packageRoot } from "../../pkg/platform/service/index.js";
import type { PublicGrpcConfig } from "./config.js";

/**
 * Serves the API to users, over gRPC and Connect: whoever has a token may ask, policy decides. With
 * reflection, so that grpcurl works.
 */
export async function servePublicGrpc(
  { lifecycle, log, tracer, metrics }: Pick<ServiceProcess, "lifecycle" | "log" | "tracer" | "metrics">,
  { listen, tlsCertFile, tlsKeyFile, corsOrigins, ...limits }: PublicGrpcConfig,
  bindings: readonly ServiceBinding[],
  keystone: Keystone,
  sharing: Sharing,
): Promise<void> {
  if (!listen) return;
  const [descriptors, tls] = await Promise.all([
    readFile(join(packageRoot(), "gen", "descriptors.binpb")),
    tlsOf(tlsCertFile, tlsKeyFile),
  ]);
  await lifecycle.start("public-grpc", async () => {
    const server = await startRpcServer({
      address: listen,
      bindings,
      log,
      tracer,
      metrics,
      descriptors,
      errors: publicErrors,
      ...tls,
      limits,
      corsOrigins,
      admit: sharing.atDoor(sharing.gate()),
      authenticate: (ctx, token) => keystone.validate(ctx, token),
    });
    return { value: server, stop: (budgetMs) => server.drain(budgetMs) };
  });
}

async function tlsOf(cert: string, key: string): Promise<Pick<RpcServerOptions, "tls">> {
  return cert ? { tls: { cert: await readFile(cert), key: await readFile(key) } } : {};
}
