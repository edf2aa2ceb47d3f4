import { defineErrors } from "../kernel/errors.js";

/**
 * Every reason that Placement gives. `placement` facts name providers; the api strips them before a tenant
 * sees them.
 */
export const E = defineErrors("placement", {
  PROVIDER_NOT_FOUND: [
    "missing",
    (p: { provider: string }) => `No resource provider with uuid ${p.provider} found.`,
  ],
  PARENT_NOT_FOUND: [
    "invalid",
    (p: { provider: string }) => `The parent resource provider ${p.provider} does not exist.`,
  ],
  PROVIDER_UNKNOWN: [
    "invalid",
    (p: { provider: string }) => `Resource provider ${p.provider} does not exist.`,
  ],
  PROVIDER_EXISTS: [
    "exists",
    (p: { duplicate: string }) => `Conflicting resource provider ${p.duplicate} already exists.`,
  ],
  PROVIDER_LOOP: [
    "invalid",
    (p: { provider: string }) => `Resource provider ${p.provider} cannot be moved below itself.`,
  ],
  REPARENT_REFUSED: [
    "invalid",
    (p: { provider: string }) => `The parent of resource provider ${p.provider} cannot be changed.`,
  ],
  PROVIDER_HAS_CHILDREN: [
    "refused",
    (p: { provider: string }) => `Resource provider ${p.provider} has children and cannot be deleted.`,
  ],
  PROVIDER_IN_USE: [
    "refused",
    (p: { provider: string }) => `Resource provider ${p.provider} has allocations and cannot be deleted.`,
  ],
  PROVIDER_GENERATION_CONFLICT: [
    "conflict",
    (p: { provider: string }) =>
      `resource provider generation conflict: ${p.provider} changed since it was read.`,
  ],

  INVENTORY_NOT_FOUND: [
    "missing",
    (p: { provider: string; resource_class: string }) =>
      `No inventory of class ${p.resource_class} found for ${p.provider}.`,
  ],
  INVENTORY_UNKNOWN: [
    "invalid",
    (p: { provider: string; resource_class: string }) =>
      `Resource provider ${p.provider} has no inventory of class ${p.resource_class} to change.`,
  ],
  INVENTORY_EXISTS: [
    "exists",
    (p: { provider: string; resource_class: string }) =>
      `Resource provider ${p.provider} already has an inventory of class ${p.resource_class}.`,
  ],
  INVENTORY_IN_USE: [
    "refused",
    (p: { provider: string; resource_class: string; used: number }) =>
      `Inventory for ${p.resource_class} on resource provider ${p.provider} is in use.`,
  ],
  INVENTORY_INVALID: [
    "invalid",
    (p: { resource_class: string; problem: string }) =>
      `Invalid inventory for ${p.resource_class}: ${p.problem}`,
  ],

  INVENTORY_MISSING: [
    "refused",
    (p: { provider: string; resource_class: string }) =>
      `Resource provider ${p.provider} has no inventory of class ${p.resource_class}.`,
  ],
  UNIT_VIOLATED: [
    "refused",
    (p: {
      provider: string;
      resource_class: string;
      asked: number;
      min_unit: number;
      max_unit: number;
      step_size: number;
    }) =>
      `${p.asked} of ${p.resource_class} on resource provider ${p.provider} violates its min_unit, max_unit or step_size.`,
  ],
  CAPACITY_EXCEEDED: [
    "refused",
    (p: {
      provider: string;
      resource_class: string;
      asked: number;
      free: number;
      used: number;
      capacity: number;
    }) =>
      `Unable to create allocation for ${p.resource_class} on resource provider ${p.provider}. The requested amount would exceed the capacity.`,
  ],
  /** Clients recognise this conflict by its text: keep the phrase. @source placement-api §1 */
  CONSUMER_GENERATION_CONFLICT: [
    "conflict",
    (p: { consumer: string; given: string; have: string }) =>
      `consumer generation conflict - expected ${p.have} but got ${p.given}`,
  ],
  CONSUMER_HAS_NONE: [
    "missing",
    (p: { consumer: string }) => `No allocations for consumer ${p.consumer} found.`,
  ],
  /**
   * `fence` and `attempt` are the caller's; `undone_…` those up to which the operation's claims come too late
   * ("any" for every attempt).
   */
  CLAIM_TOMBSTONED: [
    "conflict",
    (p: {
      consumer: string;
      operation: string;
      fence: number;
      attempt: string;
      undone_fence: number;
      undone_attempt: string;
    }) => `The claim of ${p.operation} for ${p.consumer} was undone or replaced before.`,
  ],
  /** `fence` and `attempt` are the caller's; `have_…` those of the claim that stands. */
  CLAIM_FENCED: [
    "conflict",
    (p: {
      consumer: string;
      operation: string;
      fence: number;
      attempt: string;
      have_fence: number;
      have_attempt: string;
    }) => `Another owner of ${p.operation} holds the claim for ${p.consumer}.`,
  ],
  CLAIM_INVALID: [
    "invalid",
    (p: { consumer: string; problem: string }) => `Invalid claim: ${p.consumer} ${p.problem}`,
  ],
  /** The source is empty, or has nothing but what the operation claimed for it itself. */
  NOTHING_TO_TAKE_OVER: [
    "refused",
    (p: { consumer: string; from: string; operation: string }) =>
      `Consumer ${p.from} holds nothing that ${p.consumer} could take over for ${p.operation}.`,
  ],

  TRAIT_NOT_FOUND: ["missing", (p: { trait: string }) => `No such trait: ${p.trait}.`],
  TRAITS_UNKNOWN: ["invalid", (p: { traits: string }) => `No such trait(s): ${p.traits}.`],
  TRAIT_NAME_INVALID: [
    "invalid",
    (p: { trait: string }) =>
      `The trait name ${p.trait} is invalid: custom traits are CUSTOM_ followed by A-Z, 0-9 and _.`,
  ],
  TRAIT_STANDARD: ["invalid", (p: { trait: string }) => `Cannot delete standard trait ${p.trait}.`],
  TRAIT_IN_USE: [
    "refused",
    (p: { trait: string }) => `The trait ${p.trait} is in use by a resource provider.`,
  ],
  CLASS_NOT_FOUND: [
    "missing",
    (p: { resource_class: string }) => `No such resource class: ${p.resource_class}.`,
  ],
  CLASS_UNKNOWN: [
    "invalid",
    (p: { resource_class: string }) => `Unknown resource class: ${p.resource_class}.`,
  ],
  CLASS_NAME_INVALID: [
    "invalid",
    (p: { resource_class: string }) =>
      `The resource class name ${p.resource_class} is invalid: custom classes are CUSTOM_ followed by A-Z, 0-9 and _.`,
  ],
  CLASS_EXISTS: [
    "exists",
    (p: { resource_class: string }) => `Resource class ${p.resource_class} already exists.`,
  ],
  CLASS_STANDARD: [
    "invalid",
    (p: { resource_class: string }) => `Cannot delete standard resource class ${p.resource_class}.`,
  ],
  CLASS_IN_USE: [
    "refused",
    (p: { resource_class: string }) => `Resource class ${p.resource_class} is in use by an inventory.`,
  ],
  /** Not "none": nobody knows. */
  SEARCH_BUDGET_EXHAUSTED: [
    "quota",
    (_p: Record<string, never>) =>
      "The search for allocation candidates ended at its budget before it found one. Ask for fewer groups.",
  ],
  CANDIDATES_INVALID: [
    "invalid",
    (p: { problem: string }) => `Invalid request for allocation candidates: ${p.problem}`,
  ],
});
