import { z } from "zod";
import { parseIso } from "../../kernel/index.js";
import { NeutronErrors } from "./errors.js";
import type {
  CreatePort,
  FloatingIpInfo,
  NetworkInfo,
  PortBindingInfo,
  PortInfo,
  SecurityGroupInfo,
  SecurityGroupRuleInfo,
  SubnetInfo,
  UpdatePort,
} from "./ports.js";

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const optional = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined);
const number = z
  .number()
  .nullish()
  .transform((value) => value ?? undefined);
const bag = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((value) => value ?? {});
const tags = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);
const owner = { project_id: text, tenant_id: text };

const network = z
  .object({
    id: z.string(),
    name: text,
    ...owner,
    status: text,
    admin_state_up: z.boolean().default(true),
    shared: z.boolean().default(false),
    "router:external": z.boolean().nullish(),
    mtu: number,
    port_security_enabled: z.boolean().nullish(),
    subnets: z.array(z.string()).default([]),
    "provider:network_type": optional,
    "provider:physical_network": optional,
    "provider:segmentation_id": number,
    dns_domain: text,
    tags,
  })
  .transform((n): NetworkInfo => ({
    id: n.id,
    name: n.name,
    projectId: n.project_id || n.tenant_id,
    status: n.status,
    adminStateUp: n.admin_state_up,
    shared: n.shared,
    external: n["router:external"] ?? false,
    mtu: n.mtu ?? 1_500,
    portSecurityEnabled: n.port_security_enabled ?? true,
    subnetIds: n.subnets,
    networkType: n["provider:network_type"],
    physicalNetwork: n["provider:physical_network"],
    segmentationId: n["provider:segmentation_id"],
    dnsDomain: n.dns_domain,
    tags: n.tags,
  }));

const subnet = z
  .object({
    id: z.string(),
    name: text,
    network_id: z.string(),
    ...owner,
    ip_version: z.union([z.literal(4), z.literal(6)]),
    cidr: z.string(),
    gateway_ip: optional,
    enable_dhcp: z.boolean().default(true),
    dns_nameservers: z.array(z.string()).default([]),
    allocation_pools: z.array(z.object({ start: z.string(), end: z.string() })).default([]),
    host_routes: z.array(z.object({ destination: z.string(), nexthop: z.string() })).default([]),
    ipv6_address_mode: optional,
    ipv6_ra_mode: optional,
    segment_id: optional,
  })
  .transform((s): SubnetInfo => ({
    id: s.id,
    name: s.name,
    networkId: s.network_id,
    projectId: s.project_id || s.tenant_id,
    ipVersion: s.ip_version,
    cidr: s.cidr,
    gatewayIp: s.gateway_ip,
    enableDhcp: s.enable_dhcp,
    dnsNameservers: s.dns_nameservers,
    allocationPools: s.allocation_pools,
    hostRoutes: s.host_routes,
    ipv6AddressMode: s.ipv6_address_mode,
    ipv6RaMode: s.ipv6_ra_mode,
    segmentId: s.segment_id,
  }));

const port = z
  .object({
    id: z.string(),
    name: text,
    network_id: z.string(),
    ...owner,
    mac_address: text,
    admin_state_up: z.boolean().default(true),
    status: text,
    device_id: text,
    device_owner: text,
    fixed_ips: z.array(z.object({ subnet_id: z.string(), ip_address: z.string() })).default([]),
    security_groups: z.array(z.string()).nullish(),
    allowed_address_pairs: z.array(z.object({ ip_address: z.string(), mac_address: optional })).nullish(),
    port_security_enabled: z.boolean().nullish(),
    "binding:vnic_type": text,
    "binding:host_id": text,
    "binding:vif_type": text,
    "binding:vif_details": bag,
    "binding:profile": bag,
    dns_name: text,
    ip_allocation: text,
    resource_request: z.record(z.string(), z.unknown()).nullish(),
    tags,
    created_at: optional,
  })
  .transform((p): PortInfo => ({
    id: p.id,
    name: p.name,
    networkId: p.network_id,
    projectId: p.project_id || p.tenant_id,
    macAddress: p.mac_address,
    adminStateUp: p.admin_state_up,
    status: p.status,
    deviceId: p.device_id,
    deviceOwner: p.device_owner,
    fixedIps: p.fixed_ips.map((ip) => ({ subnetId: ip.subnet_id, ipAddress: ip.ip_address })),
    securityGroupIds: p.security_groups ?? [],
    allowedAddressPairs: (p.allowed_address_pairs ?? []).map((pair) => ({
      ipAddress: pair.ip_address,
      macAddress: pair.mac_address,
    })),
    portSecurityEnabled: p.port_security_enabled ?? true,
    vnicType: p["binding:vnic_type"] || "normal",
    bindingHostId: p["binding:host_id"],
    vifType: p["binding:vif_type"],
    vifDetails: p["binding:vif_details"],
    bindingProfile: p["binding:profile"],
    dnsName: p.dns_name,
    ipAllocation: p.ip_allocation || "immediate",
    resourceRequest: p.resource_request ?? undefined,
    tags: p.tags,
    createdAt: p.created_at === undefined ? undefined : parseIso(p.created_at),
  }));

const rule = z
  .object({
    id: z.string(),
    security_group_id: z.string(),
    direction: z.enum(["ingress", "egress"]),
    ethertype: z.enum(["IPv4", "IPv6"]),
    protocol: z.union([z.string(), z.number()]).nullish(),
    port_range_min: number,
    port_range_max: number,
    remote_ip_prefix: optional,
    remote_group_id: optional,
    remote_address_group_id: optional,
    description: text,
  })
  .transform((r): SecurityGroupRuleInfo => ({
    id: r.id,
    securityGroupId: r.security_group_id,
    direction: r.direction,
    ethertype: r.ethertype,
    protocol: r.protocol === null || r.protocol === undefined ? undefined : String(r.protocol),
    portRangeMin: r.port_range_min,
    portRangeMax: r.port_range_max,
    remoteIpPrefix: r.remote_ip_prefix,
    remoteGroupId: r.remote_group_id,
    ...(r.remote_address_group_id === undefined ? {} : { remoteAddressGroupId: r.remote_address_group_id }),
    description: r.description,
  }));

const securityGroup = z
  .object({
    id: z.string(),
    name: text,
    ...owner,
    description: text,
    security_group_rules: z.array(rule).default([]),
  })
  .transform((g): SecurityGroupInfo => ({
    id: g.id,
    name: g.name,
    projectId: g.project_id || g.tenant_id,
    description: g.description,
    rules: g.security_group_rules,
  }));

const floatingIp = z
  .object({
    id: z.string(),
    project_id: text,
    tenant_id: text,
    floating_ip_address: z.string(),
    fixed_ip_address: optional,
    port_id: optional,
    status: text,
  })
  .transform((f): FloatingIpInfo => ({
    id: f.id,
    projectId: f.project_id || f.tenant_id,
    floatingIpAddress: f.floating_ip_address,
    fixedIpAddress: f.fixed_ip_address,
    portId: f.port_id,
    status: f.status,
  }));

const binding = z
  .object({
    host: z.string(),
    status: z.enum(["ACTIVE", "INACTIVE"]),
    vif_type: text,
    vif_details: bag,
    vnic_type: text,
    profile: bag,
  })
  .transform((b): PortBindingInfo => ({
    host: b.host,
    status: b.status,
    vifType: b.vif_type,
    vifDetails: b.vif_details,
    vnicType: b.vnic_type,
    profile: b.profile,
  }));

const extension = z.object({ alias: z.string() });
const changes = z.object({ mark: z.string() });
/** Without the extension that has a resource, there is no limit of it either. */
const limit = z.number().default(-1);
const quota = z.looseObject({
  port: z.number(),
  network: z.number(),
  floatingip: limit,
  security_group: limit,
  security_group_rule: limit,
});

/** How each kind of thing is read from JSON. */
export const shapes = {
  network,
  subnet,
  port,
  securityGroup,
  floatingIp,
  binding,
  extension,
  quota,
  changes,
};

/** Reads `{"<name>": …}`. @throws UNEXPECTED_ANSWER */
export function readOne<S extends z.ZodType>(json: unknown, name: string, shape: S): z.output<S> {
  return read(read(json, body)[name], shape);
}

/** Reads `{"<name>": [ … ]}`. @throws UNEXPECTED_ANSWER */
export function readMany<S extends z.ZodType>(json: unknown, name: string, shape: S): z.output<S>[] {
  return readOne(json, name, list).map((one) => read(one, shape));
}

// Shapes are made once: making one takes many times what checking it does.
const body = z.record(z.string(), z.unknown());
const list = z.array(z.unknown());

function read<S extends z.ZodType>(json: unknown, shape: S): z.output<S> {
  const parsed = shape.safeParse(json);
  if (!parsed.success) throw NeutronErrors.UNEXPECTED_ANSWER({}, { cause: parsed.error });
  return parsed.data;
}

/** The body of a new port. */
export const createPortJson = (wish: CreatePort): unknown => ({
  port: defined({
    name: wish.name,
    network_id: wish.networkId,
    tenant_id: wish.projectId,
    device_id: wish.deviceId,
    device_owner: wish.deviceOwner,
    admin_state_up: true,
    mac_address: wish.macAddress,
    fixed_ips: wish.fixedIps?.map(fixedIpJson),
    security_groups: wish.securityGroupIds,
    "binding:host_id": wish.bindingHostId,
    "binding:profile": wish.bindingProfile,
    "binding:vnic_type": wish.vnicType,
    dns_name: wish.dnsName,
    description: wish.description,
  }),
});

/** The body of a port's update. */
export const updatePortJson = (change: UpdatePort): unknown => ({
  port: defined({
    name: change.name,
    device_id: change.deviceId,
    device_owner: change.deviceOwner,
    admin_state_up: change.adminStateUp,
    mac_address: change.macAddress,
    fixed_ips: change.fixedIps?.map(fixedIpJson),
    security_groups: change.securityGroupIds,
    "binding:host_id": change.bindingHostId === "" ? null : change.bindingHostId,
    "binding:profile": change.bindingProfile,
    "binding:vnic_type": change.vnicType,
    dns_name: change.dnsName,
  }),
});

const fixedIpJson = (ip: { readonly subnetId?: string; readonly ipAddress?: string }): unknown =>
  defined({ subnet_id: ip.subnetId, ip_address: ip.ipAddress });

const defined = (values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
