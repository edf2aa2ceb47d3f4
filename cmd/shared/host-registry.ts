import type { HostFacts, HostRegistry } from "../../pkg/compute/index.js";
import type { Ctx } from "../../pkg/kernel/index.js";
import type { HostDirectory } from "../../pkg/platform/coordination/index.js";

/** How agents make themselves known and find the ends of each other's tunnels. Leases end with `ctx`. */
export function registryOf(directory: HostDirectory, ctx: Ctx): HostRegistry {
  return {
    announce: (_ctx, host, facts) => directory.announce(ctx, host, JSON.stringify(facts)),
    watchPeers: (host, onPeers) => {
      let last = "";
      directory.onChange(() => {
        const peers = [...directory.entries()]
          .filter(([name]) => name !== host)
          .flatMap(([name, value]) => {
            const facts = JSON.parse(value) as HostFacts;
            return facts.tunnelPort > 0
              ? [{ host: name, address: facts.tunnelAddress, port: facts.tunnelPort }]
              : [];
          });
        const text = JSON.stringify(peers);
        if (text !== last) onPeers(peers);
        last = text;
      });
    },
  };
}
