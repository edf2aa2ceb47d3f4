import type { z } from "zod";
import type { Cinder } from "../../../pkg/clients/cinder/ports.js";
import type { Glance } from "../../../pkg/clients/glance/ports.js";
import type { Keystone } from "../../../pkg/clients/keystone/index.js";
import type { Neutron } from "../../../pkg/clients/neutron/ports.js";
import type { VendorData } from "../../../pkg/compute/vendordata/index.js";
import { openStackClients } from "../../shared/openstack.js";
import type { identityConfig } from "../../shared/sections.js";
import { openVendorData } from "../../shared/vendor-data.js";
import type { KilonovaConfig } from "./config.js";
import type { Ports } from "./options.js";
import type { Secrets } from "./secrets.js";

export interface OpenStackClients {
  readonly keystone: Keystone;
  readonly glance: Glance;
  readonly neutron: Neutron;
  readonly cinder: Cinder;
  readonly vendorData: VendorData;
}

/** Where Identity is and as whom we ask: as configured, or this process's own. */
export function identityOf(
  config: Pick<KilonovaConfig, "up" | "identity">,
  ports: Ports,
  secrets: Secrets,
): z.output<typeof identityConfig> {
  if (!config.up.standalone) return config.identity;
  return {
    ...config.identity,
    authUrl: `http://127.0.0.1:${ports.identity}/v3`,
    region: "RegionOne",
    interface: "internal",
    username: "nova",
    userDomainName: "Default",
    password: secrets.servicePassword,
    projectName: "service",
    projectDomainName: "Default",
  };
}

/**
 * The HTTP clients with our service user's rights, and vendor data; they find the services in the catalog,
 * embedded or real.
 */
export function openClients(
  identity: z.output<typeof identityConfig>,
  config: Pick<KilonovaConfig, "vendordata" | "vendordataDynamicAuth">,
): OpenStackClients {
  return {
    ...openStackClients(identity),
    vendorData: openVendorData(config.vendordata, config.vendordataDynamicAuth, identity.authUrl),
  };
}
