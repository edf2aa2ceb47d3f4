export { metadataService } from "./service.js";
export type { MetadataQuestion, MetadataService } from "./service.js";
export { switchMetadataHandler } from "./from-switch.js";
export { metadataProxyApp } from "./proxy-server.js";
export type { ProxyServerOptions } from "./proxy-server.js";
export { neutronProviders } from "./providers.js";
export type { MetadataProviders } from "./providers.js";
export type { GuestDataSource, VendorDocuments } from "./ports.js";
export type { MetadataAnswer } from "./answers.js";
