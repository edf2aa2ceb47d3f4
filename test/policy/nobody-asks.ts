/**
 * Rules that no method of the contract declares, by how their names begin, and why. What they are about is
 * not served either; whoever serves it declares its rules and takes its line out.
 */
export const nobodyAsks: Readonly<Record<string, string>> = {
  "compute:servers:resize:cross_cell": "a resize stays in the server's cell",
  "os_compute_api:extensions": "the list of extensions is REST's own: the gateway asks",
  "os_compute_api:os-admin-actions:inject_network_info": "no driver of ours writes networks into guests",
  "os_compute_api:os-baremetal-nodes:": "a proxy to the Bare Metal service, up to 2.35",
  "os_compute_api:os-floating-ip-pools": "a proxy to the Network service, up to 2.35",
  "os_compute_api:os-floating-ips:":
    "a proxy to the Network service, up to 2.35; what the gateway alone asks, until 2.43",
  "os_compute_api:os-hosts:": "the older face of services and hypervisors, up to 2.42",
  "os_compute_api:os-multinic:": "the gateway alone asks, until 2.43",
  "os_compute_api:os-networks:": "a proxy to the Network service, up to 2.35",
  "os_compute_api:os-security-groups:get": "the gateway alone asks, until 2.35",
  "os_compute_api:os-security-groups:show": "the gateway alone asks, until 2.35",
  "os_compute_api:os-security-groups:create": "a proxy to the Network service, up to 2.35",
  "os_compute_api:os-security-groups:update": "a proxy to the Network service, up to 2.35",
  "os_compute_api:os-security-groups:delete": "a proxy to the Network service, up to 2.35",
  "os_compute_api:os-security-groups:rule:": "a proxy to the Network service, up to 2.35",
  "os_compute_api:os-tenant-networks:": "a proxy to the Network service, up to 2.35",
  "os_compute_api:os-volumes:": "a proxy to the Volume service, up to 2.35",
};
