import type { SecurityGroupInfo } from "../../clients/neutron/ports.js";
import { KilonovaError, isCanonicalUuid } from "../../kernel/index.js";
import { CreateErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/** Groups of the ports to be made. Without ids, the Network service applies the project's default group. */
export interface SecurityGroupPlan {
  readonly ids: readonly string[];
  readonly names: readonly string[];
}

const DEFAULT = "default";

/**
 * Resolves names and ids. Asking for nothing or for `default` alone needs no look-up.
 * @throws SECURITY_GROUP_NOT_FOUND, SECURITY_GROUP_AMBIGUOUS
 */
export async function planSecurityGroups(
  parts: Parts,
  ctx: Call,
  asked: readonly string[],
): Promise<SecurityGroupPlan> {
  const wanted = [...new Set(asked)];
  if (wanted.length === 0 || (wanted.length === 1 && wanted[0] === DEFAULT))
    return { ids: [], names: [DEFAULT] };
  const own = await parts.neutron.listSecurityGroups(ctx, { projectId: ctx.actor.projectId });
  const groups = await Promise.all(wanted.map((one) => resolve(parts, ctx, own, one)));
  const unique = [...new Map(groups.map((group) => [group.id, group])).values()];
  return { ids: unique.map((group) => group.id), names: unique.map((group) => group.name) };
}

async function resolve(
  parts: Parts,
  ctx: Call,
  own: readonly SecurityGroupInfo[],
  asked: string,
): Promise<SecurityGroupInfo> {
  const byId = own.find((group) => group.id === asked);
  if (byId !== undefined) return byId;
  const byName = own.filter((group) => group.name === asked);
  if (byName.length > 1) throw CreateErrors.SECURITY_GROUP_AMBIGUOUS({ group: asked });
  const group = byName[0] ?? (await foreign(parts, ctx, asked));
  if (group === undefined)
    throw CreateErrors.SECURITY_GROUP_NOT_FOUND({ group: asked, project: ctx.actor.projectId });
  return group;
}

/** Administrators may name groups of other projects by id. */
async function foreign(parts: Parts, ctx: Call, asked: string): Promise<SecurityGroupInfo | undefined> {
  if (!isCanonicalUuid(asked) || !ctx.rights.isAdmin) return undefined;
  try {
    return await parts.neutron.getSecurityGroup(ctx, asked);
  } catch (error) {
    if (error instanceof KilonovaError && error.kind === "missing") return undefined;
    throw error;
  }
}
