import type { MoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { MigrationEnd } from "../../../gen/kilonova/cells/v1/server_records.js";
import { TaskState } from "../../model/instance-states.js";
import type { Change, Step, StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { claimHost, claimOf } from "./claim-host.js";
import type { Claims } from "./claim-host.js";
import type { StoredDestination } from "./destinations.js";
import { endAt, migrationChange, ownMigrationId } from "./moves.js";

/**
 * As `claimHost`, of a server that has a host: an alternate is claimed with what it holds there in its
 * migration's hands. With its commit the migration tells both ends, and the move is under way.
 */
export const claimDestination = (ports: Pick<Ports, "placement" | "groups" | "moves">): Step<MoveInput> =>
  claimHost<MoveInput>(ports, {
    event: "compute_prep_resize",
    taskState: TaskState.resizePrep,
    claims: movingClaims(ports),
    change: underWay,
  });

/** What comes back with a revert is at the source, with its zone and with what that host gives. */
function underWay({ server, instance, database }: StepCall, host: StoredDestination): Change {
  const source = MigrationEnd.fromPartial({
    cell: database,
    host: server.hostInfo?.host ?? "",
    node: server.hostInfo?.node ?? "",
    computeNodeId: server.hostInfo?.computeNodeUuid ?? "",
    availabilityZone: server.availabilityZone,
    ...(instance.hostResources === undefined ? {} : { resources: instance.hostResources }),
  });
  const values = { status: "migrating", source, target: endAt(host) };
  return { more: { migrations: [migrationChange(values, ["status", "source", "target"])] } };
}

const movingClaims = ({ moves }: Pick<Ports, "moves">): Claims => ({
  async claim(call, host) {
    const { ctx, operation, server, fence, round } = call;
    const consumerGeneration = await generationOf(call, moves);
    await moves.claimAllocations(ctx, {
      operation: operation.name,
      fence,
      attempt: round,
      claim: {
        ...claimOf(server, host),
        ...(consumerGeneration === undefined ? {} : { consumerGeneration }),
      },
      takeOvers: [{ consumerId: ownMigrationId(call), consumerType: "MIGRATION", fromConsumerId: server.id }],
    });
  },
  async giveBack(call) {
    const { ctx, operation, fence, round } = call;
    // Of this round only: the next one claims under the same fence.
    await moves.revertAllocations(ctx, {
      consumerId: operation.serverId,
      takenByConsumerId: ownMigrationId(call),
      operation: operation.name,
      fence,
      attempt: round,
    });
  },
});

/** Of what the server holds now: each change of it makes another one. Undefined when it holds nothing. */
export async function generationOf(
  { ctx, server }: Pick<StepCall, "ctx" | "server">,
  moves: Pick<Ports["moves"], "getAllocations">,
): Promise<bigint | undefined> {
  const { consumers } = await moves.getAllocations(ctx, { consumerId: server.id });
  return consumers[0]?.consumerGeneration;
}
