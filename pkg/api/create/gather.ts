import type { CreateServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import type { KeyPair } from "../../../gen/kilonova/type/v1/key_pair.js";
import { KilonovaError, mapLimit, parseUuid } from "../../kernel/index.js";
import type { Quota } from "../domain/affordable.js";
import type { HintedIds } from "../domain/scheduler-hints.js";
import type { ZoneRequest } from "../domain/zone-request.js";
import { CreateErrors } from "../errors.js";
import { readFlavor } from "../ops/flavor-access.js";
import type { Parts } from "../parts.js";
import type { AcceptedImage } from "./image.js";
import { acceptImage } from "./image.js";
import type { Call } from "../rights/rights.js";
import type { NetworkPlan } from "./networks.js";
import { planNetworks } from "./networks.js";
import type { SecurityGroupPlan } from "./security-groups.js";
import { planSecurityGroups } from "./security-groups.js";
import { requirePlace } from "./place.js";

const SERVERS_AT_ONCE = 8;

/** Everything a create has to know from elsewhere, all of it usable by the caller. */
export interface Gathered {
  readonly flavor: Flavor;
  readonly image: AcceptedImage | undefined;
  readonly keyPair: KeyPair | undefined;
  readonly networks: NetworkPlan;
  readonly securityGroups: SecurityGroupPlan;
  /** Where the server shall be and stay; "" for anywhere. */
  readonly availabilityZone: string;
  /** Empty when nothing that is asked for is limited but by the acceptance itself. */
  readonly quotas: ReadonlyMap<string, Quota>;
}

/** What the request alone has told. */
export interface GatherFor {
  readonly zone: ZoneRequest;
  readonly maxCount: number;
  readonly hinted: HintedIds;
}

/**
 * Reads it all at once: one round trip's time. @throws the first problem in the order in which Nova finds
 * them
 */
export async function gather(
  parts: Parts,
  ctx: Call,
  request: CreateServersRequest,
  { zone, maxCount, hinted }: GatherFor,
): Promise<Gathered> {
  const reads = [
    flavorOf(parts, ctx, request.flavorId),
    request.imageId === undefined
      ? Promise.resolve(undefined)
      : acceptImage(parts, ctx, request.imageId, "bootable"),
    keyPairOf(parts, ctx, request.keyName),
    quotasOf(parts, ctx, request, maxCount),
    planSecurityGroups(parts, ctx, request.securityGroups),
    planNetworks(parts, ctx, request, maxCount),
    requirePlace(parts, ctx, zone, request),
    requireGroup(parts, ctx, hinted.groupId),
    requireServers(parts, ctx, hinted.serverIds),
  ] as const;
  await Promise.allSettled(reads); // all of them, so that the error told does not depend on who is fastest
  const [flavor, image, keyPair, quotas, securityGroups, networks, availabilityZone] = await inOrder(reads);
  return { flavor, image, keyPair, quotas, securityGroups, networks, availabilityZone };
}

async function inOrder<const T extends readonly Promise<unknown>[]>(
  settled: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const values: unknown[] = [];
  for (const one of settled) values.push(await one);
  return values as { -readonly [K in keyof T]: Awaited<T[K]> };
}

/** A flavor that the caller may build with. @throws FLAVOR_NOT_FOUND, also for one that is disabled */
async function flavorOf(parts: Parts, ctx: Call, flavorId: string): Promise<Flavor> {
  const flavor = await knownFlavorOf(parts, ctx, flavorId);
  if (flavor.disabled) throw CreateErrors.FLAVOR_NOT_FOUND({ flavor: flavorId });
  return flavor;
}

/** A flavor that the caller may use, disabled or not. @throws FLAVOR_NOT_FOUND */
export async function knownFlavorOf(parts: Parts, ctx: Call, flavorId: string): Promise<Flavor> {
  try {
    return await readFlavor(parts, ctx, flavorId, true);
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "FLAVOR_NOT_FOUND")
      throw CreateErrors.FLAVOR_NOT_FOUND({ flavor: flavorId }, { cause: error });
    throw error;
  }
}

/** A key pair of the caller. @throws KEY_PAIR_NOT_FOUND */
export async function keyPairOf(
  parts: Parts,
  ctx: Call,
  name: string | undefined,
): Promise<KeyPair | undefined> {
  if (name === undefined) return undefined;
  try {
    const { keyPair } = await parts.global.getStoredKeyPair(ctx, { userId: ctx.actor.userId, name });
    return keyPair;
  } catch (error) {
    if (error instanceof KilonovaError && error.kind === "missing")
      throw CreateErrors.KEY_PAIR_NOT_FOUND({ name }, { cause: error });
    throw error;
  }
}

/** @throws SERVER_GROUP_NOT_FOUND, also for groups of other projects */
async function requireGroup(parts: Parts, ctx: Call, serverGroupId: string): Promise<void> {
  if (serverGroupId === "") return;
  try {
    await parts.groups.getStoredServerGroup(ctx, { serverGroupId, projectId: parts.servers.scope(ctx) });
  } catch (error) {
    if (error instanceof KilonovaError && error.kind === "missing")
      throw CreateErrors.SERVER_GROUP_NOT_FOUND({ group: serverGroupId }, { cause: error });
    throw error;
  }
}

/**
 * Servers that the new one shall be near or far from: those of others would tell where others are.
 * @throws HINTED_SERVER_NOT_FOUND
 */
async function requireServers(parts: Parts, ctx: Call, serverIds: readonly string[]): Promise<void> {
  await mapLimit(serverIds, SERVERS_AT_ONCE, async (server) => {
    try {
      if (parseUuid(server) === undefined) throw CreateErrors.HINTED_SERVER_NOT_FOUND({ server });
      await parts.servers.mappingOf(ctx, server);
    } catch (error) {
      if (error instanceof KilonovaError && error.kind === "missing")
        throw CreateErrors.HINTED_SERVER_NOT_FOUND({ server }, { cause: error });
      throw error;
    }
  });
}

/**
 * Only read when something is limited by them: one server, its cores and memory are counted when the request
 * is accepted.
 */
async function quotasOf(
  parts: Parts,
  ctx: Call,
  request: CreateServersRequest,
  maxCount: number,
): Promise<ReadonlyMap<string, Quota>> {
  if (request.metadata.size === 0 && request.files.length === 0 && maxCount === 1) return new Map();
  const { limits } = await parts.global.getQuota(ctx, {
    projectId: ctx.actor.projectId,
    userId: ctx.actor.userId,
  });
  return new Map(limits.map(({ resource, limit, used }) => [resource, { limit, used }]));
}
