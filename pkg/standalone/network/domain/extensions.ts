/** The extensions that this service has, by alias: clients look here before they use one. */
const aliases: Readonly<Record<string, string>> = {
  "allowed-address-pairs": "Allowed Address Pairs",
  binding: "Port Binding",
  "binding-extended": "Port Bindings Extended",
  "external-net": "Neutron external network",
  "ext-gw-mode": "Neutron L3 Configurable external gateway mode",
  extraroute: "Neutron Extra Route",
  extra_dhcp_opt: "Neutron Extra DHCP options",
  "fip-port-details": "Floating IP Port Details Extension",
  "filter-validation": "Filter parameters validation",
  "ip-substring-filtering": "IP address substring filtering",
  "kilonova-changes": "Notice of changes to the hosts' switches",
  "net-mtu": "Network MTU",
  "net-mtu-writable": "Network MTU (writable)",
  pagination: "Pagination support",
  "port-security": "Port Security",
  "project-id": "project_id field enabled",
  provider: "Provider Network",
  quotas: "Quota management support",
  "quota-check-limit": "Quota engine limit check",
  quota_details: "Quota details management support",
  router: "Neutron L3 Router",
  "security-group": "security-group",
  sorting: "Sorting support",
  "standard-attr-description": "standard-attr-description",
  "standard-attr-revisions": "Resource revision numbers",
  "standard-attr-tag": "Tag support for resources with standard attribute",
  "standard-attr-timestamp": "Resource timestamps",
};

export interface Extension {
  readonly alias: string;
  readonly name: string;
  readonly description: string;
  readonly updated: string;
  readonly links: readonly never[];
}

export const extensions: readonly Extension[] = Object.entries(aliases).map(([alias, name]) => ({
  alias,
  name,
  description: name,
  updated: "2020-01-01T00:00:00-00:00",
  links: [],
}));
