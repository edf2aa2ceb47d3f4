import type { PlacementOps } from "../../ops/index.js";
import type { InventoryEdit } from "../../ops/inventories.js";
import { fromBareProvider, fromProvider, toInventory, toNumber } from "./convert.js";
import type { PlacementHandlers } from "./handlers.js";

type Served =
  | "syncProviderTree"
  | "getProvider"
  | "createProvider"
  | "updateProvider"
  | "deleteProvider"
  | "getInventories"
  | "setInventories"
  | "getProviderTraits"
  | "setProviderTraits"
  | "getProviderAggregates"
  | "setProviderAggregates";

export const providerHandlers = (ops: PlacementOps): Pick<PlacementHandlers, Served> => ({
  syncProviderTree: async (ctx, { root, managedTraits, managedClasses }) => {
    const reported = {
      id: root?.id ?? "",
      name: root?.name ?? "",
      inventories: (root?.inventories ?? []).map(toInventory),
      traits: root?.traits ?? [],
    };
    return {
      root: fromProvider(await ops.syncProviderTree(ctx, { ...reported, managedTraits, managedClasses })),
    };
  },
  getProvider: async (ctx, { id, withDetails }) => {
    const provider = await ops.providers.get(ctx, id);
    return { provider: withDetails ? fromProvider(provider) : fromBareProvider(provider) };
  },
  createProvider: async (ctx, { id, name, parentId }) => ({
    provider: fromProvider(await ops.providers.create(ctx, { id, name, parentId })),
  }),
  updateProvider: async (ctx, { id, name, parentId, allowReparent }) => ({
    provider: fromProvider(
      await ops.providers.update(ctx, { id, name, parentId, mayReparent: allowReparent }),
    ),
  }),
  deleteProvider: async (ctx, { id }) => {
    await ops.providers.remove(ctx, id);
    return {};
  },
  getInventories: async (ctx, { providerId }) => ({
    provider: fromProvider(await ops.providers.get(ctx, providerId)),
  }),
  setInventories: async (ctx, request) => {
    const mode: InventoryEdit["mode"] = request.replaceAll
      ? "only"
      : request.createOnly
        ? "create"
        : request.updateOnly
          ? "update"
          : "merge";
    const expected = request.ignoreGeneration ? "any" : toNumber(request.generation, "generation");
    const put = request.inventories.map(toInventory);
    return {
      provider: fromProvider(
        await ops.inventories.set(ctx, {
          providerId: request.providerId,
          expected,
          put,
          mode,
          remove: request.removeClasses,
        }),
      ),
    };
  },
  getProviderTraits: async (ctx, { providerId }) => ({
    provider: fromProvider(await ops.providers.get(ctx, providerId)),
  }),
  setProviderTraits: async (ctx, { providerId, generation, traits, add, remove }) => {
    const edits = add.length > 0 || remove.length > 0;
    const gone = new Set(remove);
    const provider = await ops.inventories.setShape(ctx, {
      providerId,
      expected: expectedOf(generation),
      bump: "when-changed",
      change: (shape) => ({
        ...shape,
        traits: edits ? [...shape.traits.filter((trait) => !gone.has(trait)), ...add] : traits,
      }),
    });
    return { provider: fromProvider(provider) };
  },
  getProviderAggregates: async (ctx, { providerId }) => ({
    provider: fromProvider(await ops.providers.get(ctx, providerId)),
  }),
  setProviderAggregates: async (ctx, { providerId, generation, aggregates }) => {
    const provider = await ops.inventories.setShape(ctx, {
      // Writers who know generations (REST from 1.19) always see a new one; those who do not never make one.
      providerId,
      expected: expectedOf(generation),
      bump: generation === undefined ? "never" : "always",
      change: (shape) => ({ ...shape, aggregates }),
    });
    return { provider: fromProvider(provider) };
  },
});

const expectedOf = (generation: bigint | undefined): number | "any" =>
  generation === undefined ? "any" : toNumber(generation, "generation");
