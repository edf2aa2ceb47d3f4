import { Router } from "express";
import type { Request } from "express";
import { z } from "zod";
import type { Transaction } from "kysely";
import type { Ctx } from "../../../../kernel/index.js";
import type { Router as VirtualRouter } from "../../domain/model.js";
import { demandOwner, ownerFor } from "../../domain/policy.js";
import { routerJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import { newPort } from "../../ops/new-port.js";
import type { NetworkParts } from "../../ports.js";
import { getNetwork, networkById } from "../sql/networks.js";
import { deletePort, getPort, updatePort } from "../sql/ports.js";
import { demandRoom } from "../sql/quotas.js";
import { deleteRouter, getRouter, insertRouter, interfacesOf, listRouters, routerListing, updateRouter } from "../sql/routers.js";
import { getSubnet } from "../sql/subnets.js";
import type { NetworkTables } from "../sql/tables.js";
import { bodyOf, idOf, mountReads, mountTags, reply } from "./common.js";
import { fixedIps, flag, shortText } from "./fields.js";

const gateway = z.strictObject({ network_id: shortText, enable_snat: flag.optional(), external_fixed_ips: fixedIps.optional() });
// An empty object means "no gateway", as null does.
const mutable = {
  name: shortText.optional(), description: shortText.optional(), admin_state_up: flag.optional(),
  external_gateway_info: z.union([z.strictObject({}), gateway]).nullish(), routes: z.array(z.never()).optional(),
};
const updateBody = z.strictObject(mutable);
const createBody = z.strictObject({
  ...mutable, project_id: shortText.optional(), tenant_id: shortText.optional(), distributed: z.literal(false).optional(), ha: z.literal(false).optional(),
  availability_zone_hints: z.array(shortText).optional(),
});
const interfaceBody = z.union([z.strictObject({ subnet_id: shortText }), z.strictObject({ port_id: shortText })]);

type Tx = Transaction<NetworkTables>;
type GatewayWish = z.output<typeof updateBody>["external_gateway_info"];

/**
 * Routers as records: addresses and ports are kept as Neutron keeps them. Nothing here forwards packets; that is the
 * hosts' switch's business.
 */
export function routerRoutes(parts: NetworkParts): Router {
  const { db, ids, clock } = parts;
  const router = Router();
  mountReads(router, db, { one: "router", many: "routers", path: "routers", spec: routerListing, list: listRouters, get: getRouter, json: routerJson });

  router.post("/v2.0/routers", reply(async (ctx, req) => {
    const wish = bodyOf(req, "router", createBody);
    const projectId = ownerFor(ctx.actor, wish, "create_router");
    const now = clock.now();
    const plain: VirtualRouter = {
      id: ids.uuid(), name: wish.name ?? "", description: wish.description ?? "", projectId, tags: [], revision: 1, createdAt: now, updatedAt: now,
      adminStateUp: wish.admin_state_up ?? true, gateway: null,
    };
    return { router: routerJson(await db.write(ctx, "router.create", async (tx) => {
      await demandRoom(tx, "router", projectId);
      await insertRouter(tx, plain);
      if (!hasNetwork(wish.external_gateway_info)) return plain;
      const made = { ...plain, gateway: await openGateway(parts, ctx, tx, plain, wish.external_gateway_info) };
      await updateRouter(tx, made);
      return made;
    })) };
  }, 201));

  const change = (ctx: Ctx, id: string, edit: (current: VirtualRouter, tx: Tx) => Promise<Partial<VirtualRouter>>): Promise<VirtualRouter> =>
    db.write(ctx, "router.update", async (tx) => {
      const current = await getRouter(tx, ctx.actor, id);
      demandOwner(ctx.actor, current.projectId, "update_router");
      const next: VirtualRouter = { ...current, ...await edit(current, tx), revision: current.revision + 1, updatedAt: clock.now() };
      await updateRouter(tx, next);
      return next;
    });
  router.put("/v2.0/routers/:id", reply(async (ctx, req) => {
    const wish = bodyOf(req, "router", updateBody);
    return { router: routerJson(await change(ctx, idOf(req), async (current, tx) => {
      const edits = { name: wish.name ?? current.name, description: wish.description ?? current.description, adminStateUp: wish.admin_state_up ?? current.adminStateUp };
      if (wish.external_gateway_info === undefined) return edits;
      if (current.gateway) await closeGateway(tx, current);
      return { ...edits, gateway: hasNetwork(wish.external_gateway_info) ? await openGateway(parts, ctx, tx, current, wish.external_gateway_info) : null };
    })) };
  }));
  router.delete("/v2.0/routers/:id", reply(async (ctx, req) => {
    const id = idOf(req);
    await db.write(ctx, "router.delete", async (tx) => {
      demandOwner(ctx.actor, (await getRouter(tx, ctx.actor, id)).projectId, "delete_router");
      await deleteRouter(tx, id);
    });
  }));
  router.put("/v2.0/routers/:id/add_router_interface", reply(async (ctx, req) => db.write(ctx, "router.interface.add", (tx) => addInterface(parts, ctx, tx, req))));
  router.put("/v2.0/routers/:id/remove_router_interface", reply(async (ctx, req) => db.write(ctx, "router.interface.remove", (tx) => removeInterface(ctx, tx, req))));
  mountTags(router, "routers", async (ctx, id, edit) => (await change(ctx, id, async (current) => ({ tags: edit(current.tags) }))).tags);
  return router;
}

const hasNetwork = (wish: GatewayWish): wish is z.output<typeof gateway> => wish !== null && wish !== undefined && "network_id" in wish;

async function openGateway(parts: NetworkParts, ctx: Ctx, tx: Tx, current: VirtualRouter, wish: z.output<typeof gateway>): Promise<VirtualRouter["gateway"]> {
  const network = await getNetwork(tx, ctx.actor, wish.network_id);
  if (!network.external) throw E.BAD_REQUEST({ resource: "router", problem: `Network ${network.id} is not an external network` });
  const wishes = wish.external_fixed_ips?.map((ip) => ({ subnetId: ip.subnet_id, ipAddress: ip.ip_address }));
  const port = await newPort(parts, tx, {
    networkId: network.id, projectId: "", deviceId: current.id, deviceOwner: "network:router_gateway", status: "ACTIVE", portSecurityEnabled: false,
  }, { wishes });
  return { networkId: network.id, portId: port.id, enableSnat: wish.enable_snat ?? true, fixedIps: port.fixedIps };
}

/** @throws ROUTER_IN_USE while floating IPs go through it */
async function closeGateway(tx: Tx, current: VirtualRouter): Promise<void> {
  const used = await tx.selectFrom("network_floating_ip").select("id").where("router_id", "=", current.id).where("port_id", "is not", null).limit(1).execute();
  if (used.length > 0) throw E.ROUTER_IN_USE({ id: current.id });
  if (current.gateway) await deletePort(tx, current.gateway.portId);
}

function readInterface(req: Request): z.output<typeof interfaceBody> {
  const parsed = interfaceBody.safeParse(req.body);
  if (!parsed.success) throw E.BAD_REQUEST({ resource: "router", problem: "Either subnet_id or port_id must be specified" });
  return parsed.data;
}

const interfaceJson = (router: VirtualRouter, portId: string, networkId: string, subnetId: string): unknown => ({
  id: router.id, tenant_id: router.projectId, project_id: router.projectId, port_id: portId, network_id: networkId,
  subnet_id: subnetId, subnet_ids: [subnetId], tags: router.tags,
});

async function addInterface(parts: NetworkParts, ctx: Ctx, tx: Tx, req: Request): Promise<unknown> {
  const wish = readInterface(req);
  const router = await getRouter(tx, ctx.actor, idOf(req));
  demandOwner(ctx.actor, router.projectId, "add_router_interface");
  const legs = await interfacesOf(tx, router.id);
  if ("port_id" in wish) {
    const port = await getPort(tx, ctx.actor, wish.port_id);
    const subnetId = port.fixedIps[0]?.subnetId;
    if (port.deviceId !== "" || subnetId === undefined) throw E.BAD_REQUEST({ resource: "router", problem: `Port ${port.id} is in use or has no address` });
    await updatePort(tx, port, { ...port, deviceId: router.id, deviceOwner: "network:router_interface", status: "ACTIVE", revision: port.revision + 1 });
    return interfaceJson(router, port.id, port.networkId, subnetId);
  }
  const subnet = await getSubnet(tx, ctx.actor, wish.subnet_id);
  if (legs.some((leg) => leg.subnetId === subnet.id)) throw E.ROUTER_PORT_EXISTS({ id: router.id, subnet: subnet.id });
  if (subnet.gatewayIp === null) throw E.BAD_REQUEST({ resource: "router", problem: `Subnet for router interface must have a gateway IP` });
  const network = await networkById(tx, subnet.networkId);
  const port = await newPort(parts, tx, {
    networkId: network.id, projectId: router.projectId, deviceId: router.id, deviceOwner: "network:router_interface", status: "ACTIVE", portSecurityEnabled: false,
  }, { wishes: [{ subnetId: subnet.id, ipAddress: subnet.gatewayIp }] });
  return interfaceJson(router, port.id, network.id, subnet.id);
}

async function removeInterface(ctx: Ctx, tx: Tx, req: Request): Promise<unknown> {
  const wish = readInterface(req);
  const router = await getRouter(tx, ctx.actor, idOf(req));
  demandOwner(ctx.actor, router.projectId, "remove_router_interface");
  const leg = (await interfacesOf(tx, router.id)).find((one) => "port_id" in wish ? one.portId === wish.port_id : one.subnetId === wish.subnet_id);
  if (!leg) throw E.ROUTER_INTERFACE_NOT_FOUND({ id: router.id });
  const used = await tx.selectFrom("network_floating_ip as fip").innerJoin("network_fixed_ip as ip", "ip.port_id", "fip.port_id").select("fip.id")
    .where("fip.router_id", "=", router.id).where("ip.subnet_id", "=", leg.subnetId).limit(1).execute();
  if (used.length > 0) throw E.ROUTER_INTERFACE_IN_USE_BY_FLOATING_IP({ id: router.id });
  await deletePort(tx, leg.portId);
  return interfaceJson(router, leg.portId, leg.networkId, leg.subnetId);
}
