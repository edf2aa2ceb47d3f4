import { Router } from "express";
import type { Request } from "express";
import type { Ctx } from "../../../../kernel/index.js";
import { lastOf, queryOf } from "../../../../platform/http/index.js";
import { addressKey } from "../../../../platform/sharing/index.js";
import { AuthErrors } from "../../../shared/auth.js";
import { parseFlag } from "../../../shared/input.js";
import { readAuthRequest } from "../../domain/auth-request.js";
import { catalogFor } from "../../domain/catalog.js";
import type { ServiceView } from "../../domain/catalog.js";
import type { AuthRequest, TokenView } from "../../domain/model.js";
import { domainJson, listJson, projectJson, tokenJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import { authenticate } from "../../ops/authenticate.js";
import type { IdentityParts } from "../../ports.js";
import { stableId, tokenHash } from "../crypto.js";
import { baseOf, demandIn, reply, selfUrl } from "./common.js";

/** The one route that needs no token: it makes them. */
export function tokenIssueRoute(parts: IdentityParts): Router {
  const router = Router();
  router.post(
    "/v3/auth/tokens",
    reply(async (ctx, req, res) => {
      const { secret, view } = await authenticate(parts, ctx, readIssue(req.body), addressKey(req.ip));
      res.setHeader("X-Subject-Token", secret);
      res.setHeader("Vary", "X-Auth-Token");
      return tokenJson(view, wantsCatalog(req) ? catalogOf(parts, view) : undefined);
    }, 201),
  );
  return router;
}

/** Routes about the caller's own token and about others'. */
export function authRoutes(parts: IdentityParts): Router {
  const router = Router();
  const subject = async (ctx: Ctx, req: Request): Promise<{ secret: string; view: TokenView }> => {
    const secret = req.get("x-subject-token") ?? "";
    const allowExpired = parseFlag(lastOf(queryOf(req), "allow_expired") ?? "") === true;
    const view =
      secret === ""
        ? undefined
        : await parts.tokens.find(ctx, tokenHash(secret), parts.clock.now(), allowExpired);
    // Whether a token exists is nothing that strangers may learn either.
    if (!view) throw E.TOKEN_NOT_FOUND({});
    await demandIn(
      ctx,
      { do: "use-token", userId: view.record.userId },
      "identity:validate_token",
      async () => view.user.domain.id,
    );
    return { secret, view };
  };
  router.get(
    "/v3/auth/tokens",
    reply(async (ctx, req, res) => {
      const { secret, view } = await subject(ctx, req);
      res.setHeader("X-Subject-Token", secret);
      res.setHeader("Vary", "X-Auth-Token");
      return tokenJson(view, wantsCatalog(req) ? catalogOf(parts, view) : undefined);
    }),
  );
  router.delete(
    "/v3/auth/tokens",
    reply(async (ctx, req) => {
      const { secret } = await subject(ctx, req);
      await parts.tokens.revoke(ctx, tokenHash(secret));
    }),
  );
  router.get(
    "/v3/auth/catalog",
    reply(async (ctx, req) => {
      if (ctx.actor.projectId === "") throw E.UNSCOPED_CATALOG({});
      return {
        catalog: catalogFor(parts.config.services(), parts.config.region, ctx.actor.projectId, stableId),
        links: { self: selfUrl(req, baseOf(req)) },
      };
    }),
  );
  router.get(
    "/v3/auth/projects",
    reply(async (ctx, req) => {
      const { projects } = await parts.assignments.reach(ctx, ctx.actor.userId);
      return listJson(
        "projects",
        projects.map((project) => projectJson(baseOf(req), project)),
        selfUrl(req, baseOf(req)),
      );
    }),
  );
  router.get(
    "/v3/auth/domains",
    reply(async (ctx, req) => {
      const { domains } = await parts.assignments.reach(ctx, ctx.actor.userId);
      return listJson(
        "domains",
        domains.map((domain) => domainJson(baseOf(req), domain)),
        selfUrl(req, baseOf(req)),
      );
    }),
  );
  router.get(
    "/v3/auth/system",
    reply(async (ctx, req) => {
      const { system } = await parts.assignments.reach(ctx, ctx.actor.userId);
      return listJson("system", system ? [{ all: true }] : [], selfUrl(req, baseOf(req)));
    }),
  );
  return router;
}

function readIssue(body: unknown): AuthRequest {
  const request = readAuthRequest(body);
  if ("problem" in request) throw E.INVALID({ problem: request.problem });
  if ("unknownMethod" in request) throw AuthErrors.UNAUTHENTICATED({});
  return request;
}

const wantsCatalog = (req: Request): boolean => !queryOf(req).has("nocatalog");

const catalogOf = (parts: IdentityParts, view: TokenView): ServiceView[] =>
  catalogFor(parts.config.services(), parts.config.region, view.project?.id, stableId);
