import type { Inventory, ResourceProvider } from "../../../gen/kilonova/placement/v1/placement_service.js";
import { fromTimestamp } from "../../model/wire-time.js";
import type { Instant } from "../../kernel/time.js";
import type { InventoryBody } from "../validate.js";

/** Links of a provider and the minor versions from which they are shown. */
const LINKS = [
  ["inventories", 0],
  ["usages", 0],
  ["aggregates", 1],
  ["traits", 6],
  ["allocations", 11],
] as const;

export const providerPath = (id: string): string => `/resource_providers/${id}`;

export const providerView = (one: ResourceProvider, minor: number): unknown => ({
  uuid: one.id,
  name: one.name,
  generation: Number(one.generation),
  ...(minor >= 14
    ? { parent_provider_uuid: one.parentId === "" ? null : one.parentId, root_provider_uuid: one.rootId }
    : {}),
  links: [
    { rel: "self", href: providerPath(one.id) },
    ...LINKS.filter(([, since]) => minor >= since).map(([rel]) => ({
      rel,
      href: `${providerPath(one.id)}/${rel}`,
    })),
  ],
});

export const inventoryView = (one: Inventory): unknown => ({
  total: Number(one.total),
  reserved: Number(one.reserved),
  min_unit: Number(one.minUnit),
  max_unit: Number(one.maxUnit),
  step_size: Number(one.stepSize),
  allocation_ratio: one.allocationRatio,
});

export const inventoriesView = ({ inventories, generation }: ResourceProvider): unknown => ({
  inventories: Object.fromEntries(inventories.map((one) => [one.resourceClass, inventoryView(one)])),
  resource_provider_generation: Number(generation),
});

export const traitsView = ({ traits, generation }: ResourceProvider): unknown => ({
  traits: [...traits].sort(),
  resource_provider_generation: Number(generation),
});

export const aggregatesView = ({ aggregates, generation }: ResourceProvider, minor: number): unknown => ({
  aggregates,
  ...(minor >= 19 ? { resource_provider_generation: Number(generation) } : {}),
});

/** Newest change of several providers. */
export function newest(providers: readonly (ResourceProvider | undefined)[]): Instant | undefined {
  const times = providers.flatMap((one) =>
    one?.updatedAt === undefined ? [] : [fromTimestamp(one.updatedAt)],
  );
  return times.length === 0 ? undefined : times.reduce((a, b) => (a > b ? a : b));
}

/** Fills in what REST lets a caller leave out. */
export const inventoryMessage = (resourceClass: string, body: InventoryBody) => ({
  resourceClass,
  total: BigInt(body.total),
  reserved: BigInt(body.reserved ?? 0),
  minUnit: BigInt(body.min_unit ?? 1),
  maxUnit: BigInt(body.max_unit ?? 2_147_483_647),
  stepSize: BigInt(body.step_size ?? 1),
  allocationRatio: body.allocation_ratio ?? 1,
});
