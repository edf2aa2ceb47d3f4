import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { Ctx } from "../../kernel/index.js";
import type { Driver, PowerState } from "../driver.js";
import type { Plumbing } from "./ports.js";

/** A guest of which there is no process has no sockets that a switch could connect to. */
const WITHOUT_PROCESS: ReadonlySet<PowerState> = new Set(["SHUTDOWN", "SUSPENDED"]);

export interface PlugDeps {
  readonly driver: Pick<Driver, "list" | "interfaceSocketPath">;
  readonly plumbing: Pick<Plumbing, "plug">;
}

/**
 * Connects the ports of guests that run: after a restart of the agent, and whatever an audit finds changed.
 */
export async function plugGuests(
  ctx: Ctx,
  deps: PlugDeps,
  instances: readonly InstanceRecord[],
): Promise<void> {
  const guests = await deps.driver.list(ctx);
  const running = new Set(
    guests.filter((guest) => !WITHOUT_PROCESS.has(guest.powerState)).map((guest) => guest.instanceUuid),
  );
  for (const instance of instances) {
    const serverId = instance.server?.id;
    if (!serverId || !running.has(serverId)) continue;
    await deps.plumbing.plug(
      ctx,
      instance,
      (portId) => deps.driver.interfaceSocketPath?.(serverId, portId) ?? "",
    );
  }
}
