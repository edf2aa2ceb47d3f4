import type { Actor } from "../../../kernel/index.js";
import { E } from "../errors.js";
import type { Network } from "./model.js";
import { isTrusted } from "./policy.js";

/** The fields of a port that take a right of their own; absent ones ask for nothing. */
export interface PortFields {
  readonly device_owner?: string | undefined;
  readonly mac_address?: string | undefined;
  readonly fixed_ips?:
    | readonly { readonly subnet_id?: string | undefined; readonly ip_address?: string | undefined }[]
    | undefined;
  readonly port_security_enabled?: boolean | undefined;
  readonly allowed_address_pairs?: readonly unknown[] | null | undefined;
  readonly "binding:host_id"?: string | null | undefined;
  readonly "binding:profile"?: object | null | undefined;
}

/** `network`: of the network's owner; `manager`: of a manager of it; `shared`: also on shared networks. */
type Right = "trusted" | "manager" | "network" | "shared";

interface Rule {
  readonly field: string;
  readonly asked: (fields: PortFields) => boolean;
  readonly create: Right;
  readonly update: Right;
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/** @source neutron, default rules create_port:* and update_port:* */
const RULES: readonly Rule[] = [
  {
    field: "binding:host_id",
    asked: (port) => port["binding:host_id"] !== undefined,
    create: "trusted",
    update: "trusted",
  },
  {
    field: "binding:profile",
    asked: (port) => isGiven(port["binding:profile"]),
    create: "trusted",
    update: "trusted",
  },
  {
    field: "device_owner",
    asked: (port) => port.device_owner?.startsWith("network:") === true,
    create: "network",
    update: "network",
  },
  {
    field: "mac_address",
    asked: (port) => port.mac_address !== undefined,
    create: "network",
    update: "manager",
  },
  {
    field: "fixed_ips",
    asked: (port) => port.fixed_ips !== undefined,
    create: "shared",
    update: "network",
  },
  {
    field: "fixed_ips:ip_address",
    asked: (port) => port.fixed_ips?.some((one) => one.ip_address !== undefined) === true,
    create: "network",
    update: "network",
  },
  {
    field: "port_security_enabled",
    asked: (port) => port.port_security_enabled !== undefined,
    create: "network",
    update: "network",
  },
  {
    field: "allowed_address_pairs",
    asked: (port) => (port.allowed_address_pairs?.length ?? 0) > 0,
    create: "network",
    update: "network",
  },
];

/**
 * Whoever makes or changes a port may do so; what it may say about the port is decided here: on somebody
 * else's network nobody chooses addresses, hardware or exceptions from the network's rules.
 * @throws POLICY_NOT_AUTHORIZED
 */
export function demandPortFields(
  actor: Actor,
  network: Pick<Network, "projectId" | "shared">,
  fields: PortFields,
  action: "create" | "update",
): void {
  if (isTrusted(actor)) return;
  const owner = network.projectId === actor.projectId && actor.roles.includes("member");
  const rights: Readonly<Record<Right, boolean>> = {
    trusted: false,
    manager: owner && actor.roles.includes("manager"),
    network: owner,
    shared: owner || network.shared,
  };
  for (const rule of RULES)
    if (rule.asked(fields) && !rights[rule[action]])
      throw E.POLICY_NOT_AUTHORIZED({ action: `${action}_port:${rule.field}` });
}
