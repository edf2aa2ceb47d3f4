import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ServerCredentials } from "@grpc/grpc-js";
import { publicErrors } from "../../pkg/api/index.js";
import type { Keystone } from "../../pkg/clients/keystone/index.js";
import type { ServiceBinding } from "../../pkg/platform/rpc/index.js";
import { startRpcServer } from "../../pkg/platform/rpc/index.js";
import type { Sharing } from "../../pkg/platform/sharing/index.js";
import type { ServiceProcess } from "../../pkg/platform/service/index.js";
import { packageRoot } from "../../pkg/platform/service/index.js";
import type { PublicGrpcConfig } from "./config.js";

/**
 * Serves the API to users: whoever has a token may ask, policy decides. With reflection, so that grpcurl
 * works.
 */
export async function servePublicGrpc(
  { lifecycle, log, tracer, metrics }: Pick<ServiceProcess, "lifecycle" | "log" | "tracer" | "metrics">,
  { listen, tlsCertFile, tlsKeyFile, ...limits }: PublicGrpcConfig,
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
      admit: sharing.atDoor(sharing.gate()),
      authenticate: (ctx, token) => keystone.validate(ctx, token),
    });
    return { value: server, stop: (budgetMs) => server.drain(budgetMs) };
  });
}

async function tlsOf(certificate: string, key: string): Promise<{ credentials?: ServerCredentials }> {
  if (!certificate) return {};
  return {
    credentials: ServerCredentials.createSsl(null, [
      { cert_chain: await readFile(certificate), private_key: await readFile(key) },
    ]),
  };
}
