import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Cloud } from "../e2e/support/cloud.js";
import type { CloudOptions } from "../e2e/support/cloud.js";
import { Rest } from "./rest.js";

/** A cloud of twenty fake hosts without quotas, with fsync, policy and tracing on. */
export const startBenchCloud = ({
  env,
  ...options
}: Pick<CloudOptions, "portOffset" | "root" | "env">): Promise<Cloud> =>
  Cloud.start({
    ...options,
    args: ["--driver", "fake", "--hosts", "20"],
    env: {
      KILONOVA_TELEMETRY_TRACES: "discard",
      KILONOVA_CELLS_MAX_INSTANCES: "-1",
      KILONOVA_CELLS_MAX_CORES: "-1",
      KILONOVA_CELLS_MAX_RAM_MIB: "-1",
      KILONOVA_IMAGE_IMAGE_COUNT_TOTAL: "-1",
      KILONOVA_IMAGE_IMAGE_SIZE_TOTAL: "-1",
      KILONOVA_IMAGE_IMAGE_COUNT_UPLOADING: "-1",
      KILONOVA_VOLUME_QUOTA_VOLUMES: "-1",
      KILONOVA_VOLUME_QUOTA_GIGABYTES: "-1",
      ...env,
    },
  });

/** Its administrator's way to one of its services. */
export async function administrator(cloud: Cloud, port: number, path = ""): Promise<Rest> {
  const rest = new Rest(`http://127.0.0.1:${cloud.port(port)}${path}`);
  await rest.login(`http://127.0.0.1:${cloud.port(5000)}`, cloud.credentials("admin"));
  return rest;
}

/** The cloud and its PostgreSQL. */
export function processesOf({ home, pid }: Cloud): readonly number[] {
  const { base } = JSON.parse(readFileSync(join(home, "postgres.json"), "utf8")) as { base: string };
  const postgres = Number.parseInt(readFileSync(join(base, "data", "postmaster.pid"), "utf8"), 10);
  if (!Number.isInteger(postgres)) throw new Error("the cloud has no PostgreSQL");
  return [pid, postgres];
}

/** What new servers boot from and are connected to. */
export interface Furniture {
  readonly imageId: string;
  readonly networkId: string;
}

/**
 * An image that is there, whose servers have a guest agent to talk to, and a network of its own, large enough
 * for thousands of ports.
 */
export async function furnish(cloud: Cloud): Promise<Furniture> {
  const [images, networks] = [await administrator(cloud, 9292), await administrator(cloud, 9696)];
  try {
    const imageId = await imageOf(images);
    await images.send("PATCH", `/v2/images/${imageId}`, [
      { op: "add", path: "/hw_qemu_guest_agent", value: "yes" },
    ]);
    return { imageId, networkId: await newNetwork(networks) };
  } finally {
    images.close();
    networks.close();
  }
}

/** The Image service's oldest: younger ones may be what is measured. @throws when it has none */
export async function imageOf(images: Rest): Promise<string> {
  const {
    images: [first],
  } = await images.json<{ images: { id: string }[] }>("GET", "/v2/images?sort=created_at:asc");
  if (!first) throw new Error("the cloud has no image");
  return first.id;
}

async function newNetwork(networks: Rest): Promise<string> {
  const { network } = await networks.json<{ network: { id: string } }>("POST", "/v2.0/networks", {
    network: { name: "bench" },
  });
  await networks.send("POST", "/v2.0/subnets", {
    subnet: { network_id: network.id, ip_version: 4, cidr: "10.99.0.0/16" },
  });
  await networks.send("PUT", `/v2.0/quotas/${networks.projectId()}`, { quota: { port: -1 } });
  return network.id;
}
