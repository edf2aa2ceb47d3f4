import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { Ctx } from "../../kernel/index.js";
import { isRetryable, within } from "../../kernel/index.js";
import type { Driver, PowerState } from "../driver.js";
import type { Commands } from "./commands.js";
import type { Plumbing } from "./ports.js";

/** A guest of which there is no process has no sockets that a switch could connect to. */
const WITHOUT_PROCESS: ReadonlySet<PowerState> = new Set(["SHUTDOWN", "SUSPENDED"]);
/** Commands on the server wait for as long. */
const PLUG_MS = 30_000;

export interface PlugDeps {
  readonly driver: Pick<Driver, "list" | "interfaceSocketPath">;
  readonly plumbing: Pick<Plumbing, "plug">;
  readonly commands: Pick<Commands, "beside">;
}

/**
 * Connects the ports of guests that run: after a restart of the agent, and whatever an audit finds changed. A
 * server that a command has been at since its record was read is left to the next audit: a port of the record
 * may be taken out of it by now.
 * @param asOf  moment of the commands before the records were read
 * @throws the first failure, once all have been tried; at once when the Network service is away
 */
export async function plugGuests(
  ctx: Ctx,
  { driver, plumbing, commands }: PlugDeps,
  instances: readonly InstanceRecord[],
  asOf: number,
): Promise<void> {
  const guests = await driver.list(ctx);
  const running = new Set(
    guests.filter((guest) => !WITHOUT_PROCESS.has(guest.powerState)).map((guest) => guest.instanceUuid),
  );
  const failures: unknown[] = [];
  for (const instance of instances) {
    const serverId = instance.server?.id;
    if (!serverId || !running.has(serverId)) continue;
    const socketPathOf = (portId: string): string => driver.interfaceSocketPath?.(serverId, portId) ?? "";
    try {
      await commands.beside(serverId, asOf, () =>
        within(ctx, PLUG_MS, "The switch", (c) => plumbing.plug(c, instance, socketPathOf)),
      );
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (isRetryable(error)) throw error;
      ctx.log.error("agent.ports.not-plugged", { instanceUuid: serverId, error });
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
