import { createHash } from "node:crypto";
import type { CreatePort, Neutron, PortInfo } from "../../clients/neutron/ports.js";
import type { Ctx } from "../../kernel/ctx.js";
import { KilonovaError } from "../../kernel/errors.js";

/** Addresses tried when ports of others have those before. */
const ATTEMPTS = 8;
/** Neutron's own prefix. */
const PREFIX = "fa:16:3e";

/**
 * Makes the port of a name once, even when two processes try at the same moment, as while an operation is
 * taken over from one that is only slow. Neutron has neither fences nor client tokens, but it keeps the MAC
 * address unique in a network: whoever makes this port asks for the same one, and the second is refused and
 * finds the first's.
 * @throws what `createPort` throws
 */
export async function makePort(
  ctx: Ctx,
  neutron: Pick<Neutron, "createPort" | "listPorts">,
  wish: CreatePort,
): Promise<PortInfo> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await neutron.createPort(ctx, { ...wish, macAddress: macAddress(wish.name, attempt) });
    } catch (error) {
      // Its address, or its place in the quota, may be what the other one has taken for it.
      if (!(error instanceof KilonovaError) || (error.kind !== "refused" && error.kind !== "quota"))
        throw error;
      const [made] = await neutron.listPorts(ctx, { deviceIds: [wish.deviceId], name: wish.name });
      if (made !== undefined) return made;
      if (error.reason !== "MAC_IN_USE" || attempt + 1 >= ATTEMPTS) throw error;
    }
  }
}

/** The same for the same port. */
function macAddress(name: string, attempt: number): string {
  const hash = createHash("sha256").update(`${name} ${attempt}`).digest("hex");
  return `${PREFIX}:${hash.slice(0, 2)}:${hash.slice(2, 4)}:${hash.slice(4, 6)}`;
}
