import type { Instant } from "../../../../kernel/index.js";
import type {
  AddressPair,
  AddressPool,
  DhcpOption,
  HostRoute,
  Port,
  SecurityGroupRule,
} from "../../domain/model.js";

/** Columns that all resources have. */
export interface StandardColumns {
  id: string;
  name: string;
  description: string;
  project_id: string;
  tags: string[];
  revision: number;
  created_at: Instant;
  updated_at: Instant;
}
type Json = Readonly<Record<string, unknown>>;

/** Rows of the Network tables (migrations/0003-network.ts). */
export interface NetworkTables {
  network_network: StandardColumns & {
    admin_state_up: boolean;
    shared: boolean;
    external: boolean;
    is_default: boolean;
    mtu: number;
    port_security_enabled: boolean;
    dns_domain: string;
    network_type: string;
    physical_network: string | null;
    segmentation_id: number | null;
  };
  network_subnet: StandardColumns & {
    network_id: string;
    ip_version: 4 | 6;
    cidr: string;
    gateway_ip: string | null;
    enable_dhcp: boolean;
    dns_nameservers: string[];
    allocation_pools: readonly AddressPool[];
    host_routes: readonly HostRoute[];
    ipv6_ra_mode: string | null;
    ipv6_address_mode: string | null;
  };
  network_port: StandardColumns & {
    network_id: string;
    mac_address: string;
    admin_state_up: boolean;
    status: Port["status"];
    device_id: string;
    device_owner: string;
    port_security_enabled: boolean;
    allowed_address_pairs: readonly AddressPair[];
    extra_dhcp_opts: readonly DhcpOption[];
    dns_name: string;
    host_id: string;
    vnic_type: string;
    binding_profile: Json;
  };
  network_fixed_ip: { subnet_id: string; ip_address: string; port_id: string; position: number };
  network_port_binding: { port_id: string; host: string; vnic_type: string; profile: Json };
  network_security_group: StandardColumns & { default_of: string | null };
  network_security_group_rule: {
    id: string;
    project_id: string;
    description: string;
    security_group_id: string;
    direction: SecurityGroupRule["direction"];
    ethertype: SecurityGroupRule["ethertype"];
    protocol: string | null;
    port_range_min: number | null;
    port_range_max: number | null;
    remote_ip_prefix: string | null;
    remote_group_id: string | null;
    identity: string;
    created_at: Instant;
  };
  network_port_security_group: { port_id: string; security_group_id: string };
  network_router: StandardColumns & {
    admin_state_up: boolean;
    routes: readonly HostRoute[];
    gateway_network_id: string | null;
    gateway_port_id: string | null;
    enable_snat: boolean;
  };
  network_floating_ip: Omit<StandardColumns, "name"> & {
    network_id: string;
    ip_address: string;
    own_port_id: string;
    port_id: string | null;
    fixed_ip_address: string | null;
    router_id: string | null;
  };
  network_quota: { project_id: string; resource: string; quota: number };
}
