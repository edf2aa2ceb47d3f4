import { z } from "zod";
import { InstancePort } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { FloatingIpInfo, Neutron, PortInfo } from "../../clients/neutron/ports.js";
import type { Ctx } from "../../kernel/index.js";
import { KilonovaError, mapLimit } from "../../kernel/index.js";
import { instancePort } from "../domain/ports.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import type { NetworkPorts } from "./allocate-networks.js";

const PORTS_AT_ONCE = 8;

/** Ids of the server's ports that are otherwise now, and of those that are not its own any more. */
export const portNews = outputOf(
  "read-ports",
  z.object({ changed: z.array(z.string()), gone: z.array(z.string()) }),
);

/**
 * Asks the Network service for the server's ports. What is otherwise there is so in the record from now on;
 * ports that are gone stay until the host has let go of them.
 */
export const readPorts = (ports: NetworkPorts): Step => ({
  name: portNews.step,
  event: "",
  timeoutMs: 120_000,
  async run({ ctx, server, instance }) {
    if (instance.ports.length === 0) return done({ changed: [], gone: [] });
    const ids = instance.ports.map(({ portId }) => portId);
    const [found, floatingIps] = await Promise.all([
      ports.neutron.listPorts(ctx, { ids }),
      floatingIpsOf(ports.neutron, ctx, ids),
    ]);
    const ours = new Map(
      found.filter(({ deviceId }) => ["", server.id].includes(deviceId)).map((port) => [port.id, port]),
    );
    const gone = instance.ports.filter(({ portId }) => !ours.has(portId)).map(({ portId }) => portId);
    const read = await mapLimit(instance.ports, PORTS_AT_ONCE, async (before) => {
      const port = ours.get(before.portId);
      if (port === undefined) return [];
      const facts = await ports.factsOf(ctx, port.networkId);
      const now = { ...before, ...instancePort(port, facts, before, floatingIps) };
      return same(before, now) ? [] : [now];
    });
    const changed = read.flat();
    const securityGroups = await namesOfGroups(ports.neutron, ctx, [...ours.values()]);
    // A move may have taken over a port's groups since, but never their names.
    const named = sorted(securityGroups) === sorted(server.securityGroups);
    return done(
      { changed: changed.map(({ portId }) => portId), gone },
      changed.length === 0 && named
        ? undefined
        : { putPorts: changed, ...(named ? {} : { set: { securityGroups } }) },
    );
  },
});

/** None where the Network service has no routers. */
export async function floatingIpsOf(
  neutron: Neutron,
  ctx: Ctx,
  portIds: readonly string[],
): Promise<readonly FloatingIpInfo[]> {
  try {
    return await neutron.listFloatingIps(ctx, { portIds });
  } catch (error) {
    if (error instanceof KilonovaError && error.kind === "missing") return [];
    throw error;
  }
}

const same = (one: InstancePort, other: InstancePort): boolean =>
  Buffer.from(InstancePort.encode(one).finish()).equals(InstancePort.encode(other).finish());

const sorted = (names: readonly string[]): string => [...names].sort().join();

/** Names of the groups of all ports, in their order. */
async function namesOfGroups(neutron: Neutron, ctx: Ctx, found: readonly PortInfo[]): Promise<string[]> {
  const ids = [...new Set(found.flatMap(({ securityGroupIds }) => securityGroupIds))];
  const groups = ids.length === 0 ? [] : await neutron.listSecurityGroups(ctx, { ids });
  return ids.flatMap((id) => groups.find((group) => group.id === id)?.name ?? []);
}
