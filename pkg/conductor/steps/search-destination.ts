import type { MoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { RequestPurpose } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type { Step, StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { placeInGroup } from "./group-places.js";
import { hostOf } from "./host-of.js";
import { ownMigrationId } from "./moves.js";
import { searchHost } from "./select-destinations.js";
import type { SearchPorts, Wishes } from "./select-destinations.js";

/**
 * Asks the scheduler for another host of the same cell. With its claim the migration keeps what the server
 * holds where it is; taken back, the server holds that again, and nothing else.
 */
export const searchDestination = (
  ports: SearchPorts & Pick<Ports, "moves">,
  { alternates, purpose }: { readonly alternates: number; readonly purpose: RequestPurpose },
): Step<MoveInput> =>
  searchHost<MoveInput>(ports, {
    event: "cold_migrate",
    alternates,
    purpose,
    wishes,
    leaves: (call) => ({
      migrationId: ownMigrationId(call),
      source: {
        cell: call.database,
        host: hostOf(call),
        computeNodeId: call.server.hostInfo?.computeNodeUuid ?? "",
        allowed: false,
      },
    }),
    giveBack: (call) => backAtSource(call, ports),
  });

function wishes({ input, instance: { spec }, database }: StepCall<MoveInput>): Wishes {
  const { flavor, host, excludeHosts } = input;
  return {
    ...(spec === undefined ? {} : { spec: flavor === undefined ? spec : { ...spec, flavor } }),
    ...(host === "" ? {} : { requestedDestination: { host, node: "", forced: false } }),
    onlyCells: [database],
    excludeHosts,
  };
}

/** The group hears of it whatever its policy says by now: the server has never been anywhere else. */
async function backAtSource(
  call: StepCall<MoveInput>,
  ports: SearchPorts & Pick<Ports, "moves">,
): Promise<void> {
  const { ctx, operation, instance, fence } = call;
  const source = { cell: call.database, host: hostOf(call) };
  if (!(await placeInGroup(ports, ctx, instance.spec, operation.serverId, source, true)))
    ctx.log.warn("move.group.not-back", { instanceUuid: operation.serverId });
  await ports.moves.revertAllocations(ctx, {
    consumerId: operation.serverId,
    takenByConsumerId: ownMigrationId(call),
    operation: operation.name,
    fence,
  });
}
