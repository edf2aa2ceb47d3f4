import { Router } from "express";
import { z } from "zod";
import type { Network } from "../../domain/model.js";
import { demandTrust, isTrusted, ownerFor } from "../../domain/policy.js";
import { networkJson } from "../../domain/views.js";
import type { NetworkParts } from "../../ports.js";
import {
  deleteNetwork,
  getNetwork,
  insertNetwork,
  listNetworks,
  networkListing,
  refuseConflicts,
  updateNetwork,
} from "../sql/networks.js";
import { demandRoom } from "../sql/quotas.js";
import { bodyOf, changer, idOf, mountDelete, mountReads, mountTags, reply } from "./common.js";
import { flag, shortText, wholeNumber } from "./fields.js";
import { newStandard } from "../../domain/model.js";

const mutable = {
  name: shortText.optional(),
  description: shortText.optional(),
  admin_state_up: flag.optional(),
  shared: flag.optional(),
  "router:external": flag.optional(),
  mtu: wholeNumber(68, 65_535).optional(),
  port_security_enabled: flag.optional(),
  is_default: flag.optional(),
  dns_domain: shortText.optional(),
};
const updateBody = z.strictObject(mutable);
const createBody = z.strictObject({
  ...mutable,
  project_id: shortText.optional(),
  tenant_id: shortText.optional(),
  availability_zone_hints: z.array(shortText).optional(),
  "provider:network_type": z.enum(["vxlan", "geneve", "vlan", "flat", "local"]).optional(),
  "provider:physical_network": shortText.nullish(),
  "provider:segmentation_id": wholeNumber(1, 2 ** 24 - 1).nullish(),
});

const TRUSTED_FIELDS = [
  "shared",
  "router:external",
  "is_default",
  "provider:network_type",
  "provider:physical_network",
  "provider:segmentation_id",
] as const;

export function networkRoutes(parts: NetworkParts): Router {
  const { db, clock, ids, random, config } = parts;
  const router = Router();
  mountReads(router, db, {
    one: "network",
    many: "networks",
    path: "networks",
    spec: networkListing,
    list: listNetworks,
    get: getNetwork,
    json: networkJson,
    single: true,
  });

  router.post(
    "/v2.0/networks",
    reply(async (ctx, req) => {
      const wish = bodyOf(req, "network", createBody);
      for (const field of TRUSTED_FIELDS)
        if (wish[field] !== undefined && wish[field] !== false)
          demandTrust(ctx.actor, `create_network:${field}`);
      const network: Omit<Network, "subnetIds"> = {
        ...newStandard(ids.uuid(), ownerFor(ctx.actor, wish, "create_network"), clock.now(), wish),
        adminStateUp: wish.admin_state_up ?? true,
        shared: wish.shared ?? false,
        external: wish["router:external"] ?? false,
        isDefault: wish.is_default ?? false,
        mtu: wish.mtu ?? config.defaultMtu,
        portSecurityEnabled: wish.port_security_enabled ?? true,
        dnsDomain: wish.dns_domain ?? "",
        networkType: wish["provider:network_type"] ?? config.defaultNetworkType,
        physicalNetwork: wish["provider:physical_network"] ?? null,
        segmentationId: wish["provider:segmentation_id"] ?? null,
      };
      const created = await db.write(ctx, "network.create", async (tx) => {
        await demandRoom(tx, "network", network.projectId);
        await refuseConflicts(tx, network, network);
        await insertNetwork(tx, network, random);
        return getNetwork(tx, ctx.actor, network.id);
      });
      return { network: networkJson(created, isTrusted(ctx.actor)) };
    }, 201),
  );

  const change = changer<Network>(parts, {
    one: "network",
    get: getNetwork,
    update: async (tx, next, before) => {
      await refuseConflicts(tx, before, next);
      await updateNetwork(tx, next);
    },
  });
  router.put(
    "/v2.0/networks/:id",
    reply(async (ctx, req) => {
      const wish = bodyOf(req, "network", updateBody);
      const updated = await change(ctx, idOf(req), (network) => {
        for (const field of ["shared", "router:external", "is_default"] as const)
          if (wish[field] !== undefined) demandTrust(ctx.actor, `update_network:${field}`);
        return {
          name: wish.name ?? network.name,
          description: wish.description ?? network.description,
          adminStateUp: wish.admin_state_up ?? network.adminStateUp,
          shared: wish.shared ?? network.shared,
          external: wish["router:external"] ?? network.external,
          isDefault: wish.is_default ?? network.isDefault,
          mtu: wish.mtu ?? network.mtu,
          portSecurityEnabled: wish.port_security_enabled ?? network.portSecurityEnabled,
          dnsDomain: wish.dns_domain ?? network.dnsDomain,
        };
      });
      return { network: networkJson(updated, isTrusted(ctx.actor)) };
    }),
  );
  mountDelete(router, db, { one: "network", path: "networks", get: getNetwork, remove: deleteNetwork });
  mountTags(router, db, {
    path: "networks",
    get: getNetwork,
    change: async (ctx, id, edit) =>
      (await change(ctx, id, (network) => ({ tags: edit(network.tags) }))).tags,
  });
  return router;
}
