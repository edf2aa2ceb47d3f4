import { Router } from "express";
import type { RequestHandler } from "express";
import { z } from "zod";
import { ctxOf, queryOf } from "../../../../platform/http/index.js";
import type { SecurityGroup, SecurityGroupRule } from "../../domain/model.js";
import { demandOwner, isTrusted, ownerFor } from "../../domain/policy.js";
import { checkRule } from "../../domain/rule-checks.js";
import { groupJson, ruleJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import type { NetworkParts } from "../../ports.js";
import { demandRoom } from "../sql/quotas.js";
import {
  deleteGroup,
  deleteRule,
  ensureDefaultGroup,
  getGroup,
  getRule,
  groupListing,
  insertGroup,
  insertRule,
  listGroups,
  listRules,
  ruleListing,
  updateGroup,
} from "../sql/security-groups.js";
import { bodyOf, changer, idOf, mountDelete, mountReads, mountTags, reply } from "./common.js";
import { flag, shortText, wholeNumber } from "./fields.js";
import { newStandard } from "../../domain/model.js";

/** The hosts' switch tracks connections: rules without state are not to be had. */
const stateful = flag.refine((value) => value, "stateless security groups are not supported").optional();
const groupUpdate = z.strictObject({
  name: shortText.optional(),
  description: shortText.optional(),
  stateful,
});
const groupCreate = z.strictObject({
  ...groupUpdate.shape,
  project_id: shortText.optional(),
  tenant_id: shortText.optional(),
});
const ruleCreate = z.strictObject({
  security_group_id: shortText,
  direction: z.enum(["ingress", "egress"]),
  ethertype: z.enum(["IPv4", "IPv6"]).nullish(),
  protocol: z.union([shortText, z.number().int()]).nullish(),
  port_range_min: wholeNumber(-1, 65_535).nullish(),
  port_range_max: wholeNumber(-1, 65_535).nullish(),
  remote_ip_prefix: shortText.nullish(),
  remote_group_id: shortText.nullish(),
  remote_address_group_id: z.null().optional(),
  description: shortText.nullish(),
  project_id: shortText.optional(),
  tenant_id: shortText.optional(),
});

export function securityGroupRoutes(parts: NetworkParts): Router {
  const router = Router();
  router.use("/v2.0/security-groups", withDefaultGroup(parts));
  groupRoutes(parts, router);
  ruleRoutes(parts, router);
  return router;
}

/** Lists show a project's default group even before anybody used it. One cheap look-up when it exists. */
function withDefaultGroup({ db, ids, clock }: NetworkParts): RequestHandler {
  return async (req, _res, next): Promise<void> => {
    const ctx = ctxOf(req);
    if (req.method !== "GET" || req.path !== "/" || ctx.actor.projectId === "") return next();
    const query = queryOf(req);
    const named = query.get("project_id")?.at(-1) ?? query.get("tenant_id")?.at(-1);
    const projectId = named !== undefined && isTrusted(ctx.actor) ? named : ctx.actor.projectId;
    const found = await db.statement(ctx, "security_group.default", (tx) =>
      tx
        .selectFrom("network_security_group")
        .select("id")
        .where("default_of", "=", projectId)
        .executeTakeFirst(),
    );
    if (!found)
      await db.write(ctx, "security_group.default.create", (tx) =>
        ensureDefaultGroup(tx, projectId, ids, clock.now()),
      );
    next();
  };
}

function groupRoutes(parts: NetworkParts, router: Router): void {
  const { db, ids, clock } = parts;
  mountReads(router, db, {
    one: "security_group",
    many: "security_groups",
    path: "security-groups",
    spec: groupListing,
    list: listGroups,
    get: getGroup,
    json: groupJson,
  });
  router.post(
    "/v2.0/security-groups",
    reply(async (ctx, req) => {
      const wish = bodyOf(req, "security_group", groupCreate);
      const projectId = ownerFor(ctx.actor, wish, "create_security_group");
      if (wish.name?.toLowerCase() === "default") throw E.SECURITY_GROUP_DEFAULT_ALREADY_EXISTS({});
      const now = clock.now();
      const group: SecurityGroup = {
        ...newStandard(ids.uuid(), projectId, now, wish),
        isDefault: false,
        rules: [],
      };
      return {
        security_group: groupJson(
          await db.write(ctx, "security_group.create", async (tx) => {
            await ensureDefaultGroup(tx, projectId, ids, now);
            await demandRoom(tx, "security_group", projectId);
            await insertGroup(tx, group, ids);
            return getGroup(tx, { ...ctx.actor, projectId }, group.id);
          }),
        ),
      };
    }, 201),
  );
  const change = changer<SecurityGroup>(parts, {
    one: "security_group",
    get: getGroup,
    update: updateGroup,
  });
  router.put(
    "/v2.0/security-groups/:id",
    reply(async (ctx, req) => {
      const wish = bodyOf(req, "security_group", groupUpdate);
      return {
        security_group: groupJson(
          await change(ctx, idOf(req), (group) => {
            if (group.isDefault && wish.name !== undefined && wish.name !== group.name)
              throw E.SECURITY_GROUP_CANNOT_UPDATE_DEFAULT({});
            return { name: wish.name ?? group.name, description: wish.description ?? group.description };
          }),
        ),
      };
    }),
  );
  mountDelete(router, db, {
    one: "security_group",
    path: "security-groups",
    get: getGroup,
    remove: deleteGroup,
    check: (actor, group) => {
      if (group.isDefault && !isTrusted(actor)) throw E.SECURITY_GROUP_CANNOT_REMOVE_DEFAULT({});
    },
  });
  mountTags(router, db, {
    path: "security-groups",
    get: getGroup,
    change: async (ctx, id, edit) => (await change(ctx, id, (group) => ({ tags: edit(group.tags) }))).tags,
  });
}

function ruleRoutes({ db, ids, clock }: NetworkParts, router: Router): void {
  mountReads(router, db, {
    one: "security_group_rule",
    many: "security_group_rules",
    path: "security-group-rules",
    spec: ruleListing,
    list: listRules,
    get: getRule,
    json: ruleJson,
  });
  router.post(
    "/v2.0/security-group-rules",
    reply(async (ctx, req) => {
      const wish = bodyOf(req, "security_group_rule", ruleCreate);
      const checked = checkRule({
        direction: wish.direction,
        ethertype: wish.ethertype ?? "IPv4",
        protocol: wish.protocol === undefined || wish.protocol === null ? null : String(wish.protocol),
        portRangeMin: portOf(wish.port_range_min),
        portRangeMax: portOf(wish.port_range_max),
        remoteIpPrefix: wish.remote_ip_prefix ?? null,
        remoteGroupId: wish.remote_group_id ?? null,
      });
      return {
        security_group_rule: ruleJson(
          await db.write(ctx, "security_group_rule.create", async (tx) => {
            const group = await getGroup(tx, ctx.actor, wish.security_group_id);
            demandOwner(ctx.actor, group.projectId, "create_security_group_rule");
            if (checked.remoteGroupId !== null) await getGroup(tx, ctx.actor, checked.remoteGroupId);
            await demandRoom(tx, "security_group_rule", group.projectId);
            const rule: SecurityGroupRule = {
              ...checked,
              id: ids.uuid(),
              securityGroupId: group.id,
              projectId: group.projectId,
              description: wish.description ?? "",
              createdAt: clock.now(),
            };
            await insertRule(tx, rule);
            return rule;
          }),
        ),
      };
    }, 201),
  );
  mountDelete(router, db, {
    one: "security_group_rule",
    path: "security-group-rules",
    get: getRule,
    remove: deleteRule,
  });
}

/** Nova's old API writes -1 for "any". */
const portOf = (value: number | null | undefined): number | null =>
  value === undefined || value === null || value === -1 ? null : value;
