import { isoSeconds, merged } from "../../../kernel/index.js";
import type {
  FloatingIp,
  InactiveBinding,
  Network,
  Port,
  Router,
  SecurityGroup,
  SecurityGroupRule,
  Standard,
  Subnet,
} from "./model.js";

type Json = Readonly<Record<string, unknown>>;

const standard = (item: Standard): Json => ({
  id: item.id,
  name: item.name,
  description: item.description,
  tenant_id: item.projectId,
  project_id: item.projectId,
  tags: item.tags,
  revision_number: item.revision,
  created_at: isoSeconds(item.createdAt),
  updated_at: isoSeconds(item.updatedAt),
});

/** @param trusted  whether to show what only administrators and services may see */
export const networkJson = (network: Network, trusted: boolean): Json =>
  merged(
    merged(standard(network), {
      status: "ACTIVE",
      admin_state_up: network.adminStateUp,
      shared: network.shared,
      "router:external": network.external,
      is_default: network.isDefault,
      subnets: network.subnetIds,
      mtu: network.mtu,
      port_security_enabled: network.portSecurityEnabled,
      dns_domain: network.dnsDomain,
      availability_zone_hints: [],
      availability_zones: [],
      ipv4_address_scope: null,
      ipv6_address_scope: null,
    }),
    trusted
      ? {
          "provider:network_type": network.networkType,
          "provider:physical_network": network.physicalNetwork,
          "provider:segmentation_id": network.segmentationId,
        }
      : {},
  );

export const subnetJson = (subnet: Subnet): Json =>
  merged(standard(subnet), {
    network_id: subnet.networkId,
    ip_version: subnet.ipVersion,
    cidr: subnet.cidr,
    gateway_ip: subnet.gatewayIp,
    enable_dhcp: subnet.enableDhcp,
    dns_nameservers: subnet.dnsNameservers,
    allocation_pools: subnet.allocationPools,
    host_routes: subnet.hostRoutes,
    ipv6_ra_mode: subnet.ipv6RaMode,
    ipv6_address_mode: subnet.ipv6AddressMode,
    subnetpool_id: null,
    segment_id: null,
    service_types: [],
  });

/** How ports are plugged here: through the agent's own switch, by VNI. */
const VIF_TYPE = "kilonova";
const vifDetails = { port_filter: true, connectivity: "l2" } as const;

export const portJson = (port: Port, trusted: boolean): Json =>
  merged(
    merged(standard(port), {
      network_id: port.networkId,
      mac_address: port.macAddress,
      admin_state_up: port.adminStateUp,
      status: port.status,
      device_id: port.deviceId,
      device_owner: port.deviceOwner,
      port_security_enabled: port.portSecurityEnabled,
      fixed_ips: port.fixedIps.map((ip) => ({ subnet_id: ip.subnetId, ip_address: ip.ipAddress })),
      security_groups: port.securityGroupIds,
      allowed_address_pairs: port.allowedAddressPairs.map((pair) => ({
        mac_address: port.macAddress,
        ...pair,
      })),
      extra_dhcp_opts: port.extraDhcpOpts,
      dns_name: port.dnsName,
      dns_assignment: port.fixedIps.map((ip) => dnsAssignment(port.dnsName, ip.ipAddress)),
      ip_allocation: "immediate",
      propagate_uplink_status: true,
      "binding:vnic_type": port.vnicType,
    }),
    trusted
      ? {
          "binding:host_id": port.hostId,
          "binding:profile": port.bindingProfile,
          "binding:vif_type": port.hostId === "" ? "unbound" : VIF_TYPE,
          "binding:vif_details": port.hostId === "" ? {} : vifDetails,
        }
      : {},
  );

function dnsAssignment(name: string, ip: string): Json {
  const hostname = name === "" ? `host-${ip.replaceAll(/[.:]/g, "-")}` : name;
  return { ip_address: ip, hostname, fqdn: `${hostname}.openstacklocal.` };
}

/** The active binding of a port, or one to a further host. */
export const bindingJson = (binding: InactiveBinding, active: boolean): Json => ({
  host: binding.host,
  vnic_type: binding.vnicType,
  profile: binding.profile,
  status: active ? "ACTIVE" : "INACTIVE",
  vif_type: VIF_TYPE,
  vif_details: vifDetails,
});

export const groupJson = (group: SecurityGroup): Json =>
  merged(standard(group), {
    stateful: true,
    shared: false,
    security_group_rules: group.rules.map(ruleJson),
  });

export const ruleJson = (rule: SecurityGroupRule): Json => ({
  id: rule.id,
  security_group_id: rule.securityGroupId,
  tenant_id: rule.projectId,
  project_id: rule.projectId,
  description: rule.description,
  direction: rule.direction,
  ethertype: rule.ethertype,
  protocol: rule.protocol,
  port_range_min: rule.portRangeMin,
  port_range_max: rule.portRangeMax,
  remote_ip_prefix: rule.remoteIpPrefix,
  remote_group_id: rule.remoteGroupId,
  remote_address_group_id: null,
  normalized_cidr: rule.remoteIpPrefix,
  created_at: isoSeconds(rule.createdAt),
  updated_at: isoSeconds(rule.createdAt),
  revision_number: 0,
  tags: [],
});

export const routerJson = (router: Router): Json =>
  merged(standard(router), {
    status: "ACTIVE",
    admin_state_up: router.adminStateUp,
    routes: router.routes,
    availability_zone_hints: [],
    availability_zones: [],
    distributed: false,
    ha: false,
    flavor_id: null,
    external_gateway_info:
      router.gateway === null
        ? null
        : {
            network_id: router.gateway.networkId,
            enable_snat: router.gateway.enableSnat,
            external_fixed_ips: router.gateway.fixedIps.map((ip) => ({
              subnet_id: ip.subnetId,
              ip_address: ip.ipAddress,
            })),
          },
  });

export function floatingIpJson(ip: FloatingIp): Json {
  const { name: _name, ...rest } = standard(ip);
  return {
    ...rest,
    floating_network_id: ip.networkId,
    floating_ip_address: ip.ipAddress,
    port_id: ip.portId,
    fixed_ip_address: ip.fixedIpAddress,
    router_id: ip.routerId,
    status: ip.portId === null ? "DOWN" : "ACTIVE",
    dns_domain: "",
    dns_name: "",
    qos_policy_id: null,
    port_forwardings: [],
    port_details:
      ip.portDetails === null
        ? null
        : {
            name: ip.portDetails.name,
            network_id: ip.portDetails.networkId,
            mac_address: ip.portDetails.macAddress,
            admin_state_up: ip.portDetails.adminStateUp,
            status: ip.portDetails.status,
            device_id: ip.portDetails.deviceId,
            device_owner: ip.portDetails.deviceOwner,
          },
  };
}
