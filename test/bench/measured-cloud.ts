import type { Cloud } from "../e2e/support/cloud.js";
import { administrator, furnish, processesOf, startBenchCloud } from "./bench-cloud.js";
import { cpuMs, pssMib } from "./cpu.js";
import { many } from "./rest.js";
import type { Rest } from "./rest.js";

/** Something whose cost is measured: `count` calls, `concurrency` at once. */
export interface Operation {
  readonly what: string;
  readonly count: number;
  readonly concurrency: number;
  call(cloud: MeasuredCloud): Promise<unknown>;
  /** What is still done after the answers and belongs to the cost. */
  readonly settles?: boolean;
  /** What comes before the first measurement. */
  prepare?(cloud: MeasuredCloud): Promise<unknown>;
}

export interface Cost {
  readonly cpuMsEach: number;
  readonly perSecond: number;
}

/** In the order in which they are measured: the reads come when there are a thousand servers. */
export const OPERATIONS = {
  createWithPort: {
    what: "create → ACTIVE, fake hosts, concurrency 16, with a port",
    count: 120,
    concurrency: 16,
    call: (cloud) => cloud.createWithPort(),
    settles: true,
    // Warm: what counts is a running cloud, not the compiler's first minute.
    prepare: (cloud) => cloud.grow(300),
  },
  create: {
    what: "create → ACTIVE, fake hosts, concurrency 16, no network",
    count: 100,
    concurrency: 16,
    call: (cloud) => cloud.create("none"),
    settles: true,
  },
  detail: {
    what: "GET /servers/detail, 1,000 servers",
    count: 20,
    concurrency: 1,
    call: (cloud) => cloud.rest.send("GET", "/servers/detail"),
    prepare: async (cloud) => {
      await cloud.grow(1000);
      await many(3, 1, () => cloud.rest.send("GET", "/servers/detail"));
    },
  },
  show: {
    what: "GET /servers/{id}",
    count: 2000,
    concurrency: 8,
    call: (cloud) => cloud.show(),
    prepare: (cloud) => many(200, 8, () => cloud.show()),
  },
  flavors: {
    what: "GET /flavors/detail",
    count: 3000,
    concurrency: 8,
    call: (cloud) => cloud.rest.send("GET", "/flavors/detail"),
    prepare: (cloud) => many(200, 8, () => cloud.rest.send("GET", "/flavors/detail")),
  },
} as const satisfies Record<string, Operation>;

/** A whole cloud on the fake driver, with fsync, policy and tracing on, and what measuring it needs. */
export class MeasuredCloud {
  readonly rest: Rest;
  readonly #cloud: Cloud;
  readonly #image: string;
  readonly #network: string;
  #made = 0;
  #serverId = "";

  private constructor(cloud: Cloud, rest: Rest, image: string, network: string) {
    this.#cloud = cloud;
    this.rest = rest;
    this.#image = image;
    this.#network = network;
  }

  /** @param root  another checkout of the project, built or with its packages installed */
  static async start(portOffset: number, root?: string): Promise<MeasuredCloud> {
    const cloud = await startBenchCloud({ portOffset, ...(root === undefined ? {} : { root }) });
    const { imageId, networkId } = await furnish(cloud);
    return new MeasuredCloud(cloud, await administrator(cloud, 8774, "/v2.1"), imageId, networkId);
  }

  async stop(): Promise<void> {
    this.rest.close();
    await this.#cloud.stop();
    this.#cloud.forget();
  }

  create(networks: unknown): Promise<string> {
    return this.rest.send(
      "POST",
      "/servers",
      { server: { name: `bench-${++this.#made}`, imageRef: this.#image, flavorRef: "1", networks } },
      "2.37",
    );
  }

  createWithPort(): Promise<string> {
    return this.create([{ uuid: this.#network }]);
  }

  async show(): Promise<string> {
    if (this.#serverId === "") {
      const { servers } = await this.rest.json<{ servers: { id: string }[] }>("GET", "/servers?limit=1");
      this.#serverId = servers[0]?.id ?? "";
    }
    return this.rest.send("GET", `/servers/${this.#serverId}`);
  }

  /** Creates servers until there are so many, all of them active. */
  async grow(servers: number): Promise<void> {
    await many(servers - this.#made, 16, () => this.createWithPort());
    await this.active();
  }

  /** Waits for all servers. @throws when one has failed */
  async active(): Promise<void> {
    const named = async (query: string): Promise<{ fault?: { message: string } }[]> =>
      (await this.rest.json<{ servers: { fault?: { message: string } }[] }>("GET", query)).servers;
    // Asks for one server that is still being built: what the waiting itself costs must not count.
    while ((await named("/servers?status=BUILD&limit=1")).length > 0)
      await new Promise((resolve) => setTimeout(resolve, 100));
    const [failed] = await named("/servers/detail?status=ERROR&limit=1");
    if (failed) throw new Error(`a server failed: ${JSON.stringify(failed.fault)}`);
    const active = (await named("/servers?status=ACTIVE&limit=1000")).length;
    if (active < Math.min(this.#made, 1000)) throw new Error(`${active} of ${this.#made} servers are active`);
  }

  /** @param share  of the operation's calls */
  async measure(operation: Operation, share = 1): Promise<Cost> {
    const count = Math.ceil(operation.count * share);
    const before = cpuMs(processesOf(this.#cloud));
    const started = performance.now();
    await many(count, operation.concurrency, () => operation.call(this));
    if (operation.settles) await this.active();
    const seconds = (performance.now() - started) / 1000;
    return { cpuMsEach: (cpuMs(processesOf(this.#cloud)) - before) / count, perSecond: count / seconds };
  }

  memory(): ReturnType<typeof pssMib> {
    return pssMib(processesOf(this.#cloud));
  }
}

/** The one in the middle. */
export function median<T>(all: readonly T[], by: (one: T) => number): T {
  const middle = [...all].sort((a, b) => by(a) - by(b))[Math.floor(all.length / 2)];
  if (middle === undefined) throw new Error("nothing was measured");
  return middle;
}
