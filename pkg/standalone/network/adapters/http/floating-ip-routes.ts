import { Router } from "express";
import { z } from "zod";
import type { Transaction } from "kysely";
import { KilonovaError } from "../../../../kernel/index.js";
import type { Ctx } from "../../../../kernel/index.js";
import type { FloatingIp } from "../../domain/model.js";
import { demandOwner, demandTrust, ownerFor } from "../../domain/policy.js";
import { floatingIpJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import { announce } from "../../ops/announce.js";
import { newPort } from "../../ops/new-port.js";
import type { NetworkParts } from "../../ports.js";
import {
  deleteFloatingIp,
  floatingIpListing,
  getFloatingIp,
  insertFloatingIp,
  isAssociated,
  listFloatingIps,
  updateFloatingIp,
} from "../sql/floating-ips.js";
import { getNetwork } from "../sql/networks.js";
import { getPort } from "../sql/ports.js";
import { demandRoom } from "../sql/quotas.js";
import { routerBetween } from "../sql/routers.js";
import type { NetworkTables } from "../sql/tables.js";
import { bodyOf, idOf, mountDelete, mountReads, mountTags, reply } from "./common.js";
import { ipText, shortText } from "./fields.js";
import { newStandard } from "../../domain/model.js";

const mutable = {
  port_id: shortText.nullish(),
  fixed_ip_address: ipText.nullish(),
  description: shortText.optional(),
};
const updateBody = z.strictObject(mutable);
const createBody = z.strictObject({
  ...mutable,
  floating_network_id: shortText,
  floating_ip_address: ipText.nullish(),
  subnet_id: shortText.nullish(),
  project_id: shortText.optional(),
  tenant_id: shortText.optional(),
});

type Association = Pick<FloatingIp, "portId" | "fixedIpAddress" | "routerId">;
const unassociated: Association = { portId: null, fixedIpAddress: null, routerId: null };

/** Floating IPs as records: an address on an external network and the port that it leads to. */
export function floatingIpRoutes(parts: NetworkParts): Router {
  const { db, ids, clock } = parts;
  const router = Router();
  mountReads(router, db, {
    one: "floatingip",
    many: "floatingips",
    path: "floatingips",
    spec: floatingIpListing,
    list: listFloatingIps,
    get: getFloatingIp,
    json: floatingIpJson,
  });
  router.post(
    "/v2.0/floatingips",
    reply(async (ctx, req) => {
      const wish = bodyOf(req, "floatingip", createBody);
      const projectId = ownerFor(ctx.actor, wish, "create_floatingip");
      if (wish.floating_ip_address) demandTrust(ctx.actor, "create_floatingip:floating_ip_address");
      const id = ids.uuid();
      const made = await db.write(ctx, "floatingip.create", async (tx) => {
        const network = await getNetwork(tx, ctx.actor, wish.floating_network_id);
        if (!network.external)
          throw E.BAD_REQUEST({
            resource: "floatingip",
            problem: `Network ${network.id} is not a valid external network`,
          });
        await demandRoom(tx, "floatingip", projectId);
        const wanted =
          wish.floating_ip_address || wish.subnet_id
            ? [{ subnetId: wish.subnet_id ?? undefined, ipAddress: wish.floating_ip_address ?? undefined }]
            : undefined;
        const own = await exhausting(network.id, () =>
          newPort(
            parts,
            tx,
            {
              networkId: network.id,
              projectId: "",
              deviceId: id,
              deviceOwner: "network:floatingip",
              portSecurityEnabled: false,
            },
            { wishes: wanted },
          ),
        );
        const ipAddress = own.fixedIps[0]?.ipAddress;
        if (ipAddress === undefined) throw E.EXTERNAL_IP_ADDRESS_EXHAUSTED({ network: network.id });
        await insertFloatingIp(
          tx,
          {
            ...newStandard(id, projectId, clock.now(), { description: wish.description }),
            networkId: network.id,
            ipAddress,
            ...(await associate(ctx, tx, id, network.id, wish)),
          },
          own.id,
        );
        return getFloatingIp(tx, ctx.actor, id);
      });
      await announceChange(parts, ctx, [made.portId]);
      return { floatingip: floatingIpJson(made) };
    }, 201),
  );

  const change = async (
    ctx: Ctx,
    id: string,
    edit: (ip: FloatingIp, tx: Transaction<NetworkTables>) => Promise<Partial<FloatingIp>>,
  ): Promise<FloatingIp> => {
    const { before, after } = await db.write(ctx, "floatingip.update", async (tx) => {
      const ip = await getFloatingIp(tx, ctx.actor, id);
      demandOwner(ctx.actor, ip.projectId, "update_floatingip");
      await updateFloatingIp(tx, {
        ...ip,
        ...(await edit(ip, tx)),
        revision: ip.revision + 1,
        updatedAt: clock.now(),
      });
      return { before: ip, after: await getFloatingIp(tx, ctx.actor, id) };
    });
    if (before.portId !== after.portId) await announceChange(parts, ctx, [before.portId, after.portId]);
    return after;
  };
  router.put(
    "/v2.0/floatingips/:id",
    reply(async (ctx, req) => {
      const wish = bodyOf(req, "floatingip", updateBody);
      return {
        floatingip: floatingIpJson(
          await change(ctx, idOf(req), async (ip, tx) => ({
            description: wish.description ?? ip.description,
            ...(wish.port_id === undefined && wish.fixed_ip_address === undefined
              ? {}
              : await associate(ctx, tx, ip.id, ip.networkId, { port_id: ip.portId, ...wish })),
          })),
        ),
      };
    }),
  );
  mountDelete(router, db, {
    one: "floatingip",
    path: "floatingips",
    get: getFloatingIp,
    remove: deleteFloatingIp,
    after: (ctx, gone) => announceChange(parts, ctx, [gone.portId]),
  });
  mountTags(router, db, {
    path: "floatingips",
    get: getFloatingIp,
    change: async (ctx, id, edit) => (await change(ctx, id, async (ip) => ({ tags: edit(ip.tags) }))).tags,
  });
  return router;
}

/** An external network that is full has an error of its own. */
async function exhausting<T>(networkId: string, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "IP_ADDRESS_GENERATION_FAILURE")
      throw E.EXTERNAL_IP_ADDRESS_EXHAUSTED({ network: networkId }, { cause: error });
    throw error;
  }
}

/**
 * Finds what a floating IP will lead to.
 * @throws PORT_NOT_FOUND, EXTERNAL_GATEWAY_FOR_FLOATING_IP_NOT_FOUND without a router in between,
 *   FLOATING_IP_PORT_ALREADY_ASSOCIATED
 */
async function associate(
  ctx: Ctx,
  tx: Transaction<NetworkTables>,
  floatingIpId: string,
  networkId: string,
  wish: { port_id?: string | null | undefined; fixed_ip_address?: string | null | undefined },
): Promise<Association> {
  if (!wish.port_id) {
    if (wish.fixed_ip_address)
      throw E.BAD_REQUEST({
        resource: "floatingip",
        problem: "fixed_ip_address cannot be specified without a port_id",
      });
    return unassociated;
  }
  const port = await getPort(tx, ctx.actor, wish.port_id);
  const fixed = wish.fixed_ip_address
    ? port.fixedIps.find((ip) => ip.ipAddress === wish.fixed_ip_address)
    : port.fixedIps.find((ip) => ip.ipAddress.includes("."));
  if (!fixed)
    throw E.BAD_REQUEST({
      resource: "floatingip",
      problem: `Port ${port.id} does not have the fixed ip ${wish.fixed_ip_address ?? "(IPv4)"}`,
    });
  if (await isAssociated(tx, port.id, fixed.ipAddress, floatingIpId))
    throw E.FLOATING_IP_PORT_ALREADY_ASSOCIATED({ id: port.id, ip: fixed.ipAddress });
  const routerId = await routerBetween(tx, fixed.subnetId, networkId);
  if (routerId === undefined)
    throw E.EXTERNAL_GATEWAY_FOR_FLOATING_IP_NOT_FOUND({
      subnet: fixed.subnetId,
      network: networkId,
      port: port.id,
    });
  return { portId: port.id, fixedIpAddress: fixed.ipAddress, routerId };
}

/** Compute shows floating IPs among a server's addresses, so it must look again. */
async function announceChange(
  parts: NetworkParts,
  ctx: Ctx,
  portIds: readonly (string | null)[],
): Promise<void> {
  const wanted = portIds.flatMap((id) => id ?? []);
  if (wanted.length === 0) return;
  const ports = await parts.db.statement(ctx, "floatingip.ports", (tx) =>
    tx
      .selectFrom("network_port")
      .select(["id", "device_id", "host_id"])
      .where("id", "in", wanted)
      .where("device_owner", "like", "compute:%")
      .execute(),
  );
  await announce(
    parts,
    ctx,
    ports.flatMap((port) =>
      port.device_id === ""
        ? []
        : [
            {
              name: "network-changed" as const,
              serverUuid: port.device_id,
              portId: port.id,
              host: port.host_id,
            },
          ],
    ),
  );
}
