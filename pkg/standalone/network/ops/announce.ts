import type { Ctx } from "../../../kernel/index.js";
import type { PortEvent } from "../domain/port-events.js";
import type { NetworkParts } from "../ports.js";

/** Tells Compute what happened. The change is stored already, so a failure must not fail the request. */
export async function announce(
  { onPortEvents }: NetworkParts,
  ctx: Ctx,
  events: readonly PortEvent[],
): Promise<void> {
  if (events.length === 0) return;
  try {
    await onPortEvents(ctx, events);
  } catch (error) {
    ctx.log.warn("network.port.events.lost", { events, error });
  }
}
