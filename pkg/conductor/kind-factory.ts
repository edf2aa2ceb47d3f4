import type { Ctx } from "../kernel/ctx.js";
import type { OperationKind } from "./engine/kind.js";
import type { NetworkFacts } from "./domain/ports.js";
import type { Ports } from "./ports.js";

/** What kinds are built with. */
export interface KindDeps {
  readonly ports: Ports;
  readonly factsOf: (ctx: Ctx, networkId: string) => Promise<NetworkFacts>;
  /** Hosts tried for one boot. */
  readonly maxAttempts: number;
  /** Disks that one server may have; -1 for no limit. */
  readonly maxDiskDevices: number;
  /** How long Block Storage may take to write a GiB of an image over a volume, ms. */
  readonly reimageMsPerGib: number;
  /** Hosts that fetch images for one request at once. */
  readonly precacheConcurrency: number;
}

/** Default export of each file in `ops/`. */
export type KindFactory = (deps: KindDeps) => OperationKind;
