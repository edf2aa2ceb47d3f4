import type { PlacementOps } from "../../ops/index.js";
import { EVERY_ATTEMPT } from "../../domain/claim-order.js";
import {
  fromConsumer,
  fromUsageGroup,
  toChange,
  toInventory,
  toKey,
  toNumber,
  toTakeOver,
} from "./convert.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { PlacementHandlers } from "./handlers.js";

type Served =
  | "claimAllocations"
  | "revertAllocations"
  | "releaseAllocations"
  | "getAllocations"
  | "setAllocations"
  | "listUsages"
  | "reshape";

const required = (field: string): Error => CommonErrors.INVALID_ARGUMENT({ field, problem: "is required" });

export const allocationHandlers = (ops: PlacementOps): Pick<PlacementHandlers, Served> => ({
  claimAllocations: async (ctx, { claim, takeOvers, keepTrees, operation, fence, attempt }) => {
    if (claim === undefined && takeOvers.length === 0) throw required("claim");
    if (claim?.consumerId === "") throw required("claim.consumer_id");
    if (takeOvers.some(({ consumerId, fromConsumerId }) => consumerId === "" || fromConsumerId === ""))
      throw required("take_overs.consumer_id, take_overs.from_consumer_id");
    if (operation === "") throw required("operation");
    const { generations, revision } = await ops.allocations.claim(
      ctx,
      {
        claims: claim === undefined ? [] : [{ ...toChange(claim), keepTrees }],
        takeOvers: takeOvers.map(toTakeOver),
      },
      toKey(operation, fence, attempt),
    );
    return {
      consumerGeneration: BigInt(generations.get(claim?.consumerId ?? "") ?? 0),
      revision: BigInt(revision),
      consumerGenerations: new Map([...generations].map(([id, generation]) => [id, BigInt(generation)])),
    };
  },
  revertAllocations: async (
    ctx,
    { consumerId, takenByConsumerId, operation, fence, attempt = EVERY_ATTEMPT },
  ) => {
    if (consumerId === "" || takenByConsumerId === "") throw required("consumer_id, taken_by_consumer_id");
    if (operation === "") throw required("operation");
    const key = toKey(operation, fence, attempt);
    return { reverted: await ops.allocations.revert(ctx, consumerId, takenByConsumerId, key) };
  },
  releaseAllocations: async (
    ctx,
    {
      consumerId,
      operation,
      fence,
      ownClaimsOnly: ownOnly,
      attempt = EVERY_ATTEMPT,
      trees,
      consumerGeneration,
    },
  ) => {
    const key = operation === "" ? undefined : toKey(operation, fence, attempt);
    const expected =
      consumerGeneration === undefined ? "any" : toNumber(consumerGeneration, "consumer_generation");
    return { released: await ops.allocations.release(ctx, consumerId, key, { ownOnly, trees, expected }) };
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
