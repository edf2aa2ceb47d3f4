import { until } from "../../../pkg/testkit/until.js";
import { GrpcUser, call } from "../../e2e/support/grpc-user.js";
import { administrator, furnish, processesOf, startBenchCloud } from "../bench-cloud.js";
import type { Subject } from "./action-cloud.js";

/** Between looks for what is not told of yet. */
const POLL_MS = 10;

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
  const volumes = await administrator(cloud, 8776, "/v3");
  return {
    rest,
    volumes,
    ...(await furnish(cloud)),
    flavorId: "1",
    version: "2.96",
    processes: () => processesOf(cloud),
    ended: async (serverId, kind) => {
      const begun = async () => {
        const { operations } = await grpc.operations.listOperations(call(), { serverId, pageSize: 1 });
        const [newest] = operations;
        return kind === undefined || newest?.kind === kind ? newest : undefined;
      };
      // Once the list of a server that had just been accepted was empty; why is not known yet.
      const what = `${kind ?? "what was asked for"} to begin`;
      const operation = await grpc.wait(await until(begun, { what, everyMs: POLL_MS }));
      if (operation.error !== undefined)
        throw new Error(`${operation.kind} failed: ${JSON.stringify(operation.error)}`);
    },
    waitingMs: () => 0,
    stop: async () => {
      rest.close();
      volumes.close();
      await grpc.channel.close();
      await cloud.stop();
      cloud.forget();
    },
  };
}
