import type { Aggregate } from "../../../gen/kilonova/api/v1/aggregates_service.js";
import type { InstanceAction } from "../../../gen/kilonova/api/v1/limits_service.js";
import type { ServerGroup } from "../../../gen/kilonova/api/v1/server_groups_service.js";
import type { ComputeNode, HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { InstanceMapping } from "../../../gen/kilonova/cells/v1/global_service.js";
import type { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import type { KeyPair } from "../../../gen/kilonova/type/v1/key_pair.js";
import { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { defineErrors } from "../../kernel/index.js";
import { FakeFeed } from "./fake-feed.js";

export const FakeErrors = defineErrors("cells", {
  SERVER_NOT_FOUND: ["missing", (p: { server: string }) => `Instance ${p.server} could not be found.`],
  SERVER_MOVED: ["refused", (p: { server: string }) => `Instance ${p.server} has moved.`],
  OPERATION_NOT_FOUND: ["missing", (p: { operation: string }) => `no ${p.operation}`],
  FLAVOR_NOT_FOUND: ["missing", (p: { flavor: string }) => `no flavor ${p.flavor}`],
  KEY_PAIR_NOT_FOUND: ["missing", (p: { name: string }) => `no key pair ${p.name}`],
  AGGREGATE_NOT_FOUND: [
    "missing",
    (p: { aggregate: string }) => `Aggregate ${p.aggregate} could not be found.`,
  ],
  HOST_IN_OTHER_ZONE: [
    "refused",
    (p: { host: string; zone: string }) => `Host ${p.host} is already in availability zone ${p.zone}.`,
  ],
  SERVER_GROUP_NOT_FOUND: [
    "missing",
    (p: { group: string }) => `Instance group ${p.group} could not be found.`,
  ],
  QUOTA_EXCEEDED: ["quota", (p: { resources: string }) => `Quota exceeded for ${p.resources}`],
  FEED_COMPACTED: ["invalid", (p: { revision: string }) => `up to ${p.revision} is gone`],
  TOKEN_REUSED: ["conflict", (p: { token: string }) => `token ${p.token} was used for another request`],
});

/** What the fakes of the cells service keep: plain maps that tests fill and look into. */
export class FakeCells {
  readonly cells = ["cell0", "cell1", "cell2"];
  readonly mappings = new Map<string, InstanceMapping>();
  readonly records = new Map<string, Map<string, InstanceRecord>>(
    ["global", "cell0", "cell1", "cell2"].map((name) => [name, new Map()]),
  );
  readonly flavors = new Map<string, Flavor>();
  readonly keyPairs: KeyPair[] = [];
  readonly aggregates = new Map<string, Aggregate>();
  readonly groups = new Map<string, ServerGroup>();
  readonly services = new Map<string, HostService[]>();
  readonly nodes = new Map<string, ComputeNode[]>();
  readonly operations = new Map<string, StoredOperation>();
  /** Of instances, by request id. */
  readonly actions = new Map<string, InstanceAction>();
  readonly limits = new Map<string, bigint>([
    ["metadata_items", 128n],
    ["injected_files", 5n],
    ["injected_file_path_bytes", 255n],
    ["injected_file_content_bytes", 10_240n],
  ]);
  readonly feeds = new Map<string, FakeFeed>(
    ["global", "cell0", "cell1", "cell2"].map((name) => [name, new FakeFeed(name)]),
  );
  /** Databases that never answer. */
  readonly silent = new Set<string>();
  /** Names of the calls received, with their database where they have one. */
  readonly calls: string[] = [];
  /** Last request of each method. */
  readonly requests = new Map<string, unknown>();

  feed(database: string): FakeFeed {
    const feed = this.feeds.get(database);
    if (feed === undefined) throw new Error(`no database ${database}`);
    return feed;
  }

  /** Puts a server into a database, mapping included; as a whole or with fields that matter to the case. */
  put(database: string, server: Partial<Server> & { readonly id: string }): Server {
    const full = Server.fromPartial({ projectId: "p1", userId: "u1", name: "vm", generation: 1n, ...server });
    for (const records of this.records.values()) records.delete(full.id);
    this.records.get(database)?.set(full.id, InstanceRecord.fromPartial({ server: full }));
    this.mappings.set(full.id, {
      serverId: full.id,
      database,
      projectId: full.projectId,
      deleted: false,
      createdAt: full.createdAt,
    });
    return full;
  }

  /** Puts a server and tells it on the feed. */
  change(
    database: string,
    server: Partial<Server> & { readonly id: string },
    eventType: "created" | "changed" | "deleted" = "changed",
  ): Server {
    const full = this.put(database, server);
    this.feed(database).instance(full, eventType);
    return full;
  }
}
