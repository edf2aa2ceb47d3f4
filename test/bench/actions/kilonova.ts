import { GrpcUser, call } from "../../e2e/support/grpc-user.js";
import { administrator, furnish, processesOf, startBenchCloud } from "../bench-cloud.js";
import type { Subject } from "./action-cloud.js";

/**
 * A cloud of fake hosts that keeps deleted servers for a while, so that soft deletion is among the actions.
 */
export async function kilonova(portOffset: number): Promise<Subject> {
  const cloud = await startBenchCloud({
    portOffset,
    env: { KILONOVA_CELLS_RECLAIM_INSTANCE_INTERVAL_S: "86400" },
  });
  const grpc = await GrpcUser.open(cloud, "admin");
  const rest = await administrator(cloud, 8774, "/v2.1");
  return {
    rest,
    ...(await furnish(cloud)),
    flavorId: "1",
    version: "2.96",
    processes: () => processesOf(cloud),
    ended: async (serverId) => {
      const { operations } = await grpc.operations.listOperations(call(), { serverId, pageSize: 1 });
      const operation = await grpc.wait(operations[0]);
      if (operation.error !== undefined)
        throw new Error(`${operation.kind} failed: ${JSON.stringify(operation.error)}`);
    },
    waitingMs: () => 0,
    stop: async () => {
      rest.close();
      await grpc.channel.close();
      await cloud.stop();
      cloud.forget();
    },
  };
}
