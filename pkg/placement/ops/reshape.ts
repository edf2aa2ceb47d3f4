import type { Ctx } from "../../kernel/ctx.js";
import { openLedger } from "../domain/ledger.js";
import type { ConsumerChange, Inventory } from "../domain/model.js";
import { E } from "../errors.js";
import type { PlacementWriter } from "../ports.js";
import { assertInventories, assertUnused } from "./inventories.js";
import { assertClasses } from "./names.js";
import { assertGeneration } from "./providers.js";
import type { WriteLane } from "./write-lane.js";

export interface ReshapedProvider {
  readonly providerId: string;
  readonly expected: number;
  /** All that it shall have. */
  readonly inventories: readonly Inventory[];
}

/**
 * Moves inventories and allocations between providers in one transaction: first every provider has the old
 * and the new inventories, then allocations move, then what is no longer wanted goes.
 *
 * Generations rise once for each of these steps that concerns the provider, as clients count on: by two for
 * its inventories (by one where it shall have none: then there is no first step), by one more where
 * allocations name it.
 *
 * @throws PROVIDER_UNKNOWN, PROVIDER_GENERATION_CONFLICT, INVENTORY_IN_USE, and what SetAllocations throws
 */
export const reshape =
  (lane: WriteLane) =>
  async (
    ctx: Ctx,
    wanted: readonly ReshapedProvider[],
    changes: readonly ConsumerChange[],
  ): Promise<void> => {
    await lane.write(ctx, "placement.reshape", async (writer) => {
      const providers = new Map(
        (await writer.providers({ ids: wanted.map(({ providerId }) => providerId) })).map((one) => [
          one.id,
          one,
        ]),
      );
      for (const { providerId, expected, inventories } of wanted) {
        const provider = providers.get(providerId);
        if (provider === undefined) throw E.PROVIDER_UNKNOWN({ provider: providerId });
        assertGeneration(provider, expected);
        await assertInventories(writer, inventories);
        await writer.saveInventories(providerId, inventories, []);
      }
      const moved = await moveAllocations(writer, changes);
      await dropUnwanted(writer, wanted);
      for (const { providerId, inventories } of wanted) {
        const before = moved.get(providerId) ?? providers.get(providerId)?.generation ?? 0;
        await writer.bumpGeneration(providerId, before + (inventories.length > 0 ? 2 : 1));
      }
    });
  };

/** @returns generations of the providers concerned, as the move left them */
async function moveAllocations(
  writer: PlacementWriter,
  changes: readonly ConsumerChange[],
): Promise<ReadonlyMap<string, number>> {
  await assertClasses(
    writer,
    changes.flatMap(({ holdings }) => holdings.flatMap(({ resources }) => [...resources.keys()])),
  );
  const ledger = openLedger(
    await writer.loadLedger(
      changes.map(({ consumerId }) => consumerId),
      changes.flatMap(({ holdings }) => holdings.map(({ providerId }) => providerId)),
    ),
  );
  ledger.replace(changes);
  const diff = ledger.diff();
  await writer.saveLedger(diff);
  return new Map(diff.providers.map(({ id, generation }) => [id, generation]));
}

async function dropUnwanted(writer: PlacementWriter, wanted: readonly ReshapedProvider[]): Promise<void> {
  const have = await writer.inventories(wanted.map(({ providerId }) => providerId));
  for (const { providerId, inventories } of wanted) {
    const kept = new Set(inventories.map(({ resourceClass }) => resourceClass));
    const mine = have.get(providerId) ?? [];
    const unwanted = mine.map(({ resourceClass }) => resourceClass).filter((name) => !kept.has(name));
    assertUnused(providerId, mine, new Set(unwanted));
    if (unwanted.length > 0) await writer.saveInventories(providerId, [], unwanted);
  }
}
