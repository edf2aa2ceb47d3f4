import type { Request, Router } from "express";
import { z } from "zod";
import type { Transaction } from "kysely";
import type { Ctx } from "../../../../kernel/index.js";
import type { Router as VirtualRouter } from "../../domain/model.js";
import { demandOwner, isTrusted } from "../../domain/policy.js";
import { checkNewLeg, leadsThrough } from "../../domain/router-rules.js";
import { E } from "../../errors.js";
import { newPort } from "../../ops/new-port.js";
import type { NetworkParts } from "../../ports.js";
import { networkById } from "../sql/networks.js";
import { deletePort, getPort, updatePort } from "../sql/ports.js";
import { carriesFloatingIps, getRouter, legsOf } from "../sql/routers.js";
import type { RouterLeg } from "../sql/routers.js";
import { getSubnet, subnetsOf } from "../sql/subnets.js";
import type { NetworkTables } from "../sql/tables.js";
import { idOf, reply } from "./common.js";
import { shortText } from "./fields.js";

type Tx = Transaction<NetworkTables>;

const interfaceBody = z.union([
  z.strictObject({ subnet_id: shortText }),
  z.strictObject({ port_id: shortText }),
]);

/**
 * Mounts joining subnets to a router and parting them: by subnet, whose gateway address the router takes, or
 * by a port made before.
 */
export function mountInterfaces(router: Router, parts: NetworkParts): void {
  const { db } = parts;
  router.put(
    "/v2.0/routers/:id/add_router_interface",
    reply(async (ctx, req) => {
      const wish = readInterface(req);
      return db.write(ctx, "router.interface.add", async (tx) => {
        const current = await getRouter(tx, ctx.actor, idOf(req));
        demandOwner(ctx.actor, current.projectId, "add_router_interface");
        const leg =
          "port_id" in wish
            ? await addPort(parts, ctx, tx, current, wish.port_id)
            : await addSubnet(parts, ctx, tx, current, wish.subnet_id);
        return interfaceJson(current, leg);
      });
    }),
  );
  router.put(
    "/v2.0/routers/:id/remove_router_interface",
    reply(async (ctx, req) => {
      const wish = readInterface(req);
      return db.write(ctx, "router.interface.remove", async (tx) => {
        const current = await getRouter(tx, ctx.actor, idOf(req));
        demandOwner(ctx.actor, current.projectId, "remove_router_interface");
        const leg = (await legsOf(tx, current.id)).find(
          (one) =>
            !one.isGateway &&
            ("port_id" in wish ? one.portId === wish.port_id : one.subnetId === wish.subnet_id),
        );
        if (!leg) throw E.ROUTER_INTERFACE_NOT_FOUND({ id: current.id });
        if (await carriesFloatingIps(tx, current.id, leg.subnetId))
          throw E.ROUTER_INTERFACE_IN_USE_BY_FLOATING_IP({ id: current.id });
        if (leadsThrough(current.routes, leg.cidr))
          throw E.ROUTER_INTERFACE_IN_USE_BY_ROUTE({ id: current.id, subnet: leg.subnetId });
        await deletePort(tx, leg.portId);
        return interfaceJson(current, leg);
      });
    }),
  );
}

function readInterface(req: Request): z.output<typeof interfaceBody> {
  const parsed = interfaceBody.safeParse(req.body);
  if (!parsed.success)
    throw E.BAD_REQUEST({ resource: "router", problem: "Either subnet_id or port_id must be specified" });
  return parsed.data;
}

type Leg = Pick<RouterLeg, "portId" | "networkId" | "subnetId">;

const interfaceJson = (router: VirtualRouter, { portId, networkId, subnetId }: Leg): unknown => ({
  id: router.id,
  tenant_id: router.projectId,
  project_id: router.projectId,
  port_id: portId,
  network_id: networkId,
  subnet_id: subnetId,
  subnet_ids: [subnetId],
  tags: router.tags,
});

/** @throws PORT_IN_USE, BAD_REQUEST */
async function addPort(
  { clock }: NetworkParts,
  ctx: Ctx,
  tx: Tx,
  router: VirtualRouter,
  portId: string,
): Promise<Leg> {
  const port = await getPort(tx, ctx.actor, portId);
  demandOwner(ctx.actor, port.projectId, "add_router_interface");
  if (port.deviceId !== "")
    throw E.PORT_IN_USE({ network: port.networkId, port: port.id, device: port.deviceId });
  const subnets = (await subnetsOf(tx, port.networkId)).filter((subnet) =>
    port.fixedIps.some((ip) => ip.subnetId === subnet.id),
  );
  const [first] = subnets;
  if (!first)
    throw E.BAD_REQUEST({ resource: "router", problem: "Router port must have at least one fixed IP" });
  const legs = await legsOf(tx, router.id);
  for (const subnet of subnets) checkNewLeg({ subnetId: subnet.id, cidr: subnet.cidr }, legs);
  await updatePort(tx, port, {
    ...port,
    deviceId: router.id,
    deviceOwner: "network:router_interface",
    status: "ACTIVE",
    revision: port.revision + 1,
    updatedAt: clock.now(),
  });
  return { portId: port.id, networkId: port.networkId, subnetId: first.id };
}

/** @throws BAD_REQUEST, IP_ADDRESS_ALREADY_ALLOCATED when the gateway's address is taken */
async function addSubnet(
  parts: NetworkParts,
  ctx: Ctx,
  tx: Tx,
  router: VirtualRouter,
  subnetId: string,
): Promise<Leg> {
  const subnet = await getSubnet(tx, ctx.actor, subnetId);
  checkNewLeg({ subnetId: subnet.id, cidr: subnet.cidr }, await legsOf(tx, router.id));
  if (subnet.gatewayIp === null)
    throw E.BAD_REQUEST({
      resource: "router",
      problem: "Subnet for router interface must have a gateway IP",
    });
  const network = await networkById(tx, subnet.networkId);
  // It takes the gateway's address: that is for who owns the network, not for everybody it is shared with.
  if (!isTrusted(ctx.actor) && ![subnet.projectId, network.projectId].includes(ctx.actor.projectId))
    throw E.BAD_REQUEST({
      resource: "router",
      problem: `Cannot add interface to router because subnet ${subnet.id} belongs to another project`,
    });
  const port = await newPort(
    parts,
    tx,
    {
      networkId: network.id,
      projectId: router.projectId,
      deviceId: router.id,
      deviceOwner: "network:router_interface",
      status: "ACTIVE",
      portSecurityEnabled: false,
    },
    { wishes: [{ subnetId: subnet.id, ipAddress: subnet.gatewayIp }] },
  );
  return { portId: port.id, networkId: network.id, subnetId: subnet.id };
}
