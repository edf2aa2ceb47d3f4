import type { Ctx } from "../../kernel/ctx.js";
import type { Pacer } from "../../kernel/pacer.js";
import type { Candidate, Holding } from "../../placement/index/index.js";
import type { HostView } from "../domain/host-view.js";
import type { RequestSpec } from "../domain/request-spec.js";
import type { Rules } from "../domain/rules.js";
import type { Placement } from "../ports.js";
import type { Fleet } from "../views/fleet.js";
import type { DecideOptions } from "./decide.js";

export interface SelectDeps {
  readonly fleet: Fleet;
  readonly placement: Placement;
  readonly rules: Rules;
  readonly options: DecideOptions & { readonly maxClaimAttempts: number };
  readonly pacer: Pacer;
  /** Brings the views up to date; used once before a request is refused. */
  refresh(ctx: Ctx): Promise<void>;
  /** @throws VIEWS_NOT_READY */
  assertReady(): void;
}

export interface SelectRequest {
  readonly spec: RequestSpec;
  readonly operation: string;
  readonly fence: number;
  readonly attempt: number;
  /** Takes over what the server holds; "" for purposes without one. */
  readonly migrationId: string;
  readonly alternates: number;
}

export interface Selection {
  readonly host: HostView;
  /** What the server claims for the purpose; an evacuated one holds its source's half besides. */
  readonly holdings: readonly Holding[];
  /** Providers by request group suffix. */
  readonly mappings: Candidate["mappings"];
  readonly weight: number;
}

export interface Selected {
  /** Claimed. */
  readonly chosen: Selection;
  /** Not claimed; of the same cell, best first. */
  readonly alternates: readonly Selection[];
  /** Of the server as a consumer. */
  readonly generation: number;
  /** Of the migration; 0 without one. */
  readonly migrationGeneration: number;
}
