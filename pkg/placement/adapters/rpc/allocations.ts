import type { PlacementOps } from "../../ops/index.js";
import {
  EVERY_ATTEMPT,
  fromConsumer,
  fromUsageGroup,
  orderOf,
  toChange,
  toInventory,
  toNumber,
} from "./convert.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { PlacementHandlers } from "./handlers.js";

type Served =
  "claimAllocations" | "releaseAllocations" | "getAllocations" | "setAllocations" | "listUsages" | "reshape";

export const allocationHandlers = (ops: PlacementOps): Pick<PlacementHandlers, Served> => ({
  claimAllocations: async (ctx, { claim, operation, fence, attempt }) => {
    if (claim === undefined || claim.consumerId === "")
      throw CommonErrors.INVALID_ARGUMENT({ field: "claim", problem: "names no consumer" });
    if (operation === "") throw CommonErrors.INVALID_ARGUMENT({ field: "operation", problem: "is required" });
    const { generation, revision } = await ops.allocations.claim(ctx, toChange(claim), {
      operation,
      fence: orderOf(fence, attempt),
    });
    return { consumerGeneration: BigInt(generation), revision: BigInt(revision) };
  },
  releaseAllocations: async (
    ctx,
    { consumerId, operation, fence, ownClaimsOnly, attempt = EVERY_ATTEMPT },
  ) => {
    const key = operation === "" ? undefined : { operation, fence: orderOf(fence, attempt) };
    return { released: await ops.allocations.release(ctx, consumerId, key, ownClaimsOnly) };
  },
  getAllocations: async (ctx, { consumerId, providerId }) => {
    const { consumers, generations } =
      consumerId === ""
        ? await ops.allocations.ofProvider(ctx, providerId)
        : await ops.allocations.ofConsumer(ctx, consumerId);
    return {
      consumers: consumers.map((one) => fromConsumer(one, generations)),
      providerGeneration: BigInt(generations.get(providerId) ?? 0),
    };
  },
  setAllocations: async (ctx, { consumers }) => {
    await ops.allocations.set(ctx, consumers.map(toChange));
    return {};
  },
  listUsages: async (ctx, { projectId, userId, providerId, consumerType }) => {
    if (providerId !== "") {
      const { group, generation } = await ops.allocations.usageOfProvider(ctx, providerId);
      return { groups: [fromUsageGroup(group)], providerGeneration: BigInt(generation) };
    }
    const groups = await ops.allocations.usages(ctx, {
      projectId,
      ...(userId === "" ? {} : { userId }),
      ...(consumerType === "" ? {} : { consumerType }),
    });
    return { groups: groups.map(fromUsageGroup), providerGeneration: 0n };
  },
  reshape: async (ctx, { inventories, consumers }) => {
    const wanted = inventories.map((one) => ({
      providerId: one.providerId,
      expected: toNumber(one.generation, "generation"),
      inventories: one.inventories.map(toInventory),
    }));
    await ops.reshape(ctx, wanted, consumers.map(toChange));
    return {};
  },
});
