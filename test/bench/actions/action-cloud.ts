import { mapLimit } from "../../../pkg/kernel/index.js";
import type { OperationDeclaration } from "../../../pkg/model/operation-declaration.js";
import { cpuMs } from "../cpu.js";
import type { Rest } from "../rest.js";
import { WITH_PORT, WITH_VOLUME, requestOf } from "./requests.js";
import type { Given } from "./requests.js";
import { ServerVolumes } from "./server-volumes.js";

const AT_ONCE = 8;

export interface Sample {
  /** From the request to its answer, ms. */
  readonly answerMs: number;
  /** From the request to the end of what it began, ms. */
  readonly endMs: number;
}

export interface Batch {
  readonly samples: readonly Sample[];
  /** Of the whole cloud, its database included, per action. */
  readonly cpuMsEach: number;
}

/** A running cloud of fake hosts, whosever. */
export interface Subject {
  readonly rest: Rest;
  /** Its Block Storage; undefined where it is asked for nothing that needs one. */
  readonly volumes: Rest | undefined;
  readonly imageId: string;
  readonly networkId: string;
  readonly flavorId: string;
  /** Of requests: the newest that it has before a name that some actions lost. */
  readonly version: string;
  /** All its processes, those of its database included. */
  processes(): readonly number[];
  /**
   * Resolves when what was asked last of a server has ended.
   * @param kind  of what another service begins, after the answer
   * @throws when that was no success
   */
  ended(serverId: string, kind?: string): Promise<void>;
  /** CPU that waiting for ends has cost so far and users do not pay, ms. */
  waitingMs(): number;
  stop(): Promise<void>;
}

/** Does actions on servers and measures them. */
export class ActionCloud {
  readonly #subject: Subject;
  readonly #volumes: ServerVolumes | undefined;

  constructor(subject: Subject) {
    this.#subject = subject;
    this.#volumes = subject.volumes && new ServerVolumes(subject.volumes);
  }

  /** Whether a REST request is known for a kind, and whoever serves it is there. */
  canAct(one: OperationDeclaration): boolean {
    return (
      requestOf(one) !== undefined && (WITH_VOLUME[one.kind] === undefined || this.#volumes !== undefined)
    );
  }

  /** Servers that run, each with a port. @returns their ids, and what making one cost */
  async boot(count: number, concurrency: number): Promise<{ ids: readonly string[]; batch: Batch }> {
    const { rest, imageId, flavorId, networkId, version } = this.#subject;
    const ids: string[] = [];
    const server = {
      ...{ name: "bench", imageRef: imageId, flavorRef: flavorId },
      networks: [{ uuid: networkId }],
    };
    const batch = await this.#batch(Array.from({ length: count }), concurrency, async () => {
      const started = performance.now();
      const made = await rest.json<{ server: { id: string } }>("POST", "/servers", { server }, version);
      ids.push(made.server.id);
      return this.#timed(started, made.server.id);
    });
    return { ids, batch };
  }

  /** Has a kind done to each of the servers. @throws when it cannot act so */
  async act(one: OperationDeclaration, ids: readonly string[], concurrency: number): Promise<Batch> {
    const { rest, volumes, version } = this.#subject;
    const ask = requestOf(one);
    if (ask === undefined || !this.canAct(one)) throw new Error(`nobody can be asked for ${one.kind}`);
    const requests = await mapLimit(ids, AT_ONCE, async (serverId) => ({
      serverId,
      request: ask(await this.#given(one, serverId)),
    }));
    return this.#batch(requests, concurrency, async ({ serverId, request }) => {
      const { service, method, path, body } = request;
      const started = performance.now();
      await (service === "volumes" ? volumes : rest)?.send(method, path, body, version);
      return this.#timed(started, serverId, service && one.kind);
    });
  }

  async remove(ids: readonly string[]): Promise<void> {
    const { rest, version } = this.#subject;
    await mapLimit(ids, AT_ONCE, async (id) => {
      await rest
        .send("POST", `/servers/${id}/action`, { forceDelete: null }, version)
        .catch((error: unknown) => {
          // Some of what is measured deletes them.
          if (!/: 404 /.test(String(error))) throw error;
        });
      await this.#volumes?.remove(id);
    });
  }

  stop(): Promise<void> {
    return this.#subject.stop();
  }

  async #batch<T>(
    items: readonly T[],
    concurrency: number,
    one: (item: T) => Promise<Sample>,
  ): Promise<Batch> {
    const spent = (): number => cpuMs(this.#subject.processes()) - this.#subject.waitingMs();
    const before = spent();
    const samples = await mapLimit(items, concurrency, one);
    return { samples, cpuMsEach: (spent() - before) / items.length };
  }

  /** Called when a request is answered: waits for the end of what it began. */
  async #timed(startedMs: number, serverId: string, kind?: string): Promise<Sample> {
    const answerMs = performance.now() - startedMs;
    await this.#subject.ended(serverId, kind);
    return { answerMs, endMs: performance.now() - startedMs };
  }

  async #given(one: OperationDeclaration, serverId: string): Promise<Given> {
    const { imageId, networkId } = this.#subject;
    const portId = WITH_PORT.has(one.kind) ? await this.#portOf(serverId) : "";
    const volumeId = (WITH_VOLUME[one.kind] && (await this.#volumes?.of(serverId))) ?? "";
    return { serverId, imageId, networkId, portId, volumeId };
  }

  async #portOf(serverId: string): Promise<string> {
    const { rest, version } = this.#subject;
    const { interfaceAttachments } = await rest.json<{
      interfaceAttachments: { port_id: string }[];
    }>("GET", `/servers/${serverId}/os-interface`, undefined, version);
    return interfaceAttachments[0]?.port_id ?? "";
  }
}
