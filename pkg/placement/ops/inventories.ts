import type { Ctx } from "../../kernel/ctx.js";
import { inventoryProblem } from "../domain/capacity.js";
import type { Inventory, Provider, ProviderDetails, Shape } from "../domain/model.js";
import { E } from "../errors.js";
import type { PlacementWriter } from "../ports.js";
import { assertClasses, assertTraits } from "./names.js";
import { assertGeneration, detailsOf, providerOf } from "./providers.js";
import type { WriteLane } from "./write-lane.js";

export interface InventoryEdit {
  readonly providerId: string;
  readonly expected: number | "any";
  readonly put: readonly Inventory[];
  /** `only`: nothing else remains; `create`, `update`: the class must be new, or there; `merge`: neither. */
  readonly mode: "only" | "create" | "update" | "merge";
  readonly remove: readonly string[];
}

export interface ShapeEdit {
  readonly providerId: string;
  readonly expected: number | "any";
  change(shape: Shape): Shape;
  /** `always`, `when-changed` or `never`: REST's rules for aggregates and traits differ. */
  readonly bump: "always" | "when-changed" | "never";
}

/** @throws INVENTORY_INVALID, CLASS_UNKNOWN */
export async function assertInventories(
  writer: PlacementWriter,
  inventories: readonly Inventory[],
): Promise<void> {
  await assertClasses(
    writer,
    inventories.map(({ resourceClass }) => resourceClass),
  );
  for (const one of inventories) {
    const problem = inventoryProblem(one);
    if (problem !== undefined) throw E.INVENTORY_INVALID({ resource_class: one.resourceClass, problem });
  }
}

/** @throws INVENTORY_IN_USE when one of the classes is used */
export function assertUnused(
  providerId: string,
  inventories: readonly Inventory[],
  classes: ReadonlySet<string>,
): void {
  const used = inventories.find((one) => one.used > 0 && classes.has(one.resourceClass));
  if (used !== undefined)
    throw E.INVENTORY_IN_USE({ provider: providerId, resource_class: used.resourceClass, used: used.used });
}

export const inventoryOps = (lane: WriteLane) => ({
  set: async (ctx: Ctx, edit: InventoryEdit): Promise<ProviderDetails> =>
    (
      await lane.write(ctx, "placement.inventories.set", async (writer) => {
        const provider = await providerOf(writer, edit.providerId);
        assertGeneration(provider, edit.expected);
        await assertInventories(writer, edit.put);
        const have = (await writer.inventories([provider.id])).get(provider.id) ?? [];
        await writer.saveInventories(provider.id, edit.put, removedBy(provider, have, edit));
        return bumped(writer, provider);
      })
    ).result,

  setShape: async (ctx: Ctx, edit: ShapeEdit): Promise<ProviderDetails> =>
    (
      await lane.write(ctx, "placement.shape.set", async (writer) => {
        const provider = await detailsOf(writer, edit.providerId);
        assertGeneration(provider, edit.expected);
        const shape = edit.change(provider);
        const changed =
          !sameSet(shape.traits, provider.traits) || !sameSet(shape.aggregates, provider.aggregates);
        const before = new Set(provider.traits);
        await assertTraits(
          writer,
          shape.traits.filter((trait) => !before.has(trait)),
        );
        if (changed)
          await writer.saveShape(provider.id, {
            traits: [...new Set(shape.traits)],
            aggregates: [...new Set(shape.aggregates)],
          });
        if (edit.bump === "always" || (edit.bump === "when-changed" && changed))
          return bumped(writer, provider);
        return detailsOf(writer, provider.id);
      })
    ).result,
});

function removedBy(
  provider: Provider,
  have: readonly Inventory[],
  { put, mode, remove }: InventoryEdit,
): string[] {
  const known = new Set(have.map(({ resourceClass }) => resourceClass));
  const given = new Set(put.map(({ resourceClass }) => resourceClass));
  for (const name of given) {
    if (mode === "create" && known.has(name))
      throw E.INVENTORY_EXISTS({ provider: provider.id, resource_class: name });
    if (mode === "update" && !known.has(name))
      throw E.INVENTORY_UNKNOWN({ provider: provider.id, resource_class: name });
  }
  for (const name of remove)
    if (!known.has(name)) throw E.INVENTORY_NOT_FOUND({ provider: provider.id, resource_class: name });
  const removed = mode === "only" ? [...known].filter((name) => !given.has(name)) : [...remove];
  assertUnused(provider.id, have, new Set(removed));
  return removed;
}

/** The provider as the caller sees it after its generation moved. */
async function bumped(writer: PlacementWriter, provider: Provider): Promise<ProviderDetails> {
  const generation = provider.generation + 1;
  await writer.bumpGeneration(provider.id, generation);
  return { ...(await detailsOf(writer, provider.id)), generation };
}

export const ordered = (names: readonly string[]): string[] => [...new Set(names)].sort();

export const sameSet = (a: readonly string[], b: readonly string[]): boolean => {
  const [one, other] = [new Set(a), new Set(b)];
  return one.size === other.size && [...one].every((name) => other.has(name));
};
