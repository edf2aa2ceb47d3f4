import type { Express } from "express";
import {
  AvailabilityZonesServiceDefinition,
  ComputeServicesServiceDefinition,
  HypervisorsServiceDefinition,
} from "../../gen/kilonova/api/v1/hosts_service.js";
import { AggregatesServiceDefinition } from "../../gen/kilonova/api/v1/aggregates_service.js";
import { RemoteConsolesServiceDefinition } from "../../gen/kilonova/api/v1/consoles_service.js";
import { FlavorsServiceDefinition } from "../../gen/kilonova/api/v1/flavors_service.js";
import { ExternalEventsServiceDefinition } from "../../gen/kilonova/api/v1/external_events_service.js";
import { VolumeAttachmentsServiceDefinition } from "../../gen/kilonova/api/v1/volume_attachments_service.js";
import { InterfacesServiceDefinition } from "../../gen/kilonova/api/v1/interfaces_service.js";
import { KeyPairsServiceDefinition } from "../../gen/kilonova/api/v1/key_pairs_service.js";
import {
  InstanceActionsServiceDefinition,
  LimitsServiceDefinition,
} from "../../gen/kilonova/api/v1/limits_service.js";
import { MigrationsServiceDefinition } from "../../gen/kilonova/api/v1/migrations_service.js";
import { ServerGroupsServiceDefinition } from "../../gen/kilonova/api/v1/server_groups_service.js";
import { ServerMetadataServiceDefinition } from "../../gen/kilonova/api/v1/server_metadata_service.js";
import { ServerTagsServiceDefinition } from "../../gen/kilonova/api/v1/server_tags_service.js";
import { NovaAddressesServiceDefinition } from "../../gen/kilonova/compat/v1/nova_addresses_service.js";
import { NovaSecurityGroupsServiceDefinition } from "../../gen/kilonova/compat/v1/nova_security_groups_service.js";
import type { TokenValidator } from "../clients/keystone/ports.js";
import { defaultRest, listen } from "../platform/http/index.js";
import type { HttpEnv, HttpServer, RestConfig } from "../platform/http/index.js";
import type { Channel } from "../platform/rpc/index.js";
import type { Metrics } from "../platform/telemetry/index.js";
import type { GatewayConfig } from "./config.js";
import { buildApp } from "./http/app.js";
import { withoutSecrets } from "./http/path.js";
import type { ApiClients, GatewayPolicy } from "./ports.js";
import { eventsOfGateway, listsOfGateway, serversOfGateway } from "./ports.js";
import { allOperations } from "./resources/index.js";
import { Endpoints } from "./routing/endpoints.js";
import { SchemaCompiler } from "./schema/compiler.js";
import { FragmentCache } from "./view/fragments.js";

export interface GatewayDeps {
  readonly config: GatewayConfig;
  /** To `kilonova.api.v1`, connected as `gateway`. */
  readonly api: Channel;
  readonly tokens: TokenValidator;
  readonly policy: GatewayPolicy;
  readonly log: HttpEnv["log"];
  readonly ids: HttpEnv["ids"];
  readonly startSpan?: HttpEnv["startSpan"];
  readonly turns?: HttpEnv["turns"];
  readonly metrics?: Metrics;
  /** Default: as in the documentation of the configuration. */
  readonly rest?: RestConfig;
}

export interface Gateway {
  readonly app: Express;
  /** Listens on the configured address. @throws when it is taken */
  start(): Promise<HttpServer>;
}

/** Builds the REST gateway; nothing listens before `start`. */
export function buildGateway(deps: GatewayDeps): Gateway {
  const { config, log, ids, startSpan, turns, metrics, rest = defaultRest } = deps;
  const fragments = new FragmentCache(config.fragmentCacheBytes);
  const stopping = new AbortController();
  const app = buildApp({
    env: {
      log,
      ids,
      requestTimeoutMs: config.requestTimeoutMs,
      turns,
      trustedProxies: rest.trustedProxies,
      shownPath: withoutSecrets,
      ...(startSpan ? { startSpan } : {}),
    },
    endpoints: new Endpoints(allOperations(clients(deps.api), fragments, config)),
    schemas: new SchemaCompiler(),
    tokens: deps.tokens,
    policy: deps.policy,
    maxBodyBytes: config.maxBodyBytes,
    linkPrefix: config.linkPrefix,
    identityUrl: config.identityUrl,
    corsOrigins: config.corsOrigins,
    events: deps.api.client(eventsOfGateway),
    fragments,
    heartbeatMs: config.heartbeatMs,
    stopping: stopping.signal,
    ...(metrics ? { observe: observer(metrics) } : {}),
  });
  const start = async (): Promise<HttpServer> => {
    const server = await listen(app, { host: config.host, port: config.port, log, limits: rest });
    return {
      ...server,
      close: (graceMs) => {
        stopping.abort();
        return server.close(graceMs);
      },
    };
  };
  return { app, start };
}

/** Routes come from the table and statuses from a short list: the labels stay few. */
function observer(metrics: Metrics): (route: string, status: number, seconds: number) => void {
  const duration = metrics.histogram(
    "kilonova_http_server_duration_seconds",
    "Time until a REST answer was written.",
    ["route", "status"],
  );
  return (route, status, seconds) =>
    duration.observe({ route: route === "" ? "none" : route, status: String(status) }, seconds);
}

const clients = (api: Channel): ApiClients => ({
  servers: api.client(serversOfGateway),
  interfaces: api.client(InterfacesServiceDefinition),
  volumeAttachments: api.client(VolumeAttachmentsServiceDefinition),
  externalEvents: api.client(ExternalEventsServiceDefinition),
  lists: api.client(listsOfGateway),
  addresses: api.client(NovaAddressesServiceDefinition),
  securityGroups: api.client(NovaSecurityGroupsServiceDefinition),
  flavors: api.client(FlavorsServiceDefinition),
  keyPairs: api.client(KeyPairsServiceDefinition),
  remoteConsoles: api.client(RemoteConsolesServiceDefinition),
  limits: api.client(LimitsServiceDefinition),
  instanceActions: api.client(InstanceActionsServiceDefinition),
  availabilityZones: api.client(AvailabilityZonesServiceDefinition),
  computeServices: api.client(ComputeServicesServiceDefinition),
  migrations: api.client(MigrationsServiceDefinition),
  hypervisors: api.client(HypervisorsServiceDefinition),
  serverMetadata: api.client(ServerMetadataServiceDefinition),
  serverTags: api.client(ServerTagsServiceDefinition),
  serverGroups: api.client(ServerGroupsServiceDefinition),
  aggregates: api.client(AggregatesServiceDefinition),
});
