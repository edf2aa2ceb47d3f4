import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Cloud } from "../../e2e/support/cloud.js";
import { GrpcUser, call } from "../../e2e/support/grpc-user.js";
import { Rest } from "../rest.js";
import type { Subject } from "./action-cloud.js";

/**
 * A cloud of fake hosts that keeps deleted servers for a while, so that soft deletion is among the actions.
 */
export async function kilonova(portOffset: number): Promise<Subject> {
  const cloud = await Cloud.start({
    portOffset,
    args: ["--driver", "fake", "--hosts", "20"],
    env: {
      KILONOVA_TELEMETRY_TRACES: "discard",
      KILONOVA_CELLS_MAX_INSTANCES: "-1",
      KILONOVA_CELLS_MAX_CORES: "-1",
      KILONOVA_CELLS_MAX_RAM_MIB: "-1",
      KILONOVA_CELLS_RECLAIM_INSTANCE_INTERVAL_S: "86400",
    },
  });
  const grpc = await GrpcUser.open(cloud, "admin");
  const at = async (port: number, path = ""): Promise<Rest> => {
    const rest = new Rest(`http://127.0.0.1:${cloud.port(port)}${path}`);
    await rest.login(`http://127.0.0.1:${cloud.port(5000)}`, cloud.credentials("admin"));
    return rest;
  };
  const [images, networks] = [await at(9292), await at(9696)];
  const [image] = (await images.json<{ images: { id: string }[] }>("GET", "/v2/images")).images;
  const { network } = await networks.json<{ network: { id: string } }>("POST", "/v2.0/networks", {
    network: { name: "bench" },
  });
  await networks.send("POST", "/v2.0/subnets", {
    subnet: { network_id: network.id, ip_version: 4, cidr: "10.99.0.0/16" },
  });
  await networks.send("PUT", `/v2.0/quotas/${networks.projectId()}`, { quota: { port: -1 } });
  images.close();
  networks.close();
  const rest = await at(8774, "/v2.1");
  return {
    rest,
    imageId: image?.id ?? "",
    networkId: network.id,
    flavorId: "1",
    version: "2.96",
    processes: () => {
      const { base } = JSON.parse(readFileSync(join(cloud.home, "postgres.json"), "utf8")) as {
        base: string;
      };
      const postmaster = readFileSync(join(base, "data", "postmaster.pid"), "utf8").split("\n")[0];
      return [cloud.pid, Number(postmaster)];
    },
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
