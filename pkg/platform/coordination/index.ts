export { connectEtcd } from "./etcd.js";
export type { EtcdOptions } from "./etcd.js";
export { MemoryCoordination } from "./memory.js";
export type { CoordinationStore, KeyValue, Lease, Listing, WatchEvent } from "./ports.js";
export { hostDirectory } from "./host-directory.js";
export type { HostDirectory } from "./host-directory.js";
export type { KeptKey } from "./kept-key.js";
export { serviceDirectory } from "./service-directory.js";
export type { ServiceDirectory, ServiceInstance } from "./service-directory.js";
