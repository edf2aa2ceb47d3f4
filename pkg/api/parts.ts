import { AggregateStoreServiceDefinition } from "../../gen/kilonova/cells/v1/aggregates_service.js";
import { ConsoleTokenServiceDefinition } from "../../gen/kilonova/cells/v1/console_tokens_service.js";
import { FeedServiceDefinition } from "../../gen/kilonova/cells/v1/feed_service.js";
import { GlobalServiceDefinition } from "../../gen/kilonova/cells/v1/global_service.js";
import { HostsServiceDefinition } from "../../gen/kilonova/cells/v1/hosts_service.js";
import { InstancesServiceDefinition } from "../../gen/kilonova/cells/v1/instances_service.js";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import { ServerGroupStoreServiceDefinition } from "../../gen/kilonova/cells/v1/server_groups_service.js";
import { ServerRecordsServiceDefinition } from "../../gen/kilonova/cells/v1/server_records_service.js";
import { SchedulerServiceDefinition } from "../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type { Client } from "../platform/rpc/index.js";
import { tokenBox } from "./crypto/token-box.js";
import type { TokenBox } from "./crypto/token-box.js";
import { CellGuard } from "./cells/guard.js";
import { Databases } from "./cells/databases.js";
import { HostDirectory } from "./cells/host-directory.js";
import { Mappings } from "./cells/mappings.js";
import { Servers } from "./cells/servers.js";
import { FeedHub } from "./events/feed-hub.js";
import { OperationSignals } from "./events/operation-signals.js";
import { WatchPlaces } from "./events/watch-places.js";
import type { ApiDeps } from "./ports.js";
import { PresentedServers } from "./view/presented-servers.js";

/** What operations are made of; built once per process. Policy stands before them, so they have none. */
export interface Parts extends Omit<ApiDeps, "scheduler" | "policy" | "tokenKeys"> {
  readonly scheduler: Client<SchedulerServiceDefinition>;
  readonly global: Client<GlobalServiceDefinition>;
  readonly aggregates: Client<AggregateStoreServiceDefinition>;
  readonly groups: Client<ServerGroupStoreServiceDefinition>;
  readonly instances: Client<InstancesServiceDefinition>;
  readonly hosts: Client<HostsServiceDefinition>;
  readonly operations: Client<OperationStoreServiceDefinition>;
  readonly feed: Client<FeedServiceDefinition>;
  readonly consoleTokens: Client<ConsoleTokenServiceDefinition>;
  readonly records: Client<ServerRecordsServiceDefinition>;
  readonly tokens: TokenBox;
  readonly hub: FeedHub;
  readonly watchPlaces: WatchPlaces;
  readonly guard: CellGuard;
  readonly databases: Databases;
  readonly directory: HostDirectory;
  readonly mappings: Mappings;
  readonly servers: Servers;
  readonly presented: PresentedServers;
  readonly signals: OperationSignals;
}

export function makeParts(deps: ApiDeps): Parts {
  const global = deps.cells.client(GlobalServiceDefinition);
  const instances = deps.cells.client(InstancesServiceDefinition);
  const hosts = deps.cells.client(HostsServiceDefinition);
  const feed = deps.cells.client(FeedServiceDefinition);
  const guard = new CellGuard(deps.config);
  const databases = new Databases(global, guard, deps.clock, deps.config.cellListTtlMs);
  const mappings = new Mappings(global, guard, deps.config.mappingCacheSize);
  const directory = new HostDirectory(hosts, databases, guard, deps.clock, deps.config.hostListTtlMs);
  return {
    ...deps,
    global,
    instances,
    hosts,
    feed,
    hub: new FeedHub(feed, guard, deps.clock, deps.config),
    watchPlaces: new WatchPlaces(deps.config),
    tokens: tokenBox(deps.tokenKeys),
    guard,
    databases,
    mappings,
    directory,
    scheduler: deps.scheduler.client(SchedulerServiceDefinition),
    aggregates: deps.cells.client(AggregateStoreServiceDefinition),
    groups: deps.cells.client(ServerGroupStoreServiceDefinition),
    operations: deps.cells.client(OperationStoreServiceDefinition),
    presented: new PresentedServers(directory, deps.config.serverCacheBytes),
    servers: new Servers(instances, mappings, guard),
    consoleTokens: deps.cells.client(ConsoleTokenServiceDefinition),
    records: deps.cells.client(ServerRecordsServiceDefinition),
    signals: new OperationSignals(feed, databases, deps.clock),
  };
}
