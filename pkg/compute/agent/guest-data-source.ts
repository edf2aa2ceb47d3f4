import type { InstancesServiceDefinition } from "../../../gen/kilonova/cells/v1/instances_service.js";
import { LRUCache } from "lru-cache";
import type { Ctx } from "../../kernel/index.js";
import { asKilonovaError } from "../../kernel/index.js";
import type { Client } from "../../platform/rpc/index.js";
import type { GuestData } from "../guestdata/index.js";
import { toGuestData } from "./instance-guest.js";
import type { GuestDataSource } from "../metadata/index.js";

/** How long a guest may see old metadata after a change, in ms. */
const FRESH_MS = 5000;

/** Guests' metadata from their records in the cell; what was asked for lately is kept. */
export function cellGuestData(deps: { cell: string; domain: string; instances: Client<typeof InstancesServiceDefinition> }): GuestDataSource {
  const known = new LRUCache<string, { data: GuestData; generation: bigint }>({ max: 1000, ttl: FRESH_MS });
  return {
    async guestData(ctx: Ctx, serverId: string) {
      const cached = known.get(serverId);
      if (cached) return cached;
      try {
        const { instance } = await deps.instances.getInstance(ctx, { database: deps.cell, serverId, withUserData: true });
        if (!instance?.server) return undefined;
        const found = { data: toGuestData(instance, { domain: deps.domain, userData: instance.server.userData }), generation: instance.server.generation };
        known.set(serverId, found);
        return found;
      } catch (error) {
        if (asKilonovaError(error).kind === "missing") return undefined;
        throw error;
      }
    },
  };
}
