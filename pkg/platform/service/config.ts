import { z } from "zod";
import { secret } from "../config/index.js";
import { telemetryConfig } from "../telemetry/index.js";

/** Manners of one service process. */
const processConfig = z
  .object({
    host: z
      .string()
      .default("")
      .describe("Name of this machine in lists of services; empty takes the system's."),
    statusListen: z
      .string()
      .default("127.0.0.1:0")
      .describe("host:port of /healthz, /readyz and /metrics; port 0 takes any free one."),
    drainMs: z
      .number()
      .int()
      .min(0)
      .default(20_000)
      .describe("Time that running work gets when the process is told to end, in ms."),
  })
  .describe("The process of a service: where it reports its state, how it ends.");

/** How services reach each other. */
const rpcConfig = z
  .object({
    listen: z
      .string()
      .default("127.0.0.1:0")
      .describe(
        "host:port for the other services; port 0 takes any free one, which the registry tells them. Compute needs a port: its hosts listen on it and the following ones.",
      ),
    advertiseHost: z
      .string()
      .default("")
      .describe(
        "Name or address under which the others reach this process; empty takes that of `listen`. Needed when that is 0.0.0.0 or ::.",
      ),
    tlsCaFile: z
      .string()
      .default("")
      .describe("PEM file: certificates of the authorities that may name services."),
    tlsCertFile: z
      .string()
      .default("")
      .describe(
        "PEM file: this service's certificate, with URI kilonova://<cell>/<service>[/<host>] in its subject alternative names. `{host}` stands for the logical host (compute).",
      ),
    tlsKeyFile: z
      .string()
      .default("")
      .describe("PEM file: the certificate's private key. `{host}` as above."),
    tlsReloadMs: z
      .number()
      .int()
      .min(100)
      .default(60_000)
      .describe("How often these files are looked at for changes, in ms."),
    agentChannels: z
      .number()
      .int()
      .min(1)
      .default(512)
      .describe("Connections to compute agents kept at most."),
    agentIdleMs: z
      .number()
      .int()
      .min(1000)
      .default(300_000)
      .describe("Idle time after which a connection to an agent is closed, in ms."),
    maxInFlight: z
      .number()
      .int()
      .min(1)
      .default(10_000)
      .describe("Calls handled at once; more are refused as overload."),
  })
  .describe("gRPC between services, always with certificates on both sides.");

/** The store that says who is alive. */
const registryConfig = z
  .object({
    etcdEndpoints: z
      .array(z.string())
      .min(1)
      .default(["http://127.0.0.1:2379"])
      .describe("etcd's addresses, all of one cluster."),
    etcdCaFile: z
      .string()
      .default("")
      .describe("PEM file: authority of etcd's certificates, for https endpoints."),
    etcdCertFile: z
      .string()
      .default("")
      .describe("PEM file: our certificate for etcd, when it asks for one."),
    etcdKeyFile: z.string().default("").describe("PEM file: its private key."),
    leaseTtlMs: z
      .number()
      .int()
      .min(1000)
      .default(5000)
      .describe("After this long without a sign of life a host or service counts as down, in ms."),
  })
  .describe("The registry of living services and hosts: etcd.");

const addresses = (service: string) =>
  z.array(z.string()).default([]).describe(`host:port of ${service}; empty asks the registry.`);

/** Fixed addresses of other services. */
const peersConfig = z
  .object({
    api: addresses("api"),
    cells: addresses("cells"),
    conductor: addresses("conductor"),
    placement: addresses("placement"),
    scheduler: addresses("scheduler"),
  })
  .describe("Fixed addresses of services. Those that are named here are not looked up in the registry.");

/** One database. */
export const databaseConfig = z
  .object({
    url: secret(z.string().default("")).describe(
      "postgresql://user:password@host:port/database?sslmode=verify-full&sslrootcert=…",
    ),
    schema: z.string().default("").describe("Schema of the tables; empty takes the service's name."),
    maxConnections: z.number().int().min(2).default(10).describe("Connections of this process at most."),
  })
  .describe("The service's database.");

/** Read by every program. */
export const processSections = { telemetry: telemetryConfig, process: processConfig } as const;
/** Read by every program that talks to other services. */
export const clusterSections = { rpc: rpcConfig, registry: registryConfig, peers: peersConfig } as const;

export type RpcConfig = z.output<typeof rpcConfig>;
export type RegistryConfig = z.output<typeof registryConfig>;
export type PeersConfig = z.output<typeof peersConfig>;
export type DatabaseConfig = z.output<typeof databaseConfig>;
