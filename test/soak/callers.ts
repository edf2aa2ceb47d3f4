import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { GrpcClient } from "../e2e/bad-input/grpc-client.js";
import { Protos, pathOf } from "../e2e/bad-input/protos.js";
import { Random } from "../e2e/bad-input/fuzz/random.js";
import type { Rest } from "../integration/support/cluster/rest.js";
import type { Step } from "./plan.js";
import { bootDisks } from "./boot-body.js";
import { actionRequest, callRequest, volumeRequest } from "./requests.js";
import type { Things } from "./requests.js";
import type { SoakCloud, Tenant } from "./soak-cloud.js";
import { Volumes } from "./volumes.js";

/** What a cloud never answers, whatever it is asked and whoever has just died. */
const NEVER_GRPC = new Set(["INTERNAL", "UNKNOWN", "DATA_LOSS"]);
const NEVER_REST = (status: number): boolean => status >= 500 && ![501, 503, 504].includes(status);
const VERSION = "2.96";

/** How a step has ended: a word for the table, and what must not have been. */
interface Answered {
  readonly outcome: string;
  readonly wrong?: string;
  /** Of a server that was made. */
  readonly serverId?: string;
}

/** Does steps: finds out what they may name, sends the request, and keeps which server is in which slot. */
export class Callers {
  readonly #cloud: SoakCloud;
  /** Slots from this one on are for real guests. */
  readonly #realFrom: number;
  readonly #servers = new Map<number, string>();
  readonly #busy = new Set<number>();
  readonly #protos = new Protos();
  readonly #grpc: GrpcClient;
  /** By kind, how often each outcome came. */
  readonly outcomes = new Map<string, Map<string, number>>();
  readonly wrong: string[] = [];
  /** How long answers took, ms. */
  readonly durations: number[] = [];
  /** Every server that was made. */
  readonly made: string[] = [];
  readonly volumes: Volumes;

  constructor(cloud: SoakCloud, realFrom: number) {
    this.#cloud = cloud;
    this.#realFrom = realFrom;
    this.#grpc = new GrpcClient(cloud.grpcPort);
    this.volumes = new Volumes(cloud, (kind, outcome, wrong) => {
      this.#count(kind, outcome);
      if (wrong !== undefined) this.wrong.push(`${kind}: ${wrong}`);
    });
  }

  close(): void {
    this.#grpc.close();
  }

  /** One caller: does the plan's steps until told to stop. */
  async run(plan: Iterator<Step>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const step = plan.next().value as Step;
      await this.#do(step);
      await delay(step.restMs, undefined, { signal }).catch(() => {});
    }
  }

  async #do(step: Step): Promise<void> {
    const random = new Random(step.seed);
    const startedMs = performance.now();
    const { kind, answered } = await this.#step(step, random).catch((error: unknown) => ({
      kind: step.kind,
      answered: { outcome: "no answer", ...rejection(error) } as Answered,
    }));
    this.durations.push(performance.now() - startedMs);
    this.#count(kind, answered.outcome);
    if (answered.wrong !== undefined)
      this.wrong.push(
        `step ${step.number} ${step.method.name} by ${step.as} (${step.road}): ${answered.wrong}`,
      );
  }

  #count(kind: string, outcome: string): void {
    const row = this.outcomes.get(kind) ?? new Map<string, number>();
    this.outcomes.set(kind, row.set(outcome, (row.get(outcome) ?? 0) + 1));
  }

  async #step(step: Step, random: Random): Promise<{ kind: string; answered: Answered }> {
    const owner = this.#cloud.tenants[step.slot % 2 === 0 ? 0 : 1];
    const rest = this.#cloud.rest(owner, "compute");
    const serverId = this.#servers.get(step.slot);
    if (serverId === undefined || step.kind === "server.boot") {
      if (this.#busy.has(step.slot)) return { kind: step.kind, answered: { outcome: "slot taken" } };
      this.#busy.add(step.slot);
      try {
        return await this.#boot(step, owner, serverId, random);
      } finally {
        this.#busy.delete(step.slot);
      }
    }
    const as =
      step.as === "owner" ? owner : step.as === "operator" ? this.#cloud.operator : this.#other(owner);
    const answered = await this.#act(step, serverId, as, rest, random);
    if (answered.outcome === "404" && step.as === "owner" && (await gone(rest, serverId)))
      this.#servers.delete(step.slot);
    return { kind: step.kind, answered };
  }

  #other = (owner: Tenant): Tenant =>
    this.#cloud.tenants[0] === owner ? this.#cloud.tenants[1] : this.#cloud.tenants[0];

  async #boot(
    step: Step,
    tenant: Tenant,
    before: string | undefined,
    random: Random,
  ): Promise<{ kind: string; answered: Answered }> {
    const rest = this.#cloud.rest(tenant, "compute");
    // One that was deleted and can still be restored is left to its fate.
    if (before !== undefined && !(await gone(rest, before)))
      return { kind: "server.boot", answered: { outcome: "slot taken" } };
    const real = step.slot >= this.#realFrom;
    const { form, ...disks } = await bootDisks(this.#cloud, this.volumes, { tenant, real }, random);
    const answer = await call(rest, "POST", "/servers", {
      server: {
        name: `soak-${step.slot}-${step.number}`,
        ...disks,
        networks: random.chance(0.15) ? "none" : [{ uuid: this.#cloud.networkId }],
        availability_zone: real ? "qemu" : "nova",
      },
    });
    const { id } = (answer.body["server"] ?? {}) as { id?: string };
    if (id !== undefined) {
      this.#servers.set(step.slot, id);
      this.made.push(id);
    }
    return { kind: `server.boot (${form})`, answered: judged(answer.status, answer.body) };
  }

  async #act(step: Step, serverId: string, as: Tenant, owner: Rest, random: Random): Promise<Answered> {
    const things = await this.#things(step, serverId, owner, random);
    const rest = this.#cloud.rest(as, "compute");
    const { key, name } = step.method;
    if (step.road === "rest" && key !== undefined) {
      const request = actionRequest(key, things, random);
      const answer = await call(rest, request.method, request.path, request.body, request.version);
      return judged(answer.status, answer.body);
    }
    const ofVolume = step.road === "rest" ? volumeRequest(name, things, random) : undefined;
    if (ofVolume !== undefined) {
      const answer = await call(rest, ofVolume.method, ofVolume.path, ofVolume.body, ofVolume.version);
      return judged(answer.status, answer.body);
    }
    if (step.road === "rest" && name === "DeleteServer") {
      const answer = await call(rest, "DELETE", `/servers/${serverId}`);
      return judged(answer.status, answer.body);
    }
    return this.#call(name, things, as, random);
  }

  async #call(name: string, things: Things, as: Tenant, random: Random): Promise<Answered> {
    const method = this.#protos.methods.find((one) => one.name === name);
    if (method === undefined) return { outcome: "no method", wrong: "the contract has no such method" };
    const request = callRequest(method, things, random);
    const outcome = await this.#grpc.call(pathOf(method), this.#protos.encode(method, request), {
      "x-auth-token": as.token,
    });
    const word = outcome.code === "OK" ? "OK" : outcome.reason || outcome.code;
    return NEVER_GRPC.has(outcome.code)
      ? { outcome: word, wrong: `${outcome.code} ${outcome.message} to ${JSON.stringify(request)}` }
      : { outcome: word };
  }

  /** What the request may name: ports are the server's own, and sometimes a new one. */
  async #things(step: Step, serverId: string, owner: Rest, random: Random): Promise<Things> {
    const ports = /Interface|ExternalEvents/.test(step.method.name) ? await portsOf(owner, serverId) : [];
    const wantsFree = step.method.name === "AttachInterface" && random.chance(0.5);
    const free = wantsFree ? await this.#newPort(step) : undefined;
    const real = step.slot >= this.#realFrom;
    return {
      serverId,
      clientToken: random.chance(0.3) ? "" : randomUUID(),
      imageIds: real ? [this.#cloud.guestImageId] : this.#cloud.imageIds,
      flavorId: step.method.name === "ResizeServer" ? this.#cloud.largeFlavorId : this.#cloud.flavorId,
      networkId: this.#cloud.networkId,
      portIds: free === undefined ? ports : [free],
      aggregateId: this.#cloud.aggregateId,
      volumeIds: await this.#volumeIds(step, owner, serverId, random),
    };
  }

  /** Mostly one with which it can be done. */
  async #volumeIds(step: Step, owner: Rest, serverId: string, random: Random): Promise<readonly string[]> {
    const { name } = step.method;
    if (!/^(Attach|Detach)Volume$/.test(name)) return [];
    const tenant = this.#cloud.tenants[step.slot % 2 === 0 ? 0 : 1];
    const fits = random.chance(0.85);
    if (name === "DetachVolume" && fits) return volumesOf(owner, serverId);
    const one = fits
      ? await this.volumes.free(tenant, "any", random)
      : await this.volumes.any(tenant, random);
    return one === undefined ? [] : [one];
  }

  async #newPort(step: Step): Promise<string | undefined> {
    const tenant = this.#cloud.tenants[step.slot % 2 === 0 ? 0 : 1];
    const answer = await this.#cloud.rest(tenant, "network").call("POST", "/v2.0/ports", {
      port: { network_id: this.#cloud.networkId, name: `soak-${step.number}` },
    });
    return (answer.body["port"] as { id?: string } | undefined)?.id;
  }
}

async function portsOf(rest: Rest, serverId: string): Promise<readonly string[]> {
  const { body } = await rest.call("GET", `/servers/${serverId}/os-interface`);
  const found = (body["interfaceAttachments"] ?? []) as readonly { port_id: string }[];
  return found.map(({ port_id }) => port_id);
}

async function volumesOf(rest: Rest, serverId: string): Promise<readonly string[]> {
  const { body } = await rest.call("GET", `/servers/${serverId}/os-volume_attachments`);
  const found = (body["volumeAttachments"] ?? []) as readonly { volumeId: string }[];
  return found.map(({ volumeId }) => volumeId);
}

const gone = async (rest: Rest, serverId: string): Promise<boolean> => {
  const answer = await rest.call("GET", `/servers/${serverId}`);
  const { status } = (answer.body["server"] ?? {}) as { status?: string };
  return answer.status === 404 || status === "SOFT_DELETED";
};

async function call(rest: Rest, method: string, path: string, body?: unknown, version = VERSION) {
  return rest.in(version).call(method, path, body);
}

function judged(status: number, body: Readonly<Record<string, unknown>>): Answered {
  return NEVER_REST(status)
    ? { outcome: String(status), wrong: `${status} ${JSON.stringify(body)}` }
    : { outcome: String(status) };
}

/** The gateway may be dead. Anything else than that is a fault of this program. */
function rejection(error: unknown): Pick<Answered, "wrong"> {
  const text = `${String(error)} ${String((error as { cause?: unknown }).cause ?? "")}`;
  return /fetch failed|ECONN|terminated|timeout|socket/i.test(text) ? {} : { wrong: text };
}
