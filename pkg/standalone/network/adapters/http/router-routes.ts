import { Router } from "express";
import { z } from "zod";
import type { Transaction } from "kysely";
import type { Actor, Ctx } from "../../../../kernel/index.js";
import type { Router as VirtualRouter } from "../../domain/model.js";
import { demandTrust, ownerFor } from "../../domain/policy.js";
import { checkNextHops } from "../../domain/router-rules.js";
import { checkRoutes } from "../../domain/subnet-rules.js";
import { routerJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import { newPort } from "../../ops/new-port.js";
import type { NetworkParts } from "../../ports.js";
import { getNetwork } from "../sql/networks.js";
import { deletePort } from "../sql/ports.js";
import { demandRoom } from "../sql/quotas.js";
import {
  carriesFloatingIps,
  deleteRouter,
  getRouter,
  insertRouter,
  legsOf,
  listRouters,
  routerListing,
  updateRouter,
} from "../sql/routers.js";
import type { NetworkTables } from "../sql/tables.js";
import { bodyOf, changer, idOf, mountDelete, mountReads, mountTags, reply } from "./common.js";
import { fixedIps, flag, ipText, shortText } from "./fields.js";
import { mountInterfaces } from "./router-interface-routes.js";
import { newStandard } from "../../domain/model.js";

const gateway = z.strictObject({
  network_id: shortText,
  enable_snat: flag.optional(),
  external_fixed_ips: fixedIps.optional(),
});
// An empty object means "no gateway", as null does.
const mutable = {
  name: shortText.optional(),
  description: shortText.optional(),
  admin_state_up: flag.optional(),
  external_gateway_info: z.union([z.strictObject({}), gateway]).nullish(),
  routes: z
    .array(z.strictObject({ destination: shortText, nexthop: ipText }))
    .max(30)
    .nullish(),
};
const updateBody = z.strictObject(mutable);
const createBody = updateBody.omit({ routes: true }).extend({
  project_id: shortText.optional(),
  tenant_id: shortText.optional(),
  distributed: z.literal(false).optional(),
  ha: z.literal(false).optional(),
  availability_zone_hints: z.array(shortText).optional(),
});

type Tx = Transaction<NetworkTables>;
type GatewayWish = z.output<typeof updateBody>["external_gateway_info"];

/**
 * Routers as records: addresses and ports are kept as Neutron keeps them. Nothing here forwards packets; that
 * is the hosts' switch's business.
 */
export function routerRoutes(parts: NetworkParts): Router {
  const { db, ids, clock } = parts;
  const router = Router();
  mountReads(router, db, {
    one: "router",
    many: "routers",
    path: "routers",
    spec: routerListing,
    list: listRouters,
    get: getRouter,
    json: routerJson,
  });

  router.post(
    "/v2.0/routers",
    reply(async (ctx, req) => {
      const wish = bodyOf(req, "router", createBody);
      const projectId = ownerFor(ctx.actor, wish, "create_router");
      const plain: VirtualRouter = {
        ...newStandard(ids.uuid(), projectId, clock.now(), wish),
        adminStateUp: wish.admin_state_up ?? true,
        routes: [],
        gateway: null,
      };
      return {
        router: routerJson(
          await db.write(ctx, "router.create", async (tx) => {
            await demandRoom(tx, "router", projectId);
            await insertRouter(tx, plain);
            if (!hasNetwork(wish.external_gateway_info)) return plain;
            const made = {
              ...plain,
              gateway: await openGateway(parts, ctx, tx, plain, wish.external_gateway_info),
            };
            await updateRouter(tx, made);
            return made;
          }),
        ),
      };
    }, 201),
  );

  const change = changer<VirtualRouter>(parts, { one: "router", get: getRouter, update: updateRouter });
  router.put(
    "/v2.0/routers/:id",
    reply(async (ctx, req) => {
      const wish = bodyOf(req, "router", updateBody);
      return {
        router: routerJson(
          await change(ctx, idOf(req), async (current, tx) => {
            const edits = {
              name: wish.name ?? current.name,
              description: wish.description ?? current.description,
              adminStateUp: wish.admin_state_up ?? current.adminStateUp,
            };
            const gatewayAfter =
              wish.external_gateway_info === undefined
                ? current.gateway
                : await changeGateway(parts, ctx, tx, current, wish.external_gateway_info);
            if (wish.routes === undefined) return { ...edits, gateway: gatewayAfter };
            const routes = checkRoutes(wish.routes ?? []);
            checkNextHops(
              routes,
              (await legsOf(tx, current.id)).map((leg) => leg.cidr),
            );
            return { ...edits, gateway: gatewayAfter, routes };
          }),
        ),
      };
    }),
  );
  mountDelete(router, db, { one: "router", path: "routers", get: getRouter, remove: deleteRouter });
  mountInterfaces(router, parts);
  mountTags(router, db, {
    path: "routers",
    get: getRouter,
    change: async (ctx, id, edit) =>
      (await change(ctx, id, async (current) => ({ tags: edit(current.tags) }))).tags,
  });
  return router;
}

const hasNetwork = (wish: GatewayWish): wish is z.output<typeof gateway> =>
  wish !== null && wish !== undefined && "network_id" in wish;

async function openGateway(
  parts: NetworkParts,
  ctx: Ctx,
  tx: Tx,
  current: VirtualRouter,
  wish: z.output<typeof gateway>,
): Promise<VirtualRouter["gateway"]> {
  demandGatewayDetails(ctx.actor, wish);
  const network = await getNetwork(tx, ctx.actor, wish.network_id);
  if (!network.external)
    throw E.BAD_REQUEST({ resource: "router", problem: `Network ${network.id} is not an external network` });
  const wishes = wish.external_fixed_ips?.map((ip) => ({ subnetId: ip.subnet_id, ipAddress: ip.ip_address }));
  const port = await newPort(
    parts,
    tx,
    {
      networkId: network.id,
      projectId: "",
      deviceId: current.id,
      deviceOwner: "network:router_gateway",
      status: "ACTIVE",
      portSecurityEnabled: false,
    },
    { wishes },
  );
  return {
    networkId: network.id,
    portId: port.id,
    enableSnat: wish.enable_snat ?? true,
    fixedIps: port.fixedIps,
  };
}

/**
 * The same network again keeps the address; another one, or none, gives it up. @throws
 * ROUTER_EXTERNAL_GATEWAY_IN_USE_BY_FLOATING_IP
 */
async function changeGateway(
  parts: NetworkParts,
  ctx: Ctx,
  tx: Tx,
  current: VirtualRouter,
  wish: GatewayWish,
): Promise<VirtualRouter["gateway"]> {
  const before = current.gateway;
  if (hasNetwork(wish) && before?.networkId === wish.network_id && wish.external_fixed_ips === undefined) {
    demandGatewayDetails(ctx.actor, wish);
    return { ...before, enableSnat: wish.enable_snat ?? before.enableSnat };
  }
  if (before) {
    if (await carriesFloatingIps(tx, current.id))
      throw E.ROUTER_EXTERNAL_GATEWAY_IN_USE_BY_FLOATING_IP({ id: current.id, network: before.networkId });
    await deletePort(tx, before.portId);
  }
  return hasNetwork(wish) ? openGateway(parts, ctx, tx, current, wish) : null;
}

/** Addresses outside and hiding behind them are the operator's to give. @throws POLICY_NOT_AUTHORIZED */
function demandGatewayDetails(actor: Actor, wish: z.output<typeof gateway>): void {
  if (wish.enable_snat !== undefined) demandTrust(actor, "router:external_gateway_info:enable_snat");
  if (wish.external_fixed_ips !== undefined)
    demandTrust(actor, "router:external_gateway_info:external_fixed_ips");
}
