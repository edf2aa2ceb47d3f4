import type { NetworkInfo, PortInfo } from "../../clients/neutron/ports.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";
import { ifFound } from "./ports-of.js";

/*
 * What a caller may use of the Network service. Ports are made with the service's rights later, so what
 * Network would ask the caller is asked here.
 */

/** How a request refuses; each has its own fields and kinds. */
export interface Refusals {
  NETWORK_WITHOUT_SUBNET(facts: { readonly network: string }): Error;
  EXTERNAL_NETWORK(facts: { readonly network: string }): Error;
  FIXED_IP_FORBIDDEN(facts: { readonly network: string }): Error;
  PORT_NOT_FOUND(facts: { readonly port: string }): Error;
  PORT_WITHOUT_ADDRESS(facts: { readonly port: string }): Error;
}

type WithNeutron = Pick<Parts, "neutron">;

/** Those of some networks that the caller may see. */
export async function visibleNetworks(
  { neutron }: WithNeutron,
  ctx: Call,
  ids: readonly string[],
): Promise<readonly NetworkInfo[]> {
  const found = await neutron.listNetworks(ctx, { ids });
  return found.filter(
    (network) =>
      ctx.rights.isAdmin || network.projectId === ctx.actor.projectId || network.shared || network.external,
  );
}

/** A project's own networks, and those that all share. */
export async function networksOfProject(
  { neutron }: WithNeutron,
  ctx: Call,
  projectId: string,
): Promise<readonly NetworkInfo[]> {
  const [own, shared] = await Promise.all([
    neutron.listNetworks(ctx, { projectId, shared: false }),
    neutron.listNetworks(ctx, { shared: true }),
  ]);
  return [...new Map([...own, ...shared].map((network) => [network.id, network])).values()];
}

/** @throws NETWORK_WITHOUT_SUBNET, EXTERNAL_NETWORK */
export function requireUsable(ctx: Call, network: NetworkInfo, refusals: Refusals): void {
  if (network.subnetIds.length === 0) throw refusals.NETWORK_WITHOUT_SUBNET({ network: network.id });
  const foreign = network.external && !network.shared;
  if (foreign && !ctx.rights.allows("network:attach_external_network"))
    throw refusals.EXTERNAL_NETWORK({ network: network.id });
}

/**
 * On somebody else's network nobody chooses an address, its gateway's least of all.
 * @throws FIXED_IP_FORBIDDEN
 * @source neutron, default rule create_port:fixed_ips:ip_address
 */
export function requireChoice(
  ctx: Call,
  { id, projectId }: { readonly id: string; readonly projectId: string | undefined },
  refusals: Refusals,
): void {
  if (!ctx.rights.isAdmin && projectId !== ctx.actor.projectId)
    throw refusals.FIXED_IP_FORBIDDEN({ network: id });
}

/** A port that the caller may see. @throws PORT_NOT_FOUND */
export async function visiblePort(
  { neutron }: WithNeutron,
  ctx: Call,
  portId: string,
  refusals: Refusals,
): Promise<PortInfo> {
  const port = await ifFound(neutron.getPort(ctx, portId));
  if (port === undefined || (port.projectId !== ctx.actor.projectId && !ctx.rights.isAdmin))
    throw refusals.PORT_NOT_FOUND({ port: portId });
  return port;
}

/** @throws PORT_WITHOUT_ADDRESS */
export function requireAddressed({ id, fixedIps, ipAllocation }: PortInfo, refusals: Refusals): void {
  if (fixedIps.length === 0 && ipAllocation !== "deferred") throw refusals.PORT_WITHOUT_ADDRESS({ port: id });
}
