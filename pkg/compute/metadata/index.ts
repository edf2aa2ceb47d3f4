export { metadataService } from "./service.js";
export type { MetadataQuestion, MetadataService } from "./service.js";
export { switchMetadataHandler } from "./from-switch.js";
export { metadataProxyApp } from "./proxy-server.js";
export type { ProxyServerOptions } from "./proxy-server.js";
export { signInstanceId } from "./signature.js";
export type { GuestDataSource } from "./ports.js";
export type { MetadataAnswer } from "./answers.js";
