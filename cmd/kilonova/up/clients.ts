import { glanceClient } from "../../../pkg/clients/glance/index.js";
import type { Glance } from "../../../pkg/clients/glance/ports.js";
import { keystoneClient } from "../../../pkg/clients/keystone/index.js";
import type { Keystone } from "../../../pkg/clients/keystone/index.js";
import { neutronClient } from "../../../pkg/clients/neutron/index.js";
import type { Neutron } from "../../../pkg/clients/neutron/ports.js";
import { systemClock } from "../../../pkg/platform/process/index.js";
import type { VendorData } from "../../../pkg/compute/vendordata/index.js";
import { openVendorData } from "../../shared/vendor-data.js";
import type { KilonovaConfig } from "./config.js";
import type { Ports } from "./options.js";
import type { Secrets } from "./secrets.js";

export interface OpenStackClients { readonly keystone: Keystone; readonly glance: Glance; readonly neutron: Neutron; readonly vendorData: VendorData }

/** The HTTP clients with our service user's rights, and vendor data; they find the services in the catalog, embedded or real. */
export function openClients(ports: Ports, secrets: Secrets, config: Pick<KilonovaConfig, "vendordata" | "vendordataDynamicAuth">): OpenStackClients {
  const authUrl = `http://127.0.0.1:${ports.identity}/v3`;
  const keystone = keystoneClient({
    authUrl, region: "RegionOne", clock: systemClock, random: Math.random,
    credentials: { username: "nova", userDomainName: "Default", password: secrets.servicePassword, projectName: "service", projectDomainName: "Default" },
  });
  const common = { session: keystone.session, clock: systemClock, random: Math.random };
  return {
    keystone, glance: glanceClient(common), neutron: neutronClient(common),
    vendorData: openVendorData(config.vendordata, config.vendordataDynamicAuth, authUrl),
  };
}
