import type { Ctx } from "../../kernel/ctx.js";
import type { Inventory, ProviderDetails } from "../domain/model.js";
import { isCustomName } from "../domain/names.js";
import { isStandardResourceClass } from "../domain/standard-resource-classes.js";
import { isStandardTrait } from "../domain/standard-traits.js";
import type { PlacementWriter } from "../ports.js";
import { assertInventories, assertUnused, ordered, sameSet } from "./inventories.js";
import { detailsOf } from "./providers.js";
import type { IndexKeeper } from "./index-keeper.js";
import type { WriteLane } from "./write-lane.js";

export interface ReportedProvider {
  readonly id: string;
  readonly name: string;
  readonly inventories: readonly Inventory[];
  readonly traits: readonly string[];
  /** Traits and classes that the driver decides alone: gone when no longer reported. */
  readonly managedTraits: readonly string[];
  readonly managedClasses: readonly string[];
}

/**
 * Brings a host's provider to what its agent reported: what is missing is made, what differs is changed, what
 * others added (custom traits, aggregates, foreign classes) stays. A report that changes nothing, as nearly
 * all do, is answered from the index, which is as fresh as a read of the database would be.
 *
 * @cost a share of one read of the head when nothing changes; else a transaction
 * @throws INVENTORY_IN_USE when a managed class is no longer reported but somebody holds some of it
 */
export const syncProviderTree =
  (lane: WriteLane, keeper: IndexKeeper) =>
  async (ctx: Ctx, reported: ReportedProvider): Promise<ProviderDetails> => {
    const indexed = (await keeper.fresh(ctx)).get(reported.id);
    if (indexed !== undefined && isAsReported(indexed, reported)) return indexed;
    return (
      await lane.write(ctx, "placement.sync-provider-tree", async (writer) => {
        const [known] = await writer.providers({ ids: [reported.id] });
        if (known === undefined)
          await writer.insertProvider({
            id: reported.id,
            name: reported.name,
            parentId: "",
            rootId: reported.id,
          });
        else if (known.name !== reported.name) await writer.updateProvider({ ...known, name: reported.name });
        const before = await detailsOf(writer, reported.id);
        await ensureNames(writer, reported);
        const changed = [
          await syncInventories(writer, before, reported),
          await syncTraits(writer, before, reported),
        ].some(Boolean);
        if (!changed) return before;
        const generation = before.generation + 1;
        await writer.bumpGeneration(reported.id, generation);
        return { ...(await detailsOf(writer, reported.id)), generation };
      })
    ).result;
  };

const isAsReported = (known: ProviderDetails, reported: ReportedProvider): boolean => {
  const { put, remove } = inventoryChanges(known, reported);
  return (
    known.name === reported.name &&
    put.length === 0 &&
    remove.length === 0 &&
    sameSet(traitsAfter(known, reported), known.traits)
  );
};

/** A driver's own classes and traits need no ceremony: what is legal as a custom name is made. */
async function ensureNames(
  writer: PlacementWriter,
  { inventories, traits }: ReportedProvider,
): Promise<void> {
  for (const { resourceClass } of inventories)
    if (!isStandardResourceClass(resourceClass) && isCustomName(resourceClass))
      await writer.addName("resource_class", resourceClass);
  for (const trait of traits)
    if (!isStandardTrait(trait) && isCustomName(trait)) await writer.addName("trait", trait);
}

async function syncInventories(
  writer: PlacementWriter,
  before: ProviderDetails,
  reported: ReportedProvider,
): Promise<boolean> {
  await assertInventories(writer, reported.inventories);
  const { put, remove } = inventoryChanges(before, reported);
  assertUnused(before.id, before.inventories, new Set(remove));
  if (put.length === 0 && remove.length === 0) return false;
  await writer.saveInventories(before.id, put, remove);
  return true;
}

/** Inventories to write and classes to take away. */
function inventoryChanges(
  before: ProviderDetails,
  { inventories, managedClasses }: ReportedProvider,
): { readonly put: readonly Inventory[]; readonly remove: readonly string[] } {
  const known = new Map(before.inventories.map((one) => [one.resourceClass, one]));
  const reported = new Set(inventories.map(({ resourceClass }) => resourceClass));
  return {
    put: inventories.filter((one) => !sameInventory(known.get(one.resourceClass), one)),
    remove: managedClasses.filter((name) => known.has(name) && !reported.has(name)),
  };
}

function traitsAfter(
  before: ProviderDetails,
  { traits, managedTraits }: ReportedProvider,
): readonly string[] {
  const managed = new Set(managedTraits);
  // A trait that this version of the standard list does not know is dropped, as os-traits' users do.
  const legal = traits.filter((trait) => isStandardTrait(trait) || isCustomName(trait));
  return ordered([...before.traits.filter((trait) => !managed.has(trait)), ...legal]);
}

async function syncTraits(
  writer: PlacementWriter,
  before: ProviderDetails,
  reported: ReportedProvider,
): Promise<boolean> {
  const after = traitsAfter(before, reported);
  if (sameSet(after, before.traits)) return false;
  await writer.saveShape(before.id, { traits: after, aggregates: before.aggregates });
  return true;
}

const sameInventory = (a: Inventory | undefined, b: Inventory): boolean =>
  a !== undefined &&
  a.total === b.total &&
  a.reserved === b.reserved &&
  a.minUnit === b.minUnit &&
  a.maxUnit === b.maxUnit &&
  a.stepSize === b.stepSize &&
  a.allocationRatio === b.allocationRatio;
