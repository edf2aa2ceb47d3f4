import { defineErrors } from "../../kernel/index.js";

/**
 * Every refusal of the Network service. The reason in camel case is the `type` that clients read
 * (`PORT_NOT_FOUND` → `PortNotFound`).
 */
export const E = defineErrors("network", {
  NETWORK_NOT_FOUND: ["missing", (p: { id: string }) => `Network ${p.id} could not be found.`],
  SUBNET_NOT_FOUND: ["missing", (p: { id: string }) => `Subnet ${p.id} could not be found.`],
  PORT_NOT_FOUND: ["missing", (p: { id: string }) => `Port ${p.id} could not be found.`],
  PORT_BINDING_NOT_FOUND: [
    "missing",
    (p: { id: string; host: string }) => `Binding for port ${p.id} for host ${p.host} could not be found.`,
  ],
  SECURITY_GROUP_NOT_FOUND: ["missing", (p: { id: string }) => `Security group ${p.id} does not exist`],
  SECURITY_GROUP_RULE_NOT_FOUND: [
    "missing",
    (p: { id: string }) => `Security group rule ${p.id} does not exist`,
  ],
  ROUTER_NOT_FOUND: ["missing", (p: { id: string }) => `Router ${p.id} could not be found`],
  FLOATING_IP_NOT_FOUND: ["missing", (p: { id: string }) => `Floating IP ${p.id} could not be found`],
  EXTENSION_NOT_FOUND: ["missing", (p: { id: string }) => `Extension with alias ${p.id} does not exist`],
  TAG_NOT_FOUND: ["missing", (p: { tag: string }) => `Tag ${p.tag} could not be found.`],
  EXTERNAL_GATEWAY_FOR_FLOATING_IP_NOT_FOUND: [
    "missing",
    (p: { subnet: string; network: string; port: string }) =>
      `External network ${p.network} is not reachable from subnet ${p.subnet}.  Therefore, cannot associate Port ${p.port} with a Floating IP.`,
  ],

  NETWORK_IN_USE: [
    "refused",
    (p: { id: string }) =>
      `Unable to complete operation on network ${p.id}. There are one or more ports still in use on the network.`,
  ],
  INVALID_SHARED_SETTING: [
    "refused",
    (p: { network: string }) =>
      `Unable to reconfigure sharing settings for network ${p.network}. Multiple tenants are using it.`,
  ],
  EXTERNAL_NETWORK_IN_USE: [
    "refused",
    (p: { id: string }) =>
      `External network ${p.id} cannot be updated to be made non-external, since it has existing gateway ports.`,
  ],
  DEFAULT_EXTERNAL_NETWORK_EXISTS: [
    "refused",
    (p: { id: string }) => `A default external network already exists: ${p.id}.`,
  ],
  SUBNET_IN_USE: [
    "refused",
    (p: { id: string }) =>
      `Unable to complete operation on subnet ${p.id}: One or more ports have an IP allocation from this subnet.`,
  ],
  SERVICE_PORT_IN_USE: [
    "refused",
    (p: { id: string; owner: string }) =>
      `Port ${p.id} cannot be deleted directly via the port API: has device owner ${p.owner}.`,
  ],
  PORT_IN_USE: [
    "refused",
    (p: { network: string; port: string; device: string }) =>
      `Unable to complete operation on port ${p.port} for network ${p.network}. Port already has an attached device ${p.device}.`,
  ],
  PORT_SECURITY_PORT_HAS_SECURITY_GROUP: [
    "refused",
    (_p: Record<string, never>) =>
      "Port has security group associated. Cannot disable port security or ip address until security group is removed.",
  ],
  ADDRESS_PAIR_AND_PORT_SECURITY_REQUIRED: [
    "refused",
    (_p: Record<string, never>) =>
      "Port Security must be enabled in order to have allowed address pairs on a port.",
  ],
  PORT_BOUND: ["refused", (p: { id: string }) => `Port ${p.id} is bound; its MAC address cannot be changed.`],
  PORT_BINDING_ALREADY_EXISTS: [
    "exists",
    (p: { id: string; host: string }) => `Binding for port ${p.id} on host ${p.host} already exists.`,
  ],
  PORT_BINDING_ALREADY_ACTIVE: [
    "refused",
    (p: { id: string; host: string }) => `Binding for port ${p.id} on host ${p.host} is already active.`,
  ],
  SECURITY_GROUP_IN_USE: ["refused", (p: { id: string }) => `Security Group ${p.id} in use.`],
  SECURITY_GROUP_CANNOT_REMOVE_DEFAULT: [
    "refused",
    (_p: Record<string, never>) => "Insufficient rights for removing default security group.",
  ],
  SECURITY_GROUP_CANNOT_UPDATE_DEFAULT: [
    "refused",
    (_p: Record<string, never>) => "Updating default security group not allowed.",
  ],
  SECURITY_GROUP_DEFAULT_ALREADY_EXISTS: [
    "exists",
    (_p: Record<string, never>) => "Default security group already exists.",
  ],
  SECURITY_GROUP_RULE_EXISTS: [
    "exists",
    (p: { id: string }) => `Security group rule already exists. Rule id is ${p.id}.`,
  ],
  IP_ADDRESS_ALREADY_ALLOCATED: [
    "refused",
    (p: { ip: string; subnet: string }) => `IP address ${p.ip} already allocated in subnet ${p.subnet}`,
  ],
  IP_ADDRESS_GENERATION_FAILURE: [
    "refused",
    (p: { network: string }) => `No more IP addresses available on network ${p.network}.`,
  ],
  EXTERNAL_IP_ADDRESS_EXHAUSTED: [
    "refused",
    (p: { network: string }) => `Unable to find any IP address on external network ${p.network}.`,
  ],
  MAC_ADDRESS_IN_USE: [
    "refused",
    (p: { network: string; mac: string }) =>
      `Unable to complete operation for network ${p.network}. The mac address ${p.mac} is in use.`,
  ],
  VNI_IN_USE: [
    "refused",
    (p: { segment: string }) => `Unable to create the network. The segment ${p.segment} is in use.`,
  ],
  NO_NETWORK_AVAILABLE: [
    "unavailable",
    (_p: Record<string, never>) =>
      "Unable to create the network. No tenant network is available for allocation.",
  ],
  GATEWAY_CONFLICT_WITH_ALLOCATION_POOLS: [
    "refused",
    (p: { ip: string }) => `Gateway ip ${p.ip} conflicts with an allocation pool.`,
  ],
  GATEWAY_IP_IN_USE: [
    "refused",
    (p: { ip: string; port: string }) =>
      `Current gateway ip ${p.ip} already in use by port ${p.port}. Unable to update.`,
  ],
  ROUTER_IN_USE: ["refused", (p: { id: string }) => `Router ${p.id} still has ports`],
  ROUTER_EXTERNAL_GATEWAY_IN_USE_BY_FLOATING_IP: [
    "refused",
    (p: { id: string; network: string }) =>
      `Gateway cannot be updated for router ${p.id}, since a gateway to external network ${p.network} is required by one or more floating IPs.`,
  ],
  ROUTER_INTERFACE_IN_USE_BY_FLOATING_IP: [
    "refused",
    (p: { id: string }) =>
      `Router interface for router ${p.id} cannot be deleted, as it is required by one or more floating IPs.`,
  ],
  ROUTER_INTERFACE_IN_USE_BY_ROUTE: [
    "refused",
    (p: { id: string; subnet: string }) =>
      `Router interface for subnet ${p.subnet} on router ${p.id} cannot be deleted, as it is required by one or more routes.`,
  ],
  ROUTER_INTERFACE_NOT_FOUND: [
    "missing",
    (p: { id: string }) => `Router ${p.id} does not have an interface with the given id`,
  ],
  FLOATING_IP_PORT_ALREADY_ASSOCIATED: [
    "refused",
    (p: { id: string; ip: string }) =>
      `Cannot associate floating IP: the address ${p.ip} of port ${p.id} already has one.`,
  ],
  /** Neutron says 409 here; see `statusOf`. */
  OVER_QUOTA: ["quota", (p: { resource: string }) => `Quota exceeded for resources: ['${p.resource}'].`],

  INVALID_QUOTA_VALUE: [
    "refused",
    (p: { resources: readonly string[] }) =>
      `Change would make usage less than 0 for the following resources: ${p.resources.join(", ")}.`,
  ],
  INVALID_ROUTES: ["invalid", (p: { problem: string }) => `Invalid format for routes: ${p.problem}`],
  DUPLICATE_ADDRESS_PAIR_IN_REQUEST: [
    "invalid",
    (p: { mac: string; ip: string }) =>
      `Request contains duplicate address pair: mac_address ${p.mac} ip_address ${p.ip}.`,
  ],
  PORT_SECURITY_AND_IP_REQUIRED_FOR_SECURITY_GROUPS: [
    "invalid",
    (_p: Record<string, never>) =>
      "Port security must be enabled and port must have an IP address in order to use security groups.",
  ],
  INVALID_IP_FOR_NETWORK: [
    "invalid",
    (p: { ip: string }) =>
      `IP address ${p.ip} is not a valid IP for any of the subnets on the specified network.`,
  ],
  INVALID_IP_FOR_SUBNET: [
    "invalid",
    (p: { ip: string }) => `IP address ${p.ip} is not a valid IP for the specified subnet.`,
  ],
  ALLOCATION_ON_AUTO_ADDRESS_SUBNET: [
    "invalid",
    (p: { ip: string; subnet: string }) =>
      `IPv6 address ${p.ip} cannot be given to a port of subnet ${p.subnet}: its ports make their addresses themselves.`,
  ],
  INVALID_INPUT: ["invalid", (p: { problem: string }) => `Invalid input for operation: ${p.problem}.`],
  BAD_REQUEST: [
    "invalid",
    (p: { resource: string; problem: string }) => `Bad ${p.resource} request: ${p.problem}.`,
  ],
  SECURITY_GROUP_RULE_INVALID: ["invalid", (p: { problem: string }) => p.problem],
  DEVICE_ID_NOT_OWNED_BY_TENANT: [
    "conflict",
    (p: { device: string }) => `The device ${p.device} belongs to another project.`,
  ],
  POLICY_NOT_AUTHORIZED: [
    "forbidden",
    (p: { action: string }) => `(rule:${p.action}) is disallowed by policy`,
  ],
});

/** Where Neutron's status differs from the usual one of the kind. */
export const statusOf = { OVER_QUOTA: 409 } as const;
