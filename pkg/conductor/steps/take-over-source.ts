import type { EndMoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { generationOf } from "./claim-destination.js";
import { placeInGroup } from "./group-places.js";
import { ledOn } from "./resting-migration.js";
import { sourceOf } from "./moves.js";

/**
 * The server holds again what its migration has kept, instead of its place at the destination. Its group
 * hears of it, whatever the policy says by now.
 */
export const takeOverSource = (ports: Pick<Ports, "moves" | "groups">): Step<EndMoveInput> => ({
  name: "take-over-source",
  event: "",
  timeoutMs: 600_000,
  async run(call) {
    const { ctx, operation, server, fence, instance } = call;
    const migration = ledOn(call);
    const consumerGeneration = await generationOf(call, ports.moves);
    await ports.moves.claimAllocations(ctx, {
      operation: operation.name,
      fence,
      takeOvers: [
        {
          consumerId: server.id,
          fromConsumerId: migration.id,
          ...(consumerGeneration === undefined ? {} : { consumerGeneration }),
        },
      ],
    });
    const source = { cell: call.database, host: sourceOf(migration).host };
    if (!(await placeInGroup(ports, ctx, instance.spec, server.id, source, true)))
      ctx.log.warn("move.group.not-back", { instanceUuid: server.id });
    return done();
  },
});
