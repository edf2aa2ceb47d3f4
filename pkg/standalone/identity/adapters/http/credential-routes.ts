import { Router } from "express";
import { z } from "zod";
import type { Ctx } from "../../../../kernel/index.js";
import { parseIso } from "../../../../kernel/index.js";
import { pathOf } from "../../../../platform/http/index.js";
import { AuthErrors } from "../../../shared/auth.js";
import { parseBody } from "../../../shared/input.js";
import type { Role } from "../../domain/model.js";
import { keystoneTime, listJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import type { IdentityParts } from "../../ports.js";
import { newId, newSecret, tokenHash } from "../crypto.js";
import type { ApplicationCredential } from "../sql/credentials.js";
import { baseOf, callerOf, demandIn, reply, selfUrl } from "./common.js";
import { refuseAbove } from "./domain-limits.js";
import { nameFilter } from "./fields.js";

const credentialBody = z.object({
  application_credential: z.object({
    name: z.string().min(1).max(255),
    description: z.string().max(65_535).nullish(),
    secret: z.string().min(1).max(4_096).nullish(),
    roles: z.array(z.union([z.object({ id: z.string() }), z.object({ name: z.string() })])).optional(),
    expires_at: z.string().nullish(),
    unrestricted: z.boolean().nullish(),
    access_rules: z.array(z.unknown()).max(0).optional(),
  }),
});

/** Users make credentials for themselves, within the project and roles that they have at that moment. */
export function credentialRoutes(parts: IdentityParts): Router {
  const { credentials, directory, assignments, secrets } = parts;
  const router = Router();
  const path = "/v3/users/:id/application_credentials";
  const homeOf = async (ctx: Ctx, userId: string): Promise<string | undefined> =>
    (await directory.user(ctx, userId))?.domainId;
  router.get(
    path,
    reply(async (ctx, req) => {
      const userId = pathOf(req, "id");
      await demandIn(ctx, { do: "read-own", userId }, "identity:list_application_credentials", () =>
        homeOf(ctx, userId),
      );
      const roles = await directory.roles(ctx, {});
      const found = await credentials.list(ctx, userId, nameFilter(req));
      return listJson(
        "application_credentials",
        found.map((one) => credentialJson(baseOf(req), one, roles)),
        selfUrl(req, baseOf(req)),
      );
    }),
  );
  router.get(
    `${path}/:credential`,
    reply(async (ctx, req) => {
      const userId = pathOf(req, "id");
      const id = pathOf(req, "credential");
      await demandIn(ctx, { do: "read-own", userId }, "identity:get_application_credential", () =>
        homeOf(ctx, userId),
      );
      const found = await credentials.find(ctx, { id });
      if (found?.userId !== userId) throw E.NOT_FOUND({ what: "application credential", id });
      return { application_credential: credentialJson(baseOf(req), found, await directory.roles(ctx, {})) };
    }),
  );
  router.post(
    path,
    reply(async (ctx, req) => {
      const userId = pathOf(req, "id");
      if (ctx.actor.userId !== userId || ctx.actor.projectId === "")
        throw AuthErrors.FORBIDDEN({ action: "identity:create_application_credential" });
      await refuseRestricted(parts, ctx, req.get("x-auth-token") ?? "");
      const { application_credential: wish } = parseBody(credentialBody, req.body);
      const held = await assignments.effective(ctx, userId, {
        kind: "project",
        projectId: ctx.actor.projectId,
      });
      const roles =
        wish.roles === undefined
          ? held
          : wish.roles.map((ref) => {
              const role = held.find((one) => ("id" in ref ? one.id === ref.id : one.name === ref.name));
              if (!role)
                throw E.INVALID({
                  problem: "A role was asked for that the user does not have in this project.",
                });
              return role;
            });
      const expiresAt = wish.expires_at ? parseIso(wish.expires_at) : null;
      if (expiresAt === undefined) throw E.INVALID({ problem: "expires_at: not a time in ISO 8601" });
      if (expiresAt !== null && expiresAt <= parts.clock.now())
        throw E.INVALID({ problem: "expires_at: the expiration must be in the future" });
      const secret = wish.secret ?? newSecret();
      const credential: ApplicationCredential = {
        id: newId(),
        name: wish.name,
        description: wish.description ?? "",
        userId,
        projectId: ctx.actor.projectId,
        roleIds: roles.map((role) => role.id),
        unrestricted: wish.unrestricted ?? false,
        expiresAt,
      };
      await credentials.insert(ctx, credential, await secrets.hash(ctx, callerOf(req, userId), secret));
      return { application_credential: { ...credentialJson(baseOf(req), credential, roles), secret } };
    }, 201),
  );
  router.delete(
    `${path}/:credential`,
    reply(async (ctx, req) => {
      const userId = pathOf(req, "id");
      const action = "identity:delete_application_credential";
      await demandIn(ctx, { do: "own", userId }, action, () => homeOf(ctx, userId));
      await refuseAbove(parts, ctx, userId, action);
      await refuseRestricted(parts, ctx, req.get("x-auth-token") ?? "");
      await credentials.remove(ctx, userId, pathOf(req, "credential"));
    }),
  );
  return router;
}

/**
 * A token of a restricted application credential must not make or delete such credentials: it could outlive
 * its own end.
 */
async function refuseRestricted(
  { tokens, credentials, clock }: IdentityParts,
  ctx: Ctx,
  token: string,
): Promise<void> {
  const id = (await tokens.find(ctx, tokenHash(token), clock.now(), false))?.record.applicationCredentialId;
  if (!id) return;
  if ((await credentials.find(ctx, { id }))?.unrestricted !== true)
    throw AuthErrors.FORBIDDEN({ action: "identity:manage_application_credentials" });
}

const credentialJson = (
  base: string,
  one: ApplicationCredential,
  roles: readonly Pick<Role, "id" | "name">[],
): Readonly<Record<string, unknown>> => ({
  id: one.id,
  name: one.name,
  description: one.description,
  project_id: one.projectId,
  user_id: one.userId,
  unrestricted: one.unrestricted,
  expires_at: one.expiresAt === null ? null : keystoneTime(one.expiresAt),
  roles: roles
    .filter((role) => one.roleIds.includes(role.id))
    .map(({ id, name }) => ({ id, name, domain_id: null })),
  links: { self: `${base}/v3/users/${one.userId}/application_credentials/${one.id}` },
});
