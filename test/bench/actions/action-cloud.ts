import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mapLimit } from "../../../pkg/kernel/index.js";
import type { OperationDeclaration } from "../../../pkg/model/operation-declaration.js";
import { Cloud } from "../../e2e/support/cloud.js";
import { GrpcUser, call } from "../../e2e/support/grpc-user.js";
import { cpuMs } from "../cpu.js";
import { Rest } from "../rest.js";
import { requestOf } from "./requests.js";

/** The newest version before a name that some actions lost, in which all of them are there. */
const VERSION = "2.96";
const AT_ONCE = 8;

export interface Sample {
  /** From the request to its answer, ms. */
  readonly answerMs: number;
  /** From the request to the operation's end, ms. */
  readonly endMs: number;
}

export interface Batch {
  readonly samples: readonly Sample[];
  /** Of the whole cloud, PostgreSQL included, per action. */
  readonly cpuMsEach: number;
}

/**
 * A cloud of fake hosts that keeps deleted servers for a while, so that soft deletion is among the actions.
 */
export class ActionCloud {
  readonly #cloud: Cloud;
  readonly #rest: Rest;
  readonly #grpc: GrpcUser;
  readonly #imageId: string;
  readonly #networkId: string;

  private constructor(cloud: Cloud, rest: Rest, grpc: GrpcUser, imageId: string, networkId: string) {
    this.#cloud = cloud;
    this.#rest = rest;
    this.#grpc = grpc;
    this.#imageId = imageId;
    this.#networkId = networkId;
  }

  static async start(portOffset: number): Promise<ActionCloud> {
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
    return new ActionCloud(cloud, await at(8774, "/v2.1"), grpc, image?.id ?? "", network.id);
  }

  /** Servers that run, each with a port. @returns their ids, and what making one cost */
  async boot(count: number, concurrency: number): Promise<{ ids: readonly string[]; batch: Batch }> {
    const ids: string[] = [];
    const batch = await this.#batch(Array.from({ length: count }), concurrency, async () => {
      const started = performance.now();
      const { server } = await this.#rest.json<{ server: { id: string } }>(
        "POST",
        "/servers",
        {
          server: {
            name: "bench",
            imageRef: this.#imageId,
            flavorRef: "1",
            networks: [{ uuid: this.#networkId }],
          },
        },
        VERSION,
      );
      ids.push(server.id);
      return this.#timed(started, server.id);
    });
    return { ids, batch };
  }

  /** Has a kind done to each of the servers. @returns undefined when no REST request is known for it */
  async act(
    one: OperationDeclaration,
    ids: readonly string[],
    concurrency: number,
  ): Promise<Batch | undefined> {
    const ports = new Map(await mapLimit(ids, AT_ONCE, async (id) => [id, await this.#portOf(id)] as const));
    const requests = ids.map((serverId) => ({
      serverId,
      request: requestOf(one, {
        serverId,
        imageId: this.#imageId,
        networkId: this.#networkId,
        portId: ports.get(serverId) ?? "",
      }),
    }));
    if (requests.some(({ request }) => request === undefined)) return undefined;
    return this.#batch(requests, concurrency, async ({ serverId, request }) => {
      const started = performance.now();
      await this.#rest.send(request?.method ?? "", request?.path ?? "", request?.body, VERSION);
      return this.#timed(started, serverId);
    });
  }

  async remove(ids: readonly string[]): Promise<void> {
    await mapLimit(ids, AT_ONCE, async (id) => {
      await this.#rest
        .send("POST", `/servers/${id}/action`, { forceDelete: null }, VERSION)
        .catch((error: unknown) => {
          // Some of what is measured deletes them.
          if (!/: 404 /.test(String(error))) throw error;
        });
    });
  }

  async stop(): Promise<void> {
    this.#rest.close();
    await this.#grpc.channel.close();
    await this.#cloud.stop();
    this.#cloud.forget();
  }

  async #batch<T>(
    items: readonly T[],
    concurrency: number,
    one: (item: T) => Promise<Sample>,
  ): Promise<Batch> {
    const before = cpuMs(this.#processes());
    const samples = await mapLimit(items, concurrency, one);
    return { samples, cpuMsEach: (cpuMs(this.#processes()) - before) / items.length };
  }

  /**
   * Called when a request is answered: waits for the end of what it began. @throws when that is no success
   */
  async #timed(startedMs: number, serverId: string): Promise<Sample> {
    const answerMs = performance.now() - startedMs;
    const { operations } = await this.#grpc.operations.listOperations(call(), { serverId, pageSize: 1 });
    const operation = await this.#grpc.wait(operations[0]);
    const endMs = performance.now() - startedMs;
    if (operation.error !== undefined)
      throw new Error(`${operation.kind} failed: ${JSON.stringify(operation.error)}`);
    return { answerMs, endMs };
  }

  async #portOf(serverId: string): Promise<string> {
    const { interfaceAttachments } = await this.#rest.json<{
      interfaceAttachments: { port_id: string }[];
    }>("GET", `/servers/${serverId}/os-interface`, undefined, VERSION);
    return interfaceAttachments[0]?.port_id ?? "";
  }

  #processes(): readonly number[] {
    const { home, pid } = this.#cloud;
    const { base } = JSON.parse(readFileSync(join(home, "postgres.json"), "utf8")) as { base: string };
    return [pid, Number(readFileSync(join(base, "data", "postmaster.pid"), "utf8").split("\n")[0])];
  }
}
