import type { Neutron } from "../../clients/neutron/ports.js";
import type { Ctx } from "../../kernel/ctx.js";
import type { Clock } from "../../kernel/time.js";
import type { NetworkFacts } from "../domain/ports.js";

const KEEP_MS = 10_000;

/**
 * Networks and their subnets, remembered for ten seconds: a thousand boots on one network ask once. What is
 * told to a guest may be that much older than Neutron's answer.
 */
export function networkFacts(
  neutron: Neutron,
  clock: Clock,
): (ctx: Ctx, networkId: string) => Promise<NetworkFacts> {
  const known = new Map<string, { readonly atMs: number; readonly facts: Promise<NetworkFacts> }>();
  const read = async (ctx: Ctx, networkId: string): Promise<NetworkFacts> => {
    const [network, subnets] = await Promise.all([
      neutron.getNetwork(ctx, networkId),
      neutron.listSubnets(ctx, { networkIds: [networkId] }),
    ]);
    return { network, subnets };
  };
  return async (ctx, networkId) => {
    const now = clock.monotonicMs();
    const found = known.get(networkId);
    if (found !== undefined && now - found.atMs < KEEP_MS) return found.facts;
    for (const [id, { atMs }] of known) if (now - atMs >= KEEP_MS) known.delete(id);
    const facts = read(ctx, networkId);
    known.set(networkId, { atMs: now, facts });
    facts.catch(() => known.delete(networkId));
    return facts;
  };
}
