import { LRUCache } from "lru-cache";
import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { InstancesServiceDefinition } from "../../../gen/kilonova/cells/v1/instances_service.js";
import type { Ctx } from "../../kernel/index.js";
import { asKilonovaError } from "../../kernel/index.js";
import type { Client } from "../../platform/rpc/index.js";
import type { TaggedVolume } from "../driver.js";
import type { GuestData, GuestDevice } from "../guestdata/index.js";
import type { GuestDataSource, VendorDocuments } from "../metadata/index.js";
import type { VendorData } from "../vendordata/index.js";
import { toGuestData } from "./instance-guest.js";
import { vendorDocuments } from "./vendor-documents.js";

export interface CellGuestDataDeps {
  readonly cell: string;
  /** DNS domain of guests. */
  readonly domain: string;
  readonly instances: Pick<Client<typeof InstancesServiceDefinition>, "getInstance" | "saveServerPassword">;
  readonly vendorData: VendorData;
  /** Volumes of a guest that carry a tag, where its host can tell. */
  readonly taggedVolumes?: (ctx: Ctx, serverId: string) => Promise<readonly TaggedVolume[]>;
  /** How long a guest may see old metadata after a change, ms. */
  readonly metadataCacheExpirationMs: number;
}

interface Known {
  readonly instance: InstanceRecord;
  readonly data: GuestData;
  readonly generation: bigint;
}

const KNOWN_GUESTS = 1000;

/** Guests' metadata from their records in the cell; what was asked for lately is kept. */
export function cellGuestData({
  cell,
  domain,
  instances,
  vendorData,
  metadataCacheExpirationMs,
  taggedVolumes = async () => [],
}: CellGuestDataDeps): GuestDataSource {
  const known =
    metadataCacheExpirationMs === 0
      ? undefined
      : new LRUCache<string, Known>({ max: KNOWN_GUESTS, ttl: metadataCacheExpirationMs });
  // Only there to be listed; it is read when a guest asks for it.
  const listed = vendorData.hasFixed ? { vendorData: {} } : {};

  const find = async (ctx: Ctx, serverId: string): Promise<Known | undefined> => {
    const cached = known?.get(serverId);
    if (cached) return cached;
    const instance = await unlessMissing(() =>
      instances
        .getInstance(ctx, { database: cell, serverId, withUserData: true })
        .then((answer) => answer.instance),
    );
    if (!instance?.server) return undefined;
    const { userData, generation } = instance.server;
    const found = {
      instance,
      data: { ...toGuestData(instance, { domain, userData }), ...listed },
      generation,
    };
    known?.set(serverId, found);
    return found;
  };

  return {
    // Volumes come and go without the record: they are asked for each time.
    guestData: async (ctx, serverId) => {
      const found = await find(ctx, serverId);
      if (found === undefined) return undefined;
      const volumes = (await taggedVolumes(ctx, serverId)).map(toGuestDevice);
      return { ...found, data: { ...found.data, devices: [...(found.data.devices ?? []), ...volumes] } };
    },
    vendorData: async (ctx, serverId, options): Promise<VendorDocuments> => {
      const found = await find(ctx, serverId);
      return found === undefined
        ? {}
        : vendorDocuments(ctx, vendorData, found.instance, {
            userData: found.instance.server?.userData ?? "",
            ...options,
          });
    },
    savePassword: async (ctx, serverId, serverPassword) => {
      try {
        await instances.saveServerPassword(ctx, { database: cell, serverId, serverPassword });
        return true;
      } catch (error) {
        if (asKilonovaError(error).kind === "exists") return false;
        throw error;
      } finally {
        known?.delete(serverId);
      }
    },
  };
}

/** A tagged volume as Nova tells of it. */
const toGuestDevice = ({ volumeId, deviceName, tag, bus, address }: TaggedVolume): GuestDevice => ({
  type: "disk",
  bus,
  address: address ?? "none",
  serial: volumeId,
  path: deviceName,
  tags: [tag],
});

async function unlessMissing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (asKilonovaError(error).kind === "missing") return undefined;
    throw error;
  }
}
