import type {
  AddFixedIpResponse,
  AddFloatingIpResponse,
  RemoveFixedIpResponse,
  RemoveFloatingIpResponse,
} from "../../../gen/kilonova/compat/v1/nova_addresses_service.js";
import {
  AddFixedIpRequest,
  AddFloatingIpRequest,
  RemoveFixedIpRequest,
  RemoveFloatingIpRequest,
} from "../../../gen/kilonova/compat/v1/nova_addresses_service.js";
import type { FloatingIpInfo } from "../../clients/neutron/ports.js";
import { KilonovaError, isRetryable, parseUuid } from "../../kernel/index.js";
import { canonicalIpOr } from "../../model/ip-address.js";
import type { LoadedServer } from "../cells/servers.js";
import { AddressErrors, InterfaceErrors } from "../errors.js";
import { portsOf } from "../interfaces/ports-of.js";
import { followPorts } from "../interfaces/refresh.js";
import { requireUsable, visibleNetworks } from "../interfaces/usable.js";
import type { Parts } from "../parts.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Call } from "../rights/rights.js";
import { id, ip } from "../shape/common.js";
import { given } from "../shape/shape.js";

/** What the Network service says of a subnet that has nothing left: another one may. */
const FULL: ReadonlySet<string> = new Set(["NO_MORE_FIXED_IPS", "INVALID_FIXED_IP"]);

/** Gives a server one more address. Nova tells failures to nobody, since it is done later there. */
export const addFixedIp = (parts: Parts): Guarded<AddFixedIpRequest, AddFixedIpResponse> =>
  guarded({ serverId: id, networkId: id }, parts.servers.about(), async (ctx, request, loaded) => {
    requireUnlocked(ctx, loaded);
    const server = loaded.server.id;
    const networkId = parseUuid(request.networkId);
    const [network] = networkId === undefined ? [] : await visibleNetworks(parts, ctx, [networkId]);
    const ports = (await portsOf(parts, ctx, loaded)).filter((port) => port.networkId === network?.id);
    if (network === undefined || network.subnetIds.length === 0 || ports.length === 0)
      throw AddressErrors.NETWORK_NOT_FOUND({ server });
    requireUsable(ctx, network, InterfaceErrors);
    for (const { id: portId, fixedIps } of ports)
      for (const subnetId of network.subnetIds)
        if (await hasRoom(parts.neutron.updatePort(ctx, portId, { fixedIps: [...fixedIps, { subnetId }] }))) {
          const body = AddFixedIpRequest.encode(request).finish();
          await followPorts(parts, ctx, server, { method: "AddFixedIp", body });
          return {};
        }
    throw AddressErrors.NO_MORE_FIXED_IPS({ network: network.id });
  });

async function hasRoom(change: Promise<unknown>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (error instanceof KilonovaError && FULL.has(error.reason)) return false;
    throw error;
  }
}

/** Takes an address from a server. */
export const removeFixedIp = (parts: Parts): Guarded<RemoveFixedIpRequest, RemoveFixedIpResponse> =>
  guarded({ serverId: id, address: given(ip) }, parts.servers.about(), async (ctx, request, loaded) => {
    requireUnlocked(ctx, loaded);
    const server = loaded.server.id;
    const address = canonicalIpOr(request.address);
    const port = (await portsOf(parts, ctx, loaded)).find(({ fixedIps }) =>
      fixedIps.some(({ ipAddress }) => ipAddress === address),
    );
    if (port === undefined) throw AddressErrors.FIXED_IP_NOT_FOUND({ server, address: request.address });
    const fixedIps = port.fixedIps.filter(({ ipAddress }) => ipAddress !== address);
    await parts.neutron.updatePort(ctx, port.id, { fixedIps });
    const body = RemoveFixedIpRequest.encode(request).finish();
    await followPorts(parts, ctx, server, { method: "RemoveFixedIp", body });
    return {};
  });

/** Leads a floating IP to a server. */
export const addFloatingIp = (parts: Parts): Guarded<AddFloatingIpRequest, AddFloatingIpResponse> =>
  guarded(
    { serverId: id, address: given(ip), fixedAddress: given(ip) },
    parts.servers.about(),
    async (ctx, request, loaded) => {
      const { portId, fixedAddress } = await fixedOf(parts, ctx, request, loaded);
      const server = loaded.server.id;
      const { address } = request;
      const refused = (error: string): Error =>
        AddressErrors.FLOATING_IP_NOT_ASSOCIATED({
          why: `Unable to associate floating IP ${address} to fixed IP ${fixedAddress} for instance ${server}. Error: ${error}`,
        });
      const [found, ...others] = await floatingIps(parts, ctx, address);
      if (found === undefined) throw AddressErrors.FLOATING_IP_NOT_FOUND({ why: "floating IP not found" });
      if (others.length > 0) throw refused(AddressErrors.FLOATING_IP_AMBIGUOUS({ address }).message);
      try {
        await parts.neutron.updateFloatingIp(ctx, found.id, { portId, fixedIpAddress: fixedAddress });
      } catch (error) {
        if (!(error instanceof KilonovaError) || isRetryable(error)) throw error;
        throw error.reason === "NETWORK_CONFLICT"
          ? AddressErrors.FLOATING_IP_NOT_ASSOCIATED({ why: error.message })
          : refused(error.message);
      }
      const body = AddFloatingIpRequest.encode(request).finish();
      await followPorts(parts, ctx, server, { method: "AddFloatingIp", body });
      return {};
    },
  );

/** The address to which it shall lead: the one that is asked for, else the first one of IPv4. */
async function fixedOf(
  parts: Parts,
  ctx: Call,
  { address, fixedAddress }: AddFloatingIpRequest,
  loaded: LoadedServer,
): Promise<{ readonly portId: string; readonly fixedAddress: string }> {
  const refused = (why: string): Error => AddressErrors.FLOATING_IP_NOT_ASSOCIATED({ why });
  const ports = await portsOf(parts, ctx, loaded);
  if (ports.length === 0) throw refused("Instance network is not ready yet");
  const fixed = ports.flatMap(({ id: portId, fixedIps }) =>
    fixedIps.map(({ ipAddress }) => ({ portId, fixedAddress: ipAddress })),
  );
  if (fixed.length === 0) throw refused("No fixed IPs associated to instance");
  const wanted = fixedAddress && canonicalIpOr(fixedAddress);
  const chosen = fixed.find((one) =>
    wanted === undefined ? !one.fixedAddress.includes(":") : one.fixedAddress === wanted,
  );
  if (chosen !== undefined) return chosen;
  throw refused(
    wanted === undefined
      ? `Unable to associate floating IP ${address} to any fixed IPs for instance ${loaded.server.id}. Instance has no fixed IPv4 addresses to associate.`
      : "Specified fixed address not assigned to instance",
  );
}

/** Has a floating IP of a server lead nowhere. */
export const removeFloatingIp = (parts: Parts): Guarded<RemoveFloatingIpRequest, RemoveFloatingIpResponse> =>
  guarded({ serverId: id, address: given(ip) }, parts.servers.about(), async (ctx, request, loaded) => {
    const server = loaded.server.id;
    const { address } = request;
    const [found, ...others] = await floatingIps(parts, ctx, address);
    if (found === undefined)
      throw AddressErrors.FLOATING_IP_NOT_FOUND({ why: `Floating IP not found for address ${address}.` });
    if (others.length > 0) throw AddressErrors.FLOATING_IP_AMBIGUOUS({ address });
    const ports = await portsOf(parts, ctx, loaded);
    if (!ports.some((port) => port.id === found.portId))
      throw AddressErrors.FLOATING_IP_NOT_OF_SERVER({ server, address });
    await parts.neutron.updateFloatingIp(ctx, found.id, undefined);
    const body = RemoveFloatingIpRequest.encode(request).finish();
    await followPorts(parts, ctx, server, { method: "RemoveFloatingIp", body });
    return {};
  });

/** Those of an address that the caller may use: his project's; administrators may use all. */
async function floatingIps(
  { neutron }: Pick<Parts, "neutron">,
  ctx: Call,
  address: string,
): Promise<readonly FloatingIpInfo[]> {
  const found = await neutron.listFloatingIps(ctx, { address: canonicalIpOr(address) });
  return found.filter(({ projectId }) => ctx.rights.isAdmin || projectId === ctx.actor.projectId);
}

function requireUnlocked(ctx: Call, { server }: LoadedServer): void {
  if (server.lock !== undefined && !ctx.rights.isAdmin)
    throw AddressErrors.INSTANCE_LOCKED({ server: server.id });
}
