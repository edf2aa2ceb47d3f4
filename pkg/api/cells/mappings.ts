import { LRUCache } from "lru-cache";
import type {
  GlobalServiceDefinition,
  InstanceMapping,
} from "../../../gen/kilonova/cells/v1/global_service.js";
import type { Ctx } from "../../kernel/index.js";
import type { Client } from "../../platform/rpc/index.js";
import type { CellGuard } from "./guard.js";
import { GLOBAL } from "../../model/database-names.js";

/**
 * Which database holds a server. Remembered, because it changes once in a server's life; whoever is told
 * SERVER_MOVED forgets and asks again.
 */
export class Mappings {
  readonly #global: Client<GlobalServiceDefinition>;
  readonly #guard: CellGuard;
  readonly #known: LRUCache<string, InstanceMapping> | undefined;

  constructor(global: Client<GlobalServiceDefinition>, guard: CellGuard, size: number) {
    this.#global = global;
    this.#guard = guard;
    this.#known = size > 0 ? new LRUCache({ max: size }) : undefined;
  }

  /** @returns undefined when there is no such server */
  async find(ctx: Ctx, serverId: string): Promise<InstanceMapping | undefined> {
    return this.#known?.get(serverId) ?? this.refresh(ctx, serverId);
  }

  /** Asks whatever is remembered. */
  async refresh(ctx: Ctx, serverId: string): Promise<InstanceMapping | undefined> {
    const { mappings } = await this.#guard.call(ctx, GLOBAL, (inner) =>
      this.#global.getInstanceMappings(inner, { serverIds: [serverId] }),
    );
    const mapping = mappings.find((one) => one.serverId === serverId);
    if (mapping === undefined) this.#known?.delete(serverId);
    else this.#known?.set(serverId, mapping);
    return mapping;
  }
}
