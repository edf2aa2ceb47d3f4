import type {
  VendorData,
  VendordataConfig,
  VendordataDynamicAuthConfig,
} from "../../pkg/compute/vendordata/index.js";
import { vendorData } from "../../pkg/compute/vendordata/index.js";
import { keystoneClient } from "../../pkg/clients/keystone/index.js";
import { systemClock } from "../../pkg/platform/process/index.js";

/**
 * Vendor data as configured. @param identityUrl where the user of the dynamic services logs in unless it says
 * otherwise
 */
export function openVendorData(
  config: VendordataConfig,
  auth: VendordataDynamicAuthConfig,
  identityUrl: string,
): VendorData {
  const { authUrl, username, password, userDomainName, projectName, projectDomainName } = auth;
  if (username === "") return vendorData(config, undefined);
  const { session } = keystoneClient({
    authUrl: authUrl || identityUrl,
    region: "",
    interface: "internal",
    clock: systemClock,
    random: Math.random,
    credentials: { username, userDomainName, password, projectName, projectDomainName },
  });
  return vendorData(config, session);
}
