import { readFileSync } from "node:fs";
import type {
  CoordinationStore,
  EtcdOptions,
  HostDirectory,
  ServiceDirectory,
} from "../coordination/index.js";
import { raceAbort } from "../../kernel/index.js";
import { connectEtcd, hostDirectory, serviceDirectory } from "../coordination/index.js";
import { systemClock } from "../process/index.js";
import type { RegistryConfig } from "./config.js";
import type { ClusterProcess } from "./process.js";

const PATIENCE_MS = 5_000;

/**
 * Connects to etcd and follows hosts and services; returns when both are known. Waits as long as etcd does
 * not answer.
 */
export async function openRegistry({
  config: { registry },
  lifecycle,
  tasks,
  readiness,
  log,
  ctx,
}: ClusterProcess): Promise<{ readonly hosts: HostDirectory; readonly services: ServiceDirectory }> {
  const store = await lifecycle.start("registry", async () => {
    const opened = await connectRegistry(registry);
    return { value: opened, stop: () => opened.close() };
  });
  const hosts = hostDirectory(store, registry.leaseTtlMs, systemClock);
  const services = serviceDirectory(store, registry.leaseTtlMs);
  const known = Promise.all([firstChange(hosts.onChange.bind(hosts), 1), firstChange(services.onChange, 0)]);
  tasks.task("host-directory", (inner) => hosts.follow(inner));
  tasks.task("service-directory", (inner) => services.follow(inner));
  let waiting = true;
  readiness.check("registry", () => !waiting || "etcd has not answered yet");
  const patience = setInterval(
    () => log.warn("service.registry.waiting", { endpoints: registry.etcdEndpoints }),
    PATIENCE_MS,
  );
  try {
    await raceAbort(known, ctx.signal);
  } finally {
    clearInterval(patience);
  }
  waiting = false;
  return { hosts, services };
}

/** Resolves at a change. @param skip  calls that come before: `HostDirectory` tells the present state once */
function firstChange(onChange: (listener: () => void) => () => void, skip: number): Promise<void> {
  return new Promise((resolve) => {
    let calls = 0;
    onChange(() => {
      if (calls++ >= skip) resolve();
    });
  });
}

/** Opens the store; connects when it is used. */
export const connectRegistry = (registry: RegistryConfig): Promise<CoordinationStore> =>
  connectEtcd({ endpoints: registry.etcdEndpoints, ...tlsOf(registry) });

function tlsOf({ etcdCaFile, etcdCertFile, etcdKeyFile }: RegistryConfig): Pick<EtcdOptions, "tls"> {
  if (!etcdCaFile) return {};
  const read = (file: string): string => readFileSync(file, "utf8");
  return {
    tls: {
      ca: read(etcdCaFile),
      ...(etcdKeyFile ? { key: read(etcdKeyFile) } : {}),
      ...(etcdCertFile ? { certificate: read(etcdCertFile) } : {}),
    },
  };
}
