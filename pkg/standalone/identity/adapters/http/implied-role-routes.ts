import { Router } from "express";
import type { Request } from "express";
import type { Ctx } from "../../../../kernel/index.js";
import { pathOf } from "../../../../platform/http/index.js";
import type { Role } from "../../domain/model.js";
import { E } from "../../errors.js";
import type { IdentityParts } from "../../ports.js";
import { baseOf, demand, demandCommon, reply, selfUrl } from "./common.js";

type Rules = readonly (readonly [prior: string, implied: string])[];

/** Rules by which whoever has one role has another as well. */
export function impliedRoleRoutes({ directory, assignments }: IdentityParts): Router {
  const router = Router();
  const byId = async (ctx: Ctx): Promise<ReadonlyMap<string, Role>> =>
    new Map((await directory.roles(ctx, {})).map((role) => [role.id, role]));
  const named = (roles: ReadonlyMap<string, Role>, id: string): Role => {
    const role = roles.get(id);
    if (!role) throw E.NOT_FOUND({ what: "role", id });
    return role;
  };
  const short = (req: Request, { id, name }: Role): unknown => ({
    id,
    name,
    links: { self: `${baseOf(req)}/v3/roles/${id}` },
  });
  /** Both roles of the path. @throws NOT_FOUND */
  const pair = async (ctx: Ctx, req: Request): Promise<{ prior: Role; implied: Role; rules: Rules }> => {
    const roles = await byId(ctx);
    return {
      prior: named(roles, pathOf(req, "prior")),
      implied: named(roles, pathOf(req, "implied")),
      rules: await assignments.implications(ctx),
    };
  };
  const one = "/v3/roles/:prior/implies/:implied";

  router.get(
    "/v3/role_inferences",
    reply(async (ctx, req) => {
      demandCommon(ctx, "identity:list_role_inference_rules");
      const roles = await byId(ctx);
      const rules = await assignments.implications(ctx);
      const priors = [...new Set(rules.map(([prior]) => prior))];
      return {
        role_inferences: priors.map((prior) => ({
          prior_role: short(req, named(roles, prior)),
          implies: rules.flatMap(([from, to]) => (from === prior ? [short(req, named(roles, to))] : [])),
        })),
      };
    }),
  );
  router.get(
    "/v3/roles/:prior/implies",
    reply(async (ctx, req) => {
      demandCommon(ctx, "identity:list_implied_roles");
      const roles = await byId(ctx);
      const prior = named(roles, pathOf(req, "prior"));
      const implies = (await assignments.implications(ctx)).flatMap(([from, to]) =>
        from === prior.id ? [short(req, named(roles, to))] : [],
      );
      return {
        role_inference: { prior_role: short(req, prior), implies },
        links: { self: selfUrl(req, baseOf(req)) },
      };
    }),
  );
  router.put(
    one,
    reply(async (ctx, req) => {
      demand(ctx, { do: "write" }, "identity:create_implied_role");
      const { prior, implied, rules } = await pair(ctx, req);
      if (implied.name === "admin") throw E.IMPLIES_ADMIN({ role: implied.name });
      if (prior.id === implied.id || reaches(rules, implied.id, prior.id))
        throw E.INVALID({
          problem: `Role ${prior.name} cannot imply ${implied.name}: it would imply itself.`,
        });
      await assignments.imply(ctx, prior.id, implied.id);
      return { role_inference: { prior_role: short(req, prior), implies: short(req, implied) } };
    }, 201),
  );
  // Express answers HEAD from GET.
  router.get(
    one,
    reply(async (ctx, req) => {
      demandCommon(ctx, "identity:get_implied_role");
      const { prior, implied, rules } = await pair(ctx, req);
      if (!rules.some(([from, to]) => from === prior.id && to === implied.id))
        throw E.NOT_FOUND({ what: "implied role", id: implied.id });
      return { role_inference: { prior_role: short(req, prior), implies: short(req, implied) } };
    }),
  );
  router.delete(
    one,
    reply(async (ctx, req) => {
      demand(ctx, { do: "write" }, "identity:delete_implied_role");
      const { prior, implied } = await pair(ctx, req);
      await assignments.unimply(ctx, prior.id, implied.id);
    }),
  );
  return router;
}

/** Whether following the rules leads from one role to the other; they never lead in circles. */
const reaches = (rules: Rules, from: string, to: string): boolean =>
  rules.some(([prior, implied]) => prior === from && (implied === to || reaches(rules, implied, to)));
