import type { Ctx } from "../../../../kernel/index.js";
import { AuthErrors } from "../../../shared/auth.js";
import type { Assignment } from "../../domain/model.js";
import { administers, countsInCloud, isDomainAdmin } from "../../domain/policy.js";
import type { IdentityParts } from "../../ports.js";

/**
 * What the administrator of a domain must not touch although it lies in the domain: whoever holds a role that
 * counts in the whole cloud. With that user's password the domain would be no limit.
 * @throws FORBIDDEN
 */
export async function refuseAbove(
  parts: IdentityParts,
  ctx: Ctx,
  userId: string,
  action: string,
): Promise<void> {
  if (!isDomainAdmin(ctx.actor) || ctx.actor.userId === userId) return;
  const held = await parts.assignments.list(ctx, { userId });
  for (const one of held) await refuseCloudRole(parts, ctx, one, action);
}

/**
 * Gives or takes of a role: in the own domain, to its users, and none that counts in the whole cloud.
 * @throws FORBIDDEN
 */
export async function demandGrant(
  parts: IdentityParts,
  ctx: Ctx,
  assignment: Assignment,
  action: string,
): Promise<void> {
  await demandPlace(parts, ctx, assignment, action);
  await refuseCloudRole(parts, ctx, assignment, action);
}

/** Looks at roles of a user in a place: both in the own domain. @throws FORBIDDEN */
export async function demandPlace(
  { directory }: IdentityParts,
  ctx: Ctx,
  { userId, scope }: Pick<Assignment, "userId" | "scope">,
  action: string,
): Promise<void> {
  if (!isDomainAdmin(ctx.actor)) return;
  const place =
    scope.kind === "domain"
      ? scope.domainId
      : scope.kind === "project"
        ? (await directory.project(ctx, { id: scope.projectId }))?.domainId
        : undefined;
  const home = (await directory.user(ctx, userId))?.domainId;
  if (!administers(ctx.actor, place) || !administers(ctx.actor, home)) throw AuthErrors.FORBIDDEN({ action });
}

async function refuseCloudRole(
  { assignments, directory }: IdentityParts,
  ctx: Ctx,
  { roleId, scope }: Pick<Assignment, "roleId" | "scope">,
  action: string,
): Promise<void> {
  // A role in a domain counts nowhere else.
  if (!isDomainAdmin(ctx.actor) || scope.kind === "domain") return;
  const names = new Map((await directory.roles(ctx, {})).map((role) => [role.id, role.name]));
  if (countsInCloud(roleId, names, await assignments.implications(ctx)))
    throw AuthErrors.FORBIDDEN({ action });
}
