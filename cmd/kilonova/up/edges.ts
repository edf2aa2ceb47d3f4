import { chmod, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { InstancesServiceDefinition } from "../../../gen/kilonova/cells/v1/instances_service.js";
import { PlacementServiceDefinition } from "../../../gen/kilonova/placement/v1/placement_service.js";
import { publicErrors } from "../../../pkg/api/index.js";
import { cellGuestData } from "../../../pkg/compute/agent/guest-data-source.js";
import { metadataProxyApp, metadataService, neutronProviders } from "../../../pkg/compute/metadata/index.js";
import { startConsoleProxy } from "../../../pkg/console/index.js";
import { buildGateway } from "../../../pkg/gateway/index.js";
import { placementGateway } from "../../../pkg/gateway-placement/index.js";
import type { Ctx, Span } from "../../../pkg/kernel/index.js";
import { listen } from "../../../pkg/platform/http/index.js";
import type { HttpServer } from "../../../pkg/platform/http/index.js";
import { systemClock, systemIds } from "../../../pkg/platform/process/index.js";
import { startRpcServer } from "../../../pkg/platform/rpc/index.js";
import type { Channel, RpcServer, ServiceBinding } from "../../../pkg/platform/rpc/index.js";
import type { Gate } from "../../../pkg/platform/sharing/index.js";
import type { SpanOrigin } from "../../../pkg/platform/telemetry/index.js";
import { operatorSocket } from "../operator-socket.js";
import { projectRoot } from "../project-root.js";
import { agentsForOperators } from "./operator-agents.js";
import type { Runtime } from "./runtime.js";
import { schemas } from "./storage.js";

const GRACE_MS = 3000;
const HOST = "127.0.0.1";

/**
 * Opens the doors: REST for compute and placement, metadata for proxies, consoles, public gRPC, and the
 * operator's socket.
 */
export async function openEdges(_ctx: Ctx, runtime: Runtime): Promise<void> {
  // One door, by whichever protocol.
  const turns = runtime.sharing.gate();
  await Promise.all([
    openCompute(runtime, turns),
    openPlacement(runtime),
    openMetadata(runtime),
    openConsoles(runtime),
    openPublicGrpc(runtime, turns),
    openOperator(runtime),
  ]);
}

const startSpan =
  ({ tracer }: Runtime) =>
  (name: string, traceparent: string, origin?: SpanOrigin): Span =>
    tracer.start(name, traceparent, {}, "server", origin);

const http = (runtime: Runtime, name: string, start: () => Promise<HttpServer>): Promise<HttpServer> =>
  runtime.lifecycle.start(name, async () => {
    const server = await start();
    return { value: server, stop: (budgetMs) => server.close(Math.min(budgetMs, GRACE_MS)) };
  });

const clientsOf = ({ clients }: Runtime): NonNullable<Runtime["clients"]> => {
  if (!clients) throw new Error("the clients are not open");
  return clients;
};

async function openCompute(runtime: Runtime, turns: Gate): Promise<void> {
  const {
    config,
    options: { ports },
    log,
    network,
    policy,
    metrics,
  } = runtime;
  const gateway = buildGateway({
    config: {
      ...config.gateway,
      port: ports.compute,
      identityUrl: config.up.standalone ? `http://${HOST}:${ports.identity}` : config.gateway.identityUrl,
    },
    api: network.connect("api", { service: "gateway", host: "" }),
    tokens: clientsOf(runtime).keystone,
    policy,
    log,
    ids: systemIds,
    metrics,
    turns,
    rest: config.rest,
    startSpan: startSpan(runtime),
  });
  await http(runtime, "gateway", () => gateway.start());
}

async function openPlacement(runtime: Runtime): Promise<void> {
  const {
    options: { ports },
    config,
    log,
    network,
  } = runtime;
  const { keystone } = clientsOf(runtime);
  const app = placementGateway({
    env: {
      log,
      ids: systemIds,
      requestTimeoutMs: 60_000,
      startSpan: startSpan(runtime),
      turns: runtime.sharing.gate(),
      trustedProxies: config.rest.trustedProxies,
    },
    cors: config.placementCors,
    clock: systemClock,
    authenticate: (ctx, token) => keystone.validate(ctx, token),
    placement: network
      .connect("placement", { service: "gateway", host: "" })
      .client(PlacementServiceDefinition),
  });
  await http(runtime, "gateway-placement", () =>
    listen(app, { host: HOST, port: ports.placement, log, limits: config.rest }),
  );
}

async function openMetadata(runtime: Runtime): Promise<void> {
  const {
    config,
    options: { ports },
    secrets,
    log,
    network,
  } = runtime;
  const instances = network
    .connect("cells", { service: "metadata", host: "" })
    .client(InstancesServiceDefinition);
  const { dhcpDomain: domain, metadataCacheExpirationMs } = config.compute;
  const service = metadataService(
    cellGuestData({
      cell: schemas.cell1,
      domain,
      instances,
      metadataCacheExpirationMs,
      vendorData: clientsOf(runtime).vendorData,
    }),
  );
  const app = metadataProxyApp(
    { log, ids: systemIds, requestTimeoutMs: 30_000, startSpan: startSpan(runtime) },
    service,
    {
      sharedSecret: config.compute.metadataSharedSecret || secrets.metadataSecret,
      providers: neutronProviders(clientsOf(runtime).neutron, metadataCacheExpirationMs),
    },
  );
  await http(runtime, "metadata", () =>
    listen(app, { host: HOST, port: ports.metadata, log, limits: config.rest }),
  );
}

async function openConsoles(runtime: Runtime): Promise<void> {
  const {
    config,
    options: { ports },
    log,
    network,
    metrics,
  } = runtime;
  const connect = (address: string): Channel => network.connect(address, { service: "console", host: "" });
  await http(runtime, "console", () =>
    startConsoleProxy(
      {
        config: config.console,
        env: { log, ids: systemIds, requestTimeoutMs: 30_000, startSpan: startSpan(runtime) },
        rest: config.rest,
        cells: connect("cells"),
        agent: (_host, address) => connect(address),
        ids: systemIds,
        log,
        metrics,
      },
      { host: HOST, port: ports.console },
    ),
  );
}

const grpc = (runtime: Runtime, name: string, start: () => Promise<RpcServer>): Promise<RpcServer> =>
  runtime.lifecycle.start(name, async () => {
    const server = await start();
    return { value: server, stop: (budgetMs) => server.drain(Math.min(budgetMs, GRACE_MS)) };
  });

async function openPublicGrpc(runtime: Runtime, turns: Gate): Promise<void> {
  const {
    config,
    options: { ports },
    log,
    tracer,
    metrics,
  } = runtime;
  const { keystone } = clientsOf(runtime);
  const descriptors = await readFile(join(projectRoot(), "gen", "descriptors.binpb"));
  await grpc(runtime, "grpc", () =>
    startRpcServer({
      address: `${HOST}:${ports.publicGrpc}`,
      bindings: bindingsOf(runtime, ["api"]),
      log,
      tracer,
      metrics,
      descriptors,
      corsOrigins: config.gateway.corsOrigins,
      errors: publicErrors,
      admit: runtime.sharing.atDoor(turns),
      authenticate: (ctx, token) => keystone.validate(ctx, token),
    }),
  );
}

/** Whoever may open the socket is the operator; only the owner of the state directory may. */
async function openOperator(runtime: Runtime): Promise<void> {
  const {
    options: { home },
    log,
    tracer,
    metrics,
  } = runtime;
  const path = operatorSocket(home);
  await rm(path, { force: true });
  await grpc(runtime, "operator", () =>
    startRpcServer({
      address: `unix:${path}`,
      bindings: [
        ...bindingsOf(runtime, ["cells", "conductor", "scheduler", "placement"]),
        agentsForOperators(runtime),
      ],
      log,
      tracer,
      metrics,
      trustedPeer: { service: "operator", host: "" },
    }),
  );
  await chmod(path, 0o600);
}

const bindingsOf = (runtime: Runtime, names: readonly string[]): ServiceBinding[] =>
  names.flatMap((name) => runtime.bindings.get(name) ?? []);
