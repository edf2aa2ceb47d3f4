import type { RebuildInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { RequestPurpose } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import { rebuiltRecord } from "../../model/rebuilt-record.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";

/**
 * Asks the scheduler whether the host is one for the new image. Nothing is claimed, so that there is nothing
 * to take back: the server holds what it held. @throws NO_VALID_HOST
 */
export const checkRebuildHost = (ports: Pick<Ports, "scheduler">): Step<RebuildInput> => ({
  name: "check-host",
  event: "rebuild_server",
  timeoutMs: 300_000,
  async run({ ctx, operation, instance, server, input, fence, database }) {
    if (!input.otherImage) return done();
    const { spec } = rebuiltRecord(instance, input);
    const { host = "", cell = database, computeNodeUuid = "" } = server.hostInfo ?? {};
    await ports.scheduler.selectDestinations(ctx, {
      serverId: server.id,
      projectId: server.projectId,
      userId: server.userId,
      purpose: RequestPurpose.REQUEST_PURPOSE_REBUILD_CHECK,
      operation: operation.name,
      fence,
      source: { cell, host, computeNodeId: computeNodeUuid, allowed: true },
      ...(spec === undefined ? {} : { spec }),
    });
    return done();
  },
});
