import type { Ctx } from "../../kernel/ctx.js";
import type { Ids } from "../../kernel/ids.js";
import type { Provider, ProviderDetails } from "../domain/model.js";
import { E } from "../errors.js";
import type { PlacementReader, PlacementStore, PlacementWriter } from "../ports.js";
import type { WriteLane } from "./write-lane.js";

/** Reads one provider. @throws PROVIDER_NOT_FOUND */
export async function providerOf(reader: PlacementReader, id: string): Promise<Provider> {
  const [provider] = await reader.providers({ ids: [id] });
  if (provider === undefined) throw E.PROVIDER_NOT_FOUND({ provider: id });
  return provider;
}

/** Adds inventories, traits and aggregates to providers read in the same transaction. */
async function withDetails(
  reader: PlacementReader,
  providers: readonly Provider[],
): Promise<ProviderDetails[]> {
  const ids = providers.map(({ id }) => id);
  const [inventories, shapes] = [await reader.inventories(ids), await reader.shapes(ids)];
  return providers.map((one) => {
    const { traits, aggregates } = shapes.get(one.id) ?? { traits: [], aggregates: [] };
    return { ...one, inventories: inventories.get(one.id) ?? [], traits, aggregates };
  });
}

export async function detailsOf(reader: PlacementReader, id: string): Promise<ProviderDetails> {
  const [details] = await withDetails(reader, [await providerOf(reader, id)]);
  if (details === undefined) throw E.PROVIDER_NOT_FOUND({ provider: id });
  return details;
}

/** @throws PROVIDER_GENERATION_CONFLICT unless the provider is as the caller read it */
export function assertGeneration(provider: Provider, expected: number | "any"): void {
  if (expected !== "any" && provider.generation !== expected)
    throw E.PROVIDER_GENERATION_CONFLICT({ provider: provider.id });
}

export const providerOps = (store: PlacementStore, lane: WriteLane, ids: Ids) => ({
  get: (ctx: Ctx, id: string): Promise<ProviderDetails> =>
    store.read(ctx, "placement.providers.get", (reader) => detailsOf(reader, id)),

  create: async (
    ctx: Ctx,
    input: { readonly id: string; readonly name: string; readonly parentId: string },
  ): Promise<Provider> => {
    const id = input.id === "" ? ids.uuid() : input.id;
    if (input.parentId === id) throw E.PROVIDER_LOOP({ provider: id });
    return (
      await lane.write(ctx, "placement.providers.create", async (writer) => {
        await assertFree(writer, id, input.name);
        const rootId = input.parentId === "" ? id : await rootUnder(writer, input.parentId);
        await writer.insertProvider({ id, name: input.name, parentId: input.parentId, rootId });
        return providerOf(writer, id);
      })
    ).result;
  },

  /** @param parentId  "" makes it a root; undefined keeps the parent */
  update: async (
    ctx: Ctx,
    input: {
      readonly id: string;
      readonly name: string;
      readonly parentId: string | undefined;
      readonly mayReparent: boolean;
    },
  ): Promise<Provider> =>
    (
      await lane.write(ctx, "placement.providers.update", async (writer) => {
        const provider = await providerOf(writer, input.id);
        if (provider.name !== input.name) await assertFree(writer, "", input.name);
        const parentId = input.parentId ?? provider.parentId;
        if (parentId === provider.parentId) await writer.updateProvider({ ...provider, name: input.name });
        else await moveProvider(writer, { ...provider, name: input.name }, parentId, input.mayReparent);
        return providerOf(writer, input.id);
      })
    ).result,

  remove: async (ctx: Ctx, id: string): Promise<void> => {
    await lane.write(ctx, "placement.providers.remove", async (writer) => {
      const provider = await providerOf(writer, id);
      if ((await writer.providers({ inTreeOf: id })).some((one) => one.parentId === id))
        throw E.PROVIDER_HAS_CHILDREN({ provider: id });
      if ((await writer.inventories([id])).get(id)?.some(({ used }) => used > 0))
        throw E.PROVIDER_IN_USE({ provider: id });
      await writer.deleteProvider(provider.id);
    });
  },
});

/** @param id  of a new provider; "" for one that only takes a name */
async function assertFree(reader: PlacementReader, id: string, name: string): Promise<void> {
  const taken = [
    ...(id !== "" && (await reader.providers({ ids: [id] })).length > 0 ? [`uuid: ${id}`] : []),
    ...((await reader.providers({ name })).length > 0 ? [`name: ${name}`] : []),
  ];
  if (taken.length > 0) throw E.PROVIDER_EXISTS({ duplicate: taken.join(", ") });
}

async function rootUnder(reader: PlacementReader, parentId: string): Promise<string> {
  const [parent] = await reader.providers({ ids: [parentId] });
  if (parent === undefined) throw E.PARENT_NOT_FOUND({ provider: parentId });
  return parent.rootId;
}

/** Moves a provider with everything below it under another parent, or makes it a root. Generations stay. */
async function moveProvider(
  writer: PlacementWriter,
  provider: Provider,
  parentId: string,
  mayReparent: boolean,
): Promise<void> {
  // Giving a root its first parent has always been allowed; taking one away or changing it came with 1.37.
  if (!mayReparent && provider.parentId !== "") throw E.REPARENT_REFUSED({ provider: provider.id });
  const rootId = parentId === "" ? provider.id : await rootUnder(writer, parentId);
  const moved = subtreeOf(await writer.providers({ inTreeOf: provider.id }), provider.id);
  if (moved.some(({ id }) => id === parentId)) throw E.PROVIDER_LOOP({ provider: provider.id });
  for (const one of moved) {
    await writer.updateProvider(
      one.id === provider.id ? { ...provider, parentId, rootId } : { ...one, rootId },
    );
  }
}

/** A provider and everything below it. */
function subtreeOf(tree: readonly Provider[], topId: string): Provider[] {
  const below = new Set([topId]);
  for (let grown = true; grown;) {
    grown = false;
    for (const one of tree) {
      if (below.has(one.id) || !below.has(one.parentId)) continue;
      below.add(one.id);
      grown = true;
    }
  }
  return tree.filter(({ id }) => below.has(id));
}
