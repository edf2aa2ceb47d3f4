import type * as pb from "../../../../gen/kilonova/placement/v1/placement_service.js";
import type { Instant } from "../../../kernel/time.js";
import { CommonErrors } from "../../../kernel/errors.js";
import { EVERY_ATTEMPT, fenceOf, orderOf } from "../../domain/claim-order.js";
import type { ClaimKey } from "../../domain/ledger-types.js";
import type {
  Amounts,
  Consumer,
  ConsumerChange,
  Holding,
  Inventory,
  Provider,
  ProviderDetails,
  TakeOver,
} from "../../domain/model.js";
import type { Candidate, Condition, RequestGroup } from "../../index/request.js";
import type { UsageGroup } from "../../ops/allocations.js";

/** @throws INVALID_ARGUMENT beyond what a number holds exactly */
export function toNumber(value: bigint, field: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw CommonErrors.INVALID_ARGUMENT({ field, problem: "out of range" });
  return number;
}

/** Who claims, as the ledger knows it. @throws INVALID_ARGUMENT beyond 2^37 owners */
export function toKey(operation: string, fence: bigint, attempt: number): ClaimKey {
  if (attempt > EVERY_ATTEMPT)
    throw CommonErrors.INVALID_ARGUMENT({ field: "attempt", problem: "out of range" });
  const order = orderOf(toNumber(fence, "fence"), attempt);
  if (!Number.isSafeInteger(order))
    throw CommonErrors.INVALID_ARGUMENT({ field: "fence", problem: "out of range" });
  return { operation, fence: order };
}

export const toAmounts = (resources: ReadonlyMap<string, bigint>): Amounts =>
  new Map(
    [...resources]
      .filter(([, amount]) => amount > 0n)
      .map(([name, amount]) => [name, toNumber(amount, name)]),
  );

const fromAmounts = (resources: Amounts): Map<string, bigint> =>
  new Map([...resources].map(([name, amount]) => [name, BigInt(amount)]));

const toTimestamp = (at: Instant): { seconds: bigint; nanos: number } => ({
  seconds: at / 1_000_000n,
  nanos: Number(at % 1_000_000n) * 1000,
});

/** Unset numbers of an agent's report take REST's defaults. */
export const toInventory = (one: pb.Inventory): Inventory => ({
  resourceClass: one.resourceClass,
  total: toNumber(one.total, "total"),
  reserved: toNumber(one.reserved, "reserved"),
  minUnit: toNumber(one.minUnit, "min_unit") || 1,
  maxUnit: toNumber(one.maxUnit, "max_unit") || toNumber(one.total, "total"),
  stepSize: toNumber(one.stepSize, "step_size") || 1,
  allocationRatio: one.allocationRatio || 1,
  used: 0,
});

const fromInventory = (one: Inventory): pb.Inventory => ({
  resourceClass: one.resourceClass,
  total: BigInt(one.total),
  reserved: BigInt(one.reserved),
  minUnit: BigInt(one.minUnit),
  maxUnit: BigInt(one.maxUnit),
  stepSize: BigInt(one.stepSize),
  allocationRatio: one.allocationRatio,
  used: BigInt(one.used),
});

export const fromProvider = (one: Provider & Partial<ProviderDetails>): pb.ResourceProvider => ({
  id: one.id,
  name: one.name,
  generation: BigInt(one.generation),
  parentId: one.parentId,
  rootId: one.rootId,
  updatedAt: toTimestamp(one.updatedAt),
  inventories: (one.inventories ?? []).map(fromInventory),
  traits: [...(one.traits ?? [])],
  aggregates: [...(one.aggregates ?? [])],
});

/** The same without what only `with_details` asks for. */
export const fromBareProvider = ({
  id,
  name,
  generation,
  parentId,
  rootId,
  updatedAt,
}: Provider): pb.ResourceProvider => fromProvider({ id, name, generation, parentId, rootId, updatedAt });

const toHoldings = (allocations: readonly pb.ProviderAllocation[]): Holding[] =>
  allocations
    .map(({ providerId, resources }) => ({ providerId, resources: toAmounts(resources) }))
    .filter(({ resources }) => resources.size > 0);

export const toChange = (one: pb.ConsumerAllocations): ConsumerChange => ({
  consumerId: one.consumerId,
  projectId: one.projectId,
  userId: one.userId,
  consumerType: one.consumerType,
  expected: one.ignoreConsumerGeneration
    ? "any"
    : one.consumerGeneration === undefined
      ? "new"
      : toNumber(one.consumerGeneration, "consumer_generation"),
  holdings: toHoldings(one.allocations),
});

export const toTakeOver = (one: pb.TakeOver): TakeOver => ({
  consumerId: one.consumerId,
  consumerType: one.consumerType,
  expected:
    one.consumerGeneration === undefined ? "new" : toNumber(one.consumerGeneration, "consumer_generation"),
  from: one.fromConsumerId,
  expectedFrom:
    one.fromConsumerGeneration === undefined
      ? "any"
      : toNumber(one.fromConsumerGeneration, "from_consumer_generation"),
});

export const fromConsumer = (
  one: Consumer,
  generations: ReadonlyMap<string, number>,
): pb.ConsumerAllocations => ({
  consumerId: one.consumerId,
  projectId: one.projectId,
  userId: one.userId,
  consumerType: one.consumerType,
  consumerGeneration: BigInt(one.generation),
  claimOperation: one.claimOperation,
  claimFence: BigInt(fenceOf(one.claimFence)),
  allocations: one.holdings.map((holding) => fromHolding(holding, generations.get(holding.providerId) ?? 0)),
  ignoreConsumerGeneration: false,
  mappings: new Map(),
});

const fromHolding = ({ providerId, resources }: Holding, generation: number): pb.ProviderAllocation => ({
  providerId,
  resources: fromAmounts(resources),
  providerGeneration: BigInt(generation),
});

export const toConditions = (conditions: readonly (pb.MemberOf | pb.TraitRequirement)[]): Condition[] =>
  conditions.map(({ anyOf, forbidden }) => ({ anyOf, forbidden }));

export const toGroup = (group: pb.RequestGroup): RequestGroup => ({
  suffix: group.suffix,
  resources: toAmounts(group.resources),
  required: toConditions(group.required),
  memberOf: toConditions(group.memberOf),
  inTree: group.inTree,
});

export const fromCandidate = ({ holdings, mappings }: Candidate): pb.AllocationCandidate => ({
  allocations: holdings.map((holding) => fromHolding(holding, 0)),
  mappings: new Map([...mappings].map(([suffix, ids]) => [suffix, { ids: [...ids] }])),
});

export const fromUsageGroup = ({ consumerType, consumerCount, usages }: UsageGroup): pb.UsageGroup => ({
  consumerType,
  consumerCount: BigInt(consumerCount),
  usages: fromAmounts(usages),
});
