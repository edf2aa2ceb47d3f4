import { PlacementServiceDefinition } from "../../../../gen/kilonova/placement/v1/placement_service.js";
import type {
  ProviderAllocation,
  ResourceProvider,
} from "../../../../gen/kilonova/placement/v1/placement_service.js";
import type { Holding, ProviderDetails } from "../../../placement/index/index.js";
import type { Channel } from "../../../platform/rpc/index.js";
import { fromTimestamp } from "../../../model/wire-time.js";
import type { Placement } from "../../ports.js";

/** Placement over its RPCs. */
export function placementPeer(channel: Channel): Placement {
  const client = channel.client(PlacementServiceDefinition);
  return {
    claim: async (ctx, request) => {
      const { serverId, migrationId, expected } = request;
      const { consumerGeneration, consumerGenerations, revision } = await client.claimAllocations(ctx, {
        operation: request.operation,
        fence: BigInt(request.fence),
        attempt: request.attempt,
        claim: {
          consumerId: serverId,
          projectId: request.projectId,
          userId: request.userId,
          consumerType: "INSTANCE",
          allocations: request.holdings.map(fromHolding),
          ...(expected === "new" ? {} : { consumerGeneration: BigInt(expected) }),
        },
        takeOvers:
          migrationId === ""
            ? []
            : [{ consumerId: migrationId, consumerType: "MIGRATION", fromConsumerId: serverId }],
        keepTrees: [...request.keepTrees],
      });
      return {
        generation: Number(consumerGeneration),
        migrationGeneration: Number(consumerGenerations.get(migrationId) ?? 0n),
        revision: Number(revision),
      };
    },
    held: async (ctx, serverId) => {
      const {
        consumers: [held],
      } = await client.getAllocations(ctx, { consumerId: serverId });
      if (held === undefined) return undefined;
      return {
        generation: Number(held.consumerGeneration ?? 0n),
        operation: held.claimOperation,
        fence: Number(held.claimFence),
        holdings: held.allocations.map(toHolding),
      };
    },
    changes: async function* (ctx, afterRevision) {
      for await (const batch of client.watchChanges(ctx, { afterRevision: BigInt(afterRevision) })) {
        yield {
          revision: Number(batch.revision),
          reset: batch.reset,
          deletedProviderIds: batch.deletedProviderIds,
          providers: batch.providers.map(toProvider),
          usedProviders: batch.usedProviders.map(toProvider),
        };
      }
    },
  };
}

const fromHolding = ({ providerId, resources }: Holding) => ({
  providerId,
  resources: new Map([...resources].map(([name, amount]) => [name, BigInt(amount)])),
});

const toHolding = ({ providerId, resources }: ProviderAllocation): Holding => ({
  providerId,
  resources: new Map([...resources].map(([name, amount]) => [name, Number(amount)])),
});

const toProvider = (one: ResourceProvider): ProviderDetails => ({
  id: one.id,
  name: one.name,
  generation: Number(one.generation),
  parentId: one.parentId,
  rootId: one.rootId,
  updatedAt: one.updatedAt === undefined ? 0n : fromTimestamp(one.updatedAt),
  traits: one.traits,
  aggregates: one.aggregates,
  inventories: one.inventories.map((inventory) => ({
    resourceClass: inventory.resourceClass,
    total: Number(inventory.total),
    reserved: Number(inventory.reserved),
    minUnit: Number(inventory.minUnit),
    maxUnit: Number(inventory.maxUnit),
    stepSize: Number(inventory.stepSize),
    allocationRatio: inventory.allocationRatio,
    used: Number(inventory.used),
  })),
});
