import { AggregateStoreServiceDefinition } from "../../../../gen/kilonova/cells/v1/aggregates_service.js";
import { FeedServiceDefinition } from "../../../../gen/kilonova/cells/v1/feed_service.js";
import type { FeedEntry } from "../../../../gen/kilonova/cells/v1/feed_service.js";
import { GlobalServiceDefinition } from "../../../../gen/kilonova/cells/v1/global_service.js";
import {
  ComputeNode,
  HostService,
  HostsServiceDefinition,
} from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import { InstancesServiceDefinition } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { within } from "../../../kernel/ctx.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Channel } from "../../../platform/rpc/index.js";
import type {
  AggregateFacts,
  Cells,
  CellChange,
  CellSnapshot,
  InstanceState,
  NodeFacts,
  ServiceFacts,
} from "../../ports.js";
import { COMPUTE_BINARY } from "../../../model/service-names.js";
import { CELL0, GLOBAL } from "../../../model/database-names.js";

const PAGE = 1000;
/** A cell that does not answer in time counts as silent; others must not wait for it. */
const ANSWER_MS = 10_000;
const KINDS = ["service", "compute_node", "instance"];

/** The cells service over its RPCs. One channel reaches all cells. */
export function cellsPeer(channel: Channel): Cells {
  const global = channel.client(GlobalServiceDefinition);
  const aggregates = channel.client(AggregateStoreServiceDefinition);
  const hosts = channel.client(HostsServiceDefinition);
  const instances = channel.client(InstancesServiceDefinition);
  const feed = channel.client(FeedServiceDefinition);

  const hostsOf = async (ctx: Ctx, cell: string): Promise<Pick<CellSnapshot, "services" | "nodes">> => {
    const { services, nodes } = await within(ctx, ANSWER_MS, cell, (inner) =>
      hosts.listHosts(inner, { cell, binary: COMPUTE_BINARY, recordsOnly: true }),
    );
    return {
      services: services.filter(isCompute).map((one) => ({ id: one.id, service: toService(one) })),
      nodes: nodes.map((one) => ({ id: one.id, node: toNode(one) })),
    };
  };

  const instancesOf = async (ctx: Ctx, cell: string): Promise<InstanceState[]> => {
    const found: InstanceState[] = [];
    for (let after: string[] = []; ;) {
      const { rows, more } = await within(ctx, ANSWER_MS, cell, (inner) =>
        instances.listInstances(inner, {
          database: cell,
          filter: { deleted: false, softDeleted: true },
          sort: [{ field: "id" }],
          pageSize: PAGE,
          after,
        }),
      );
      found.push(...rows.map((row) => toInstance(Server.decode(row.server))));
      const last = rows.at(-1);
      if (!more || last === undefined) return found;
      after = last.sortValues;
    }
  };

  const aggregatesOf = async (ctx: Ctx): Promise<AggregateFacts[]> => {
    const found: AggregateFacts[] = [];
    for (let pageToken = ""; ;) {
      const page = await within(ctx, ANSWER_MS, GLOBAL, (inner) =>
        aggregates.listStoredAggregates(inner, { pageToken }),
      );
      found.push(
        ...page.aggregates.map(({ id, hosts: members, metadata }) => ({ id, hosts: members, metadata })),
      );
      pageToken = page.nextPageToken;
      if (pageToken === "") return found;
    }
  };

  return {
    list: async (ctx) =>
      (await global.listCells(ctx, {})).cells
        .filter(({ name, disabled }) => name !== CELL0 && !disabled)
        .map(({ name }) => name),
    head: async (ctx, cell) => {
      const { incarnation, expectedRevision } = await within(ctx, ANSWER_MS, cell, (inner) =>
        feed.getFeedHead(inner, { database: cell }),
      );
      return { incarnation, revision: Number(expectedRevision) };
    },
    watchAggregates: async function* (ctx) {
      const { incarnation, revision } = await within(ctx, ANSWER_MS, GLOBAL, (inner) =>
        feed.getFeedHead(inner, { database: GLOBAL }),
      );
      yield await aggregatesOf(ctx);
      for await (const { entries } of feed.watchFeed(ctx, {
        database: GLOBAL,
        incarnation,
        afterRevision: revision,
        entityKinds: ["aggregate"],
      })) {
        if (entries.length > 0) yield await aggregatesOf(ctx);
      }
    },
    watch: async function* (ctx, cell) {
      // The head first: whatever changes while we list comes again through the feed.
      const { incarnation, revision } = await within(ctx, ANSWER_MS, cell, (inner) =>
        feed.getFeedHead(inner, { database: cell }),
      );
      yield {
        snapshot: { ...(await hostsOf(ctx, cell)), instances: await instancesOf(ctx, cell) },
        place: { incarnation, revision: Number(revision) },
      };
      for await (const { entries, ...place } of feed.watchFeed(ctx, {
        database: cell,
        incarnation,
        afterRevision: revision,
        entityKinds: KINDS,
      })) {
        yield {
          changes: entries.flatMap((entry) => toChange(entry) ?? []),
          place: { incarnation: place.incarnation, revision: Number(place.revision) },
        };
      }
    },
  };
}

const isCompute = ({ binary }: HostService): boolean => binary === "" || binary === COMPUTE_BINARY;

function toChange(entry: FeedEntry): CellChange | undefined {
  const { entityId: id, payload } = entry;
  const gone = entry.eventType === "deleted" || entry.eventType === "moved";
  switch (entry.entityKind) {
    case "service": {
      const service = HostService.decode(payload);
      return isCompute(service)
        ? { kind: "service", id, service: gone ? undefined : toService(service) }
        : undefined;
    }
    case "compute_node":
      return { kind: "node", id, node: gone ? undefined : toNode(ComputeNode.decode(payload)) };
    case "instance":
      return { kind: "instance", id, instance: gone ? undefined : toInstance(Server.decode(payload)) };
    default:
      return undefined;
  }
}

const toService = (one: HostService): ServiceFacts => ({
  host: one.host,
  availabilityZone: one.availabilityZone || "nova",
  address: one.address,
  disabled: one.disabled,
  disabledReason: one.disabledReason,
  forcedDown: one.forcedDown,
});

const toNode = (one: ComputeNode): NodeFacts => ({
  host: one.host,
  node: one.hypervisorHostname,
  computeNodeId: one.id,
  hostIp: one.hostIp,
  hypervisorType: one.hypervisorType,
  hypervisorVersion: one.hypervisorVersion,
  supported: toSupported(parseJson(one.supportedInstancesJson)),
  capabilities: {
    cpu_info: parseJson(one.cpuInfoJson),
    hypervisor_type: one.hypervisorType,
    hypervisor_version: one.hypervisorVersion,
    hypervisor_hostname: one.hypervisorHostname,
    vcpus_total: one.vcpus,
    total_usable_ram_mb: Number(one.memoryMib),
    total_usable_disk_gb: Number(one.diskGib),
  },
});

const toSupported = (value: unknown): string[][] =>
  Array.isArray(value) ? value.flatMap((one: unknown) => (Array.isArray(one) ? [one.map(String)] : [])) : [];

function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // A host that writes nonsense about itself has no such capability.
  }
}

/** Tasks that keep disks and network busy. @source scheduler.md §5, num_io_ops */
const BUSY_TASKS = new Set([
  "resize_prep",
  "resize_migrating",
  "rebuilding",
  "image_snapshot",
  "image_backup",
  "rescuing",
  "unshelving",
]);

function toInstance(server: Server): InstanceState {
  const { vmState } = server;
  return {
    id: server.id,
    host: server.hostInfo?.host ?? "",
    projectId: server.projectId,
    busy: vmState === VmState.VM_STATE_BUILDING || BUSY_TASKS.has(server.taskState),
    state:
      vmState === VmState.VM_STATE_BUILDING
        ? "building"
        : vmState === VmState.VM_STATE_ACTIVE
          ? "active"
          : vmState === VmState.VM_STATE_ERROR
            ? "error"
            : "other",
  };
}
