import assert from "node:assert/strict";
import { until } from "../../../pkg/testkit/until.js";
import type { Cloud } from "./cloud.js";
import { getJson } from "./identity.js";

export interface RestAnswer {
  readonly status: number;
  readonly body: Record<string, Record<string, unknown>>;
}

/** A user of the REST Compute API who looks at every status himself. */
export class ComputeRest {
  readonly #root: string;
  readonly #token: string;

  constructor(cloud: Cloud, token: string) {
    this.#root = `http://127.0.0.1:${cloud.port(8774)}/v2.1`;
    this.#token = token;
  }

  async call(method: string, path: string, body?: object): Promise<RestAnswer> {
    const answer = await fetch(this.#root + path, {
      method,
      headers: {
        "x-auth-token": this.#token,
        "content-type": "application/json",
        "openstack-api-version": "compute 2.95",
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? {} : (JSON.parse(text) as RestAnswer["body"]) };
  }

  create(server: object): Promise<RestAnswer> {
    return this.call("POST", "/servers", { server: { networks: "auto", ...server } });
  }

  act(serverId: string, action: string, args: object | null = null): Promise<RestAnswer> {
    return this.call("POST", `/servers/${serverId}/action`, { [action]: args });
  }

  async serverIds(): Promise<readonly string[]> {
    return (await getJson<{ servers: { id: string }[] }>(`${this.#root}/servers`, this.#token)).servers.map(
      ({ id }) => id,
    );
  }

  /** Waits for a lasting state. */
  async reaches(serverId: string, status: string): Promise<Record<string, unknown>> {
    return until(
      async () => {
        const server =
          (await this.call("GET", `/servers/${serverId}`)).body["server"] ??
          assert.fail(`${serverId} is gone`);
        return server["status"] === status && server["OS-EXT-STS:task_state"] === null ? server : undefined;
      },
      { timeoutMs: 240_000, what: `${serverId} to be ${status}` },
    );
  }

  /** Deletes all of the project's servers and waits until there is none. */
  async deleteAll(): Promise<void> {
    for (const id of await this.serverIds()) await this.call("DELETE", `/servers/${id}`);
    await until(async () => (await this.serverIds()).length === 0, {
      timeoutMs: 240_000,
      what: "all servers to go",
    });
  }

  /** What the project uses: instances, cores, MiB of memory. */
  async used(): Promise<readonly unknown[]> {
    const absolute = (await this.call("GET", "/limits")).body["limits"]?.["absolute"] as Record<
      string,
      unknown
    >;
    return [absolute["totalInstancesUsed"], absolute["totalCoresUsed"], absolute["totalRAMUsed"]];
  }
}
