import { z } from "zod";
import { ConductorErrors } from "../errors.js";
import { handOver, park } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import type { Ports } from "../ports.js";
import { fateOfBatch, NOWHERE } from "./batch.js";
import type { BatchFate } from "./batch.js";
import { claimedHost, refusal, selectedHosts } from "./destinations.js";

/** Why the server is not built although it found a host. */
export const handedOver = outputOf("hand-over", z.object({ refusal: refusal.optional() }));

/** The others are mostly as fast: a short wait spares the long one. */
const LOOKS = 20;
const LOOK_EVERY_MS = 50;
const LOOK_AGAIN_MS = 500;

/**
 * Moves the server and its operation to the cell of the chosen host, or to cell0 when there is none: for
 * itself, or for one of the servers that were asked for with it.
 * @param options.claims  whether the step that holds a claim is the next one
 * @source nova conductor: all servers of a request are scheduled or none is
 */
export const handOverToCell = (
  ports: Pick<Ports, "instances" | "clock">,
  { claims = true }: { readonly claims?: boolean } = {},
): Step => ({
  name: handedOver.step,
  event: "",
  timeoutMs: 300_000,
  run: async (call) => {
    const chosen = call.outputs.get(selectedHosts).hosts[0];
    if (chosen === undefined) return handOver(NOWHERE, {});
    switch (await fateOf(call, ports)) {
      case "placed":
        // The scheduler has claimed this host: the step that holds a claim has nothing to do.
        return handOver(
          chosen.cell,
          {},
          { set: { availabilityZone: chosen.zone } },
          claims ? { step: claimedHost.step, output: { index: 0, host: chosen } } : undefined,
        );
      case "waiting":
        return park("", LOOK_AGAIN_MS);
      case "refused":
        return handOver(NOWHERE, { refusal: othersRefusal(call) });
    }
  },
});

async function fateOf(call: StepCall, ports: Pick<Ports, "instances" | "clock">): Promise<BatchFate> {
  if ((call.instance.spec?.batchSize ?? 0) <= 1) return "placed";
  for (let look = 1; ; look++) {
    const fate = await fateOfBatch(ports, call.ctx, call.server);
    if (fate !== "waiting" || look === LOOKS) return fate;
    await ports.clock.sleep(LOOK_EVERY_MS, call.ctx.signal);
  }
}

function othersRefusal({ instance }: StepCall): z.output<typeof refusal> {
  const detail = `There are not enough hosts available. The request was for ${instance.spec?.batchSize ?? 0} servers, and not all of them found one.`;
  return { message: ConductorErrors.NO_VALID_HOST({ detail }).message, details: "", facts: {} };
}
