export { vendordataConfig, vendordataDynamicAuthConfig } from "./config.js";
export type { DynamicTarget, VendordataConfig, VendordataDynamicAuthConfig } from "./config.js";
export type { TokenSource, VendorData, VendorDataSubject } from "./ports.js";
export { vendorData } from "./vendor-data.js";
