import { Router } from "express";
import { z } from "zod";
import type { Transaction } from "kysely";
import type { Actor, Ctx } from "../../../../kernel/index.js";
import { parseAddress, parseCidr, parseMac } from "../../domain/addresses.js";
import type { AddressPair, Network, Port } from "../../domain/model.js";
import { demandOwner, isTrusted, ownerFor } from "../../domain/policy.js";
import { demandPortFields } from "../../domain/port-policy.js";
import { portEvents } from "../../domain/port-events.js";
import { checkAddressPairs, checkPortSecurity } from "../../domain/port-security.js";
import { portJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import { announce } from "../../ops/announce.js";
import { newPort } from "../../ops/new-port.js";
import type { NetworkParts } from "../../ports.js";
import type { AddressWish } from "../sql/addresses.js";
import { assignAddresses } from "../sql/addresses.js";
import { networkById } from "../sql/networks.js";
import { readPortGround } from "../sql/port-ground.js";
import { demandDevice } from "../sql/devices.js";
import { deleteBinding, deletePort, getPort, listPorts, portListing, updatePort } from "../sql/ports.js";
import { ensureDefaultGroup, requireGroups } from "../sql/security-groups.js";
import type { NetworkTables } from "../sql/tables.js";
import { bodyOf, idOf, mountReads, mountTags, reply } from "./common.js";
import { fixedIps, flag, ipText, profile, shortText } from "./fields.js";

const mutable = {
  name: shortText.optional(),
  description: shortText.optional(),
  admin_state_up: flag.optional(),
  device_id: shortText.optional(),
  device_owner: shortText.optional(),
  mac_address: shortText.optional(),
  fixed_ips: fixedIps.optional(),
  security_groups: z.array(shortText).max(64).nullish(),
  port_security_enabled: flag.optional(),
  allowed_address_pairs: z
    .array(z.strictObject({ ip_address: ipText, mac_address: ipText.nullish() }))
    .max(64)
    .nullish(),
  extra_dhcp_opts: z
    .array(
      z.strictObject({
        opt_name: shortText,
        opt_value: shortText.nullable(),
        ip_version: z.union([z.literal(4), z.literal(6)]).default(4),
      }),
    )
    .max(64)
    .nullish(),
  dns_name: shortText.optional(),
  "binding:host_id": shortText.nullish(),
  "binding:profile": profile.nullish(),
  "binding:vnic_type": z
    .enum([
      "normal",
      "direct",
      "macvtap",
      "baremetal",
      "direct-physical",
      "virtio-forwarder",
      "smart-nic",
      "vdpa",
    ])
    .optional(),
};
const updateBody = z.strictObject(mutable);
const createBody = z.strictObject({
  ...mutable,
  network_id: shortText,
  project_id: shortText.optional(),
  tenant_id: shortText.optional(),
  propagate_uplink_status: flag.optional(),
});
type Wish = z.output<typeof updateBody>;

export function portRoutes(parts: NetworkParts): Router {
  const { db, ids, clock, random } = parts;
  const router = Router();
  mountReads(router, db, {
    one: "port",
    many: "ports",
    path: "ports",
    spec: portListing,
    list: listPorts,
    get: getPort,
    json: portJson,
    single: true,
  });

  router.post(
    "/v2.0/ports",
    reply(async (ctx, req) => {
      const wish = bodyOf(req, "port", createBody);
      const projectId = ownerFor(ctx.actor, wish, "create_port");
      const port = await parts.inTurn(() =>
        db.write(ctx, "port.create", async (tx) => {
          const { network, subnets, room, defaultGroupId } = await readPortGround(
            tx,
            ctx.actor,
            wish.network_id,
            projectId,
          );
          demandUse(ctx.actor, network);
          demandPortFields(ctx.actor, network, wish, "create");
          await demandDevice(tx, ctx.actor, projectId, wish.device_id ?? "");
          if (!room) throw E.OVER_QUOTA({ resource: "port" });
          const portSecurityEnabled = wish.port_security_enabled ?? network.portSecurityEnabled;
          const wantsDefault =
            wish.security_groups === undefined &&
            portSecurityEnabled &&
            !wish.device_owner?.startsWith("network:");
          const securityGroupIds = wantsDefault
            ? [defaultGroupId ?? (await ensureDefaultGroup(tx, projectId, ids, clock.now()))]
            : await requireGroups(tx, projectId, wish.security_groups ?? []);
          const seed = {
            networkId: network.id,
            projectId,
            portSecurityEnabled,
            securityGroupIds,
            ...readWish(wish),
            macAddress: readMac(wish.mac_address),
          };
          checkPortSecurity(
            { portSecurityEnabled, securityGroupIds, allowedAddressPairs: seed.allowedAddressPairs ?? [] },
            true,
          );
          checkAddressPairs(seed.allowedAddressPairs ?? [], seed.macAddress ?? "");
          return newPort(
            parts,
            tx,
            { ...seed, status: statusFor(seed.hostId ?? "", seed.adminStateUp ?? true) },
            { wishes: wish.fixed_ips?.map(addressWish), subnets },
          );
        }),
      );
      await announce(parts, ctx, portEvents(undefined, port));
      return { port: portJson(port, isTrusted(ctx.actor)) };
    }, 201),
  );

  const change = async (
    ctx: Ctx,
    id: string,
    edit: (port: Port, tx: Transaction<NetworkTables>) => Promise<Partial<Port>>,
  ): Promise<Port> => {
    const { before, after } = await parts.inTurn(() =>
      db.write(ctx, "port.update", async (tx) => {
        const port = await getPort(tx, ctx.actor, id);
        demandOwner(ctx.actor, port.projectId, "update_port");
        const next: Port = {
          ...port,
          ...(await edit(port, tx)),
          revision: port.revision + 1,
          updatedAt: clock.now(),
        };
        await updatePort(tx, port, next);
        // The host has the active binding now; a further one to it would be the same thing twice.
        if (next.hostId !== port.hostId) await deleteBinding(tx, id, next.hostId);
        return { before: port, after: next };
      }),
    );
    await announce(parts, ctx, portEvents(before, after));
    return after;
  };
  router.put(
    "/v2.0/ports/:id",
    reply(async (ctx, req) => {
      const wish = bodyOf(req, "port", updateBody);
      const port = await change(ctx, idOf(req), async (current, tx) => {
        demandPortFields(ctx.actor, await networkById(tx, current.networkId), wish, "update");
        if (wish.device_id !== current.deviceId)
          await demandDevice(tx, ctx.actor, current.projectId, wish.device_id ?? "");
        const edits = readWish(wish);
        const macAddress = readMac(wish.mac_address) ?? current.macAddress;
        if (macAddress !== current.macAddress && current.hostId !== "" && edits.hostId === undefined)
          throw E.PORT_BOUND({ id: current.id });
        const groups =
          wish.security_groups === undefined
            ? current.securityGroupIds
            : await requireGroups(tx, current.projectId, wish.security_groups ?? []);
        const next = { ...current, ...edits, macAddress, securityGroupIds: groups };
        checkPortSecurity(next, wish.security_groups !== undefined);
        if (edits.allowedAddressPairs) checkAddressPairs(edits.allowedAddressPairs, macAddress);
        const addresses =
          wish.fixed_ips === undefined
            ? current.fixedIps
            : await assignAddresses(tx, next, wish.fixed_ips.map(addressWish), current.fixedIps, random);
        const own = current.deviceOwner.startsWith("network:");
        return {
          ...next,
          fixedIps: addresses,
          status: own ? current.status : statusFor(next.hostId, next.adminStateUp),
        };
      });
      return { port: portJson(port, isTrusted(ctx.actor)) };
    }),
  );
  router.delete(
    "/v2.0/ports/:id",
    reply(async (ctx, req) => {
      const id = idOf(req);
      const gone = await parts.inTurn(() =>
        db.write(ctx, "port.delete", async (tx) => {
          const port = await getPort(tx, ctx.actor, id);
          demandPortOwner(ctx.actor, port, await networkById(tx, port.networkId), "delete_port");
          if (port.deviceOwner.startsWith("network:router") || port.deviceOwner === "network:floatingip")
            throw E.SERVICE_PORT_IN_USE({ id, owner: port.deviceOwner });
          await deletePort(tx, id);
          return port;
        }),
      );
      await announce(parts, ctx, portEvents(gone, undefined));
    }),
  );
  mountTags(router, db, {
    path: "ports",
    get: getPort,
    change: async (ctx, id, edit) =>
      (await change(ctx, id, async (port) => ({ tags: edit(port.tags) }))).tags,
  });
  return router;
}

/** Bound means plugged here: the agents' switches need no further step, so nothing is ever half way. */
const statusFor = (hostId: string, up: boolean): Port["status"] => (hostId !== "" && up ? "ACTIVE" : "DOWN");

/** A network's owner may clear it of other projects' ports. */
function demandPortOwner(actor: Actor, port: Port, network: Network, action: string): void {
  demandOwner(actor, network.projectId === actor.projectId ? network.projectId : port.projectId, action);
}

/** Ports may be made on own and shared networks, not on merely external ones. */
function demandUse(actor: Actor, network: Network): void {
  if (!isTrusted(actor) && network.projectId !== actor.projectId && !network.shared)
    throw E.POLICY_NOT_AUTHORIZED({ action: "create_port" });
}

type PlainEdits = Partial<
  Pick<
    Port,
    | "name"
    | "description"
    | "adminStateUp"
    | "deviceId"
    | "deviceOwner"
    | "portSecurityEnabled"
    | "allowedAddressPairs"
    | "extraDhcpOpts"
    | "dnsName"
    | "hostId"
    | "bindingProfile"
    | "vnicType"
  >
>;

/** The plain fields of a wish; what is absent stays absent. */
function readWish(wish: Wish): PlainEdits {
  const fields: { readonly [K in keyof PlainEdits]: PlainEdits[K] | undefined } = {
    name: wish.name,
    description: wish.description,
    adminStateUp: wish.admin_state_up,
    deviceId: wish.device_id,
    deviceOwner: wish.device_owner,
    portSecurityEnabled: wish.port_security_enabled,
    dnsName: wish.dns_name,
    vnicType: wish["binding:vnic_type"],
    allowedAddressPairs: wish.allowed_address_pairs === null ? [] : wish.allowed_address_pairs?.map(readPair),
    extraDhcpOpts: wish.extra_dhcp_opts === null ? [] : wish.extra_dhcp_opts,
    hostId: wish["binding:host_id"] === null ? "" : wish["binding:host_id"],
    bindingProfile: wish["binding:profile"] === null ? {} : wish["binding:profile"],
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as PlainEdits;
}

function readPair(pair: { ip_address: string; mac_address?: string | null | undefined }): AddressPair {
  if (!parseAddress(pair.ip_address) && !parseCidr(pair.ip_address))
    throw E.INVALID_INPUT({ problem: `'${pair.ip_address}' is not a valid IP address or subnet` });
  const mac = readMac(pair.mac_address ?? undefined);
  return mac === undefined
    ? { ip_address: pair.ip_address }
    : { ip_address: pair.ip_address, mac_address: mac };
}

function readMac(text: string | undefined): string | undefined {
  const mac = text === undefined ? undefined : parseMac(text);
  if (text !== undefined && mac === undefined)
    throw E.INVALID_INPUT({ problem: `'${text}' is not a valid MAC address` });
  return mac;
}

const addressWish = (wish: {
  subnet_id?: string | undefined;
  ip_address?: string | undefined;
}): AddressWish => ({ subnetId: wish.subnet_id, ipAddress: wish.ip_address });
