import type { Inventory } from "./model.js";

type Limits = Omit<Inventory, "resourceClass" | "used">;

/**
 * How much may be used at most; not whole when the ratio is not. The commit-time comparison uses it as it is.
 */
export const capacityOf = (inventory: Limits): number =>
  (inventory.total - inventory.reserved) * inventory.allocationRatio;

/** Whether one allocation of this size respects the inventory's units. */
export const respectsUnits = (inventory: Limits, amount: number): boolean =>
  amount >= inventory.minUnit && amount <= inventory.maxUnit && amount % inventory.stepSize === 0;

/**
 * Whether usage may go from `before` to `after`. A write that does not raise usage is always allowed: after a
 * ratio or a reservation changed, moves away from an overfull provider must still be possible.
 */
export const fitsCapacity = (inventory: Limits, before: number, after: number): boolean =>
  after <= before || after <= capacityOf(inventory);

/** 2^31 - 1, the largest value of every integer of an inventory. */
const MAX_INTEGER = 2_147_483_647;

/** What is wrong with an inventory, or undefined. */
export function inventoryProblem(inventory: Limits): string | undefined {
  const { total, reserved, minUnit, maxUnit, stepSize, allocationRatio } = inventory;
  const within = (value: number, min: number): boolean =>
    Number.isInteger(value) && value >= min && value <= MAX_INTEGER;
  if (!within(total, 1)) return "total must be an integer of at least 1.";
  if (!within(reserved, 0)) return "reserved must not be negative.";
  if (!within(minUnit, 1) || !within(maxUnit, 1) || !within(stepSize, 1))
    return "min_unit, max_unit and step_size must be at least 1.";
  if (!Number.isFinite(allocationRatio) || allocationRatio <= 0)
    return "allocation_ratio must be greater than 0.";
  if (capacityOf(inventory) < 0) return "reserved must not exceed total.";
  return undefined;
}
