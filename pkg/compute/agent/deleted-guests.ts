import type { HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { Ctx } from "../../kernel/index.js";
import type { Client } from "../../platform/rpc/index.js";
import type { CommandHost } from "../commands/command.js";
import destroyGuest from "../commands/destroy-guest.js";
import type { Commands } from "./commands.js";
import { untold } from "../driver.js";

export interface DeletedGuestsDeps {
  readonly host: string;
  readonly cell: string;
  readonly cells: Pick<Client<typeof HostsServiceDefinition>, "findDeletedInstances">;
  readonly commands: Pick<Commands, "finish">;
  readonly own: CommandHost;
  /** Counts a removed guest. */
  readonly removed: () => void;
}

const ASK_AT_ONCE = 500;

/**
 * Removes the guests of servers that were deleted while this host was down, and what was to become one. Only
 * the record proves that: present, marked deleted, owned by no operation, and not older than the newest
 * command seen here. What was to become a guest of a server that lives elsewhere goes on the same terms.
 * Any other guest without a record on this host is kept and logged; one that is on its way here is only kept.
 * One that cannot be removed is tried again by the next audit.
 *
 * @param instances  records of this host, none of them deleted
 * @throws what the cell answers; then nothing was removed of the servers it was asked for
 * @cost nothing but a listing while every guest has its record here, else a request per 500 guests
 */
export async function removeDeletedGuests(
  ctx: Ctx,
  deps: DeletedGuestsDeps,
  instances: readonly InstanceRecord[],
): Promise<void> {
  const { host, cell, cells, own } = deps;
  const recorded = new Set(instances.map(({ server }) => server?.id));
  const unfinished = await unfinishedAt(ctx, own);
  const guests = (await own.driver.list(ctx)).map((guest) => guest.instanceUuid);
  const strays = [...new Set([...guests, ...unfinished])].filter((id) => !recorded.has(id));
  for (let from = 0; from < strays.length; from += ASK_AT_ONCE) {
    const serverIds = strays.slice(from, from + ASK_AT_ONCE);
    const { deleted, elsewhere } = await cells.findDeletedInstances(ctx, { cell, host, serverIds });
    const fences = fencesOf(deleted);
    const others = fencesOf(elsewhere);
    for (const serverId of serverIds) {
      const isUnfinished = unfinished.has(serverId);
      const fence = fences.get(serverId) ?? (isUnfinished ? others.get(serverId) : undefined);
      if (fence !== undefined) await remove(ctx, deps, { serverId, fence }, !fences.has(serverId));
      else if (!isUnfinished) ctx.log.warn("agent.guest.unrecorded", { instanceUuid: serverId });
    }
  }
}

const unfinishedAt = async (ctx: Ctx, { driver }: CommandHost): Promise<ReadonlySet<string>> =>
  new Set((await driver.listUnfinished?.(ctx)) ?? []);

const fencesOf = (
  servers: readonly { readonly serverId: string; readonly fence: bigint }[],
): ReadonlyMap<string, bigint> => new Map(servers.map(({ serverId, fence }) => [serverId, fence]));

/** @param onlyUnfinished  what has become a guest since it was listed stays: it may be the only one */
async function remove(
  ctx: Ctx,
  { commands, own, removed }: DeletedGuestsDeps,
  last: { readonly serverId: string; readonly fence: bigint },
  onlyUnfinished: boolean,
): Promise<void> {
  const { serverId } = last;
  let gone = false;
  try {
    await commands.finish(ctx, last, async (c) => {
      if (onlyUnfinished && !(await unfinishedAt(c, own)).has(serverId)) return;
      await destroyGuest.run({ ctx: c, serverId, host: own, tell: untold }, {});
      gone = true;
    });
    if (!gone) return;
    removed();
    ctx.log.info("agent.guest.removed", { instanceUuid: serverId });
  } catch (error) {
    ctx.signal.throwIfAborted();
    ctx.log.error("agent.guest.removal-failed", { instanceUuid: serverId, error });
  }
}
