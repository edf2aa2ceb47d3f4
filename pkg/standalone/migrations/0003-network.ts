import type { Migration } from "../../platform/db/index.js";

/**
 * Networks, subnets, ports with their addresses and bindings, security groups, routers, floating IPs, quotas.
 * Uniqueness of MAC addresses, IP addresses, VNIs and default groups is the database's, not the code's.
 */
export const network: Migration = {
  name: "0003-network",
  statements: [
    `CREATE TABLE network_network (
    id text PRIMARY KEY, name text NOT NULL, project_id text NOT NULL, description text NOT NULL,
    admin_state_up boolean NOT NULL, shared boolean NOT NULL, external boolean NOT NULL, is_default boolean NOT NULL,
    mtu int8 NOT NULL, port_security_enabled boolean NOT NULL, dns_domain text NOT NULL,
    network_type text NOT NULL, physical_network text, segmentation_id int8, tags text[] NOT NULL,
    revision int8 NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL)`,
    `CREATE UNIQUE INDEX network_network_segment ON network_network (network_type, segmentation_id)`,
    `CREATE INDEX network_network_project ON network_network (project_id)`,
    `CREATE TABLE network_subnet (
    id text PRIMARY KEY, name text NOT NULL, description text NOT NULL, project_id text NOT NULL,
    network_id text NOT NULL CONSTRAINT network_subnet_network REFERENCES network_network (id) ON DELETE CASCADE,
    ip_version int8 NOT NULL CONSTRAINT network_subnet_version CHECK (ip_version IN (4, 6)), cidr text NOT NULL, gateway_ip text,
    enable_dhcp boolean NOT NULL, dns_nameservers text[] NOT NULL, allocation_pools jsonb NOT NULL, host_routes jsonb NOT NULL,
    ipv6_ra_mode text, ipv6_address_mode text, tags text[] NOT NULL,
    revision int8 NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL)`,
    `CREATE INDEX network_subnet_network_id ON network_subnet (network_id)`,
    `CREATE TABLE network_port (
    id text PRIMARY KEY, name text NOT NULL, description text NOT NULL, project_id text NOT NULL,
    network_id text NOT NULL CONSTRAINT network_port_network REFERENCES network_network (id),
    mac_address text NOT NULL, admin_state_up boolean NOT NULL,
    status text NOT NULL CONSTRAINT network_port_status CHECK (status IN ('DOWN', 'ACTIVE', 'BUILD', 'ERROR')),
    device_id text NOT NULL, device_owner text NOT NULL, port_security_enabled boolean NOT NULL,
    allowed_address_pairs jsonb NOT NULL, extra_dhcp_opts jsonb NOT NULL, dns_name text NOT NULL, tags text[] NOT NULL,
    host_id text NOT NULL, vnic_type text NOT NULL, binding_profile jsonb NOT NULL,
    revision int8 NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
    CONSTRAINT network_port_mac UNIQUE (network_id, mac_address))`,
    `CREATE INDEX network_port_device ON network_port (device_id)`,
    `CREATE INDEX network_port_project ON network_port (project_id)`,
    `CREATE TABLE network_fixed_ip (
    subnet_id text NOT NULL CONSTRAINT network_fixed_ip_subnet REFERENCES network_subnet (id), ip_address text NOT NULL,
    port_id text NOT NULL REFERENCES network_port (id) ON DELETE CASCADE, position int8 NOT NULL,
    CONSTRAINT network_fixed_ip_pkey PRIMARY KEY (subnet_id, ip_address))`,
    `CREATE INDEX network_fixed_ip_port ON network_fixed_ip (port_id)`,
    `CREATE INDEX network_fixed_ip_address ON network_fixed_ip (ip_address)`,
    // Bindings besides the active one, which the port itself has.
    `CREATE TABLE network_port_binding (
    port_id text NOT NULL CONSTRAINT network_port_binding_port REFERENCES network_port (id) ON DELETE CASCADE, host text NOT NULL,
    vnic_type text NOT NULL, profile jsonb NOT NULL, CONSTRAINT network_port_binding_pkey PRIMARY KEY (port_id, host))`,
    `CREATE TABLE network_security_group (
    id text PRIMARY KEY, name text NOT NULL, description text NOT NULL, project_id text NOT NULL, tags text[] NOT NULL,
    default_of text CONSTRAINT network_security_group_default UNIQUE,
    revision int8 NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL)`,
    `CREATE INDEX network_security_group_project ON network_security_group (project_id)`,
    `CREATE TABLE network_security_group_rule (
    id text PRIMARY KEY, project_id text NOT NULL, description text NOT NULL,
    security_group_id text NOT NULL CONSTRAINT network_security_group_rule_group REFERENCES network_security_group (id) ON DELETE CASCADE,
    direction text NOT NULL, ethertype text NOT NULL, protocol text, port_range_min int8, port_range_max int8,
    remote_ip_prefix text, remote_group_id text CONSTRAINT network_security_group_rule_remote REFERENCES network_security_group (id) ON DELETE CASCADE,
    identity text NOT NULL, created_at timestamptz NOT NULL,
    CONSTRAINT network_security_group_rule_identity UNIQUE (security_group_id, identity))`,
    `CREATE TABLE network_port_security_group (
    port_id text NOT NULL REFERENCES network_port (id) ON DELETE CASCADE,
    security_group_id text NOT NULL CONSTRAINT network_port_security_group_group REFERENCES network_security_group (id),
    PRIMARY KEY (port_id, security_group_id))`,
    `CREATE INDEX network_port_security_group_group_id ON network_port_security_group (security_group_id)`,
    `CREATE TABLE network_router (
    id text PRIMARY KEY, name text NOT NULL, description text NOT NULL, project_id text NOT NULL, admin_state_up boolean NOT NULL,
    gateway_network_id text CONSTRAINT network_router_gateway REFERENCES network_network (id), gateway_port_id text, enable_snat boolean NOT NULL,
    tags text[] NOT NULL, revision int8 NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL)`,
    `CREATE TABLE network_floating_ip (
    id text PRIMARY KEY, project_id text NOT NULL, description text NOT NULL,
    network_id text NOT NULL REFERENCES network_network (id), ip_address text NOT NULL, own_port_id text NOT NULL,
    port_id text REFERENCES network_port (id) ON DELETE SET NULL, fixed_ip_address text, router_id text,
    tags text[] NOT NULL, revision int8 NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
    CONSTRAINT network_floating_ip_address UNIQUE (network_id, ip_address))`,
    `CREATE INDEX network_floating_ip_port ON network_floating_ip (port_id)`,
    `CREATE TABLE network_quota (
    project_id text NOT NULL, resource text NOT NULL, quota int8 NOT NULL, PRIMARY KEY (project_id, resource))`,
  ],
};
