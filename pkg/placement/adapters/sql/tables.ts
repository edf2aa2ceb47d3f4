import type { Instant } from "../../../kernel/time.js";

/** Rows as the migrations define them. */
export interface PlacementTables {
  head: { id: number; revision: number; incarnation: string };
  provider: {
    id: string;
    name: string;
    generation: number;
    parent_id: string;
    root_id: string;
    revision: number;
    shape_revision: number;
    updated_at: Instant;
  };
  provider_deletion: { provider_id: string; revision: number };
  provider_shape: { provider_id: string; traits: string[]; aggregates: string[] };
  inventory: InventoryRow;
  consumer: {
    id: string;
    generation: number;
    project_id: string;
    user_id: string;
    consumer_type: string;
    claim_operation: string;
    claim_fence: number;
  };
  allocation: { consumer_id: string; provider_id: string; resource_class: string; amount: number };
  tombstone: { consumer_id: string; operation: string; fence: number; buried_at: Instant };
  custom_trait: { name: string };
  custom_resource_class: { name: string };
}

export interface InventoryRow {
  provider_id: string;
  resource_class: string;
  total: number;
  reserved: number;
  min_unit: number;
  max_unit: number;
  step_size: number;
  allocation_ratio: number;
  used: number;
}
