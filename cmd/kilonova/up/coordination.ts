import type { Ctx } from "../../../pkg/kernel/index.js";
import type { CoordinationStore, HostDirectory } from "../../../pkg/platform/coordination/index.js";
import { MemoryCoordination, connectEtcd, hostDirectory } from "../../../pkg/platform/coordination/index.js";
import { systemClock } from "../../../pkg/platform/process/index.js";
import type { Runtime } from "./runtime.js";

/** Leases without news for this long count as dead. */
const LEASE_TTL_MS = 5000;

/** The registry of living hosts: in this process, or in etcd when endpoints are given. */
export async function openCoordination(
  ctx: Ctx,
  { options, lifecycle, tasks }: Runtime,
): Promise<HostDirectory> {
  const store = await lifecycle.start("coordination", async () => {
    const opened: CoordinationStore =
      options.etcd.length > 0
        ? await connectEtcd({ endpoints: options.etcd })
        : new MemoryCoordination(systemClock).connect();
    return { value: opened, stop: () => opened.close() };
  });
  const directory = hostDirectory(store, LEASE_TTL_MS, systemClock);
  tasks.task("host-directory", (c) => directory.follow({ ...ctx, signal: c.signal }));
  return directory;
}
