import type { Ctx } from "../../kernel/index.js";
import { CommonErrors } from "../../kernel/index.js";
import type { ConfigOf } from "../config/index.js";
import { serviceDirectory } from "../coordination/index.js";
import { systemClock } from "../process/index.js";
import type { Channel } from "../rpc/index.js";
import { connectRpc } from "../rpc/index.js";
import type { PeersConfig } from "./config.js";
import type { clusterSections } from "./config.js";
import { openCredentials } from "./credentials.js";
import { discoveredChannel } from "./discovered-channel.js";
import { ServiceErrors } from "./errors.js";
import { connectRegistry } from "./registry.js";

/**
 * One channel to all services of a cluster, for tools: each contract goes to the service that owns it. Nobody
 * learns of the visitor. A call waits some seconds for a service that is not there, and then says what is
 * missing: somebody sits in front of it.
 * @param ctx  carries the log; its deadline does not bound the channel
 * @throws NO_CERTIFICATE, CERTIFICATE_UNUSABLE
 */
export async function visitCluster(
  ctx: Ctx,
  { rpc, registry, peers }: ConfigOf<typeof clusterSections>,
): Promise<Channel> {
  const credentials = openCredentials(rpc, ctx.log);
  const store = await connectRegistry(registry);
  const directory = serviceDirectory(store, registry.leaseTtlMs);
  const leaving = new AbortController();
  const following = directory.follow({ ...ctx, signal: leaving.signal, deadlineMs: undefined });
  let answers = false;
  directory.onChange(() => {
    answers = true;
  });
  const nobody = (service: string): Error =>
    answers
      ? ServiceErrors.NO_INSTANCE({ service })
      : CommonErrors.UNAVAILABLE({ what: `The registry (etcd at ${registry.etcdEndpoints.join(", ")})` });
  const channels = new Map<string, Channel>();
  const to = (service: string): Channel => {
    const known = channels.get(service);
    if (known) return known;
    const fixed = peers[service as keyof PeersConfig];
    if (fixed === undefined) throw ServiceErrors.NO_INSTANCE({ service });
    const channel = discoveredChannel({
      service,
      clock: systemClock,
      random: Math.random,
      onChange: directory.onChange,
      nobody: () => nobody(service),
      addresses: () =>
        fixed.length > 0 ? fixed : directory.instances(service).map(({ address }) => address),
      open: (address) =>
        connectRpc(address, {
          credentials: credentials.channel("", { service, host: "" }),
          serverName: service,
          attempts: 1,
        }),
    });
    channels.set(service, channel);
    return channel;
  };
  return {
    client: (definition) => to(ownerOf(definition.fullName)).client(definition),
    close: async () => {
      leaving.abort();
      await Promise.all([following, ...[...channels.values()].map((channel) => channel.close())]);
      await store.close();
      credentials.close();
    },
  };
}

/** `kilonova.cells.v1.GlobalService` → `cells` */
const ownerOf = (fullName: string): string => fullName.split(".")[1] ?? "";
