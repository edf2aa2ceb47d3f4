import type {
  ComputeNode,
  HostService,
  HostsServiceDefinition,
} from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Clock, Ctx } from "../../kernel/index.js";
import { mapLimit } from "../../kernel/index.js";
import type { Client } from "../../platform/rpc/index.js";
import type { Databases } from "./databases.js";
import type { Answers, CellGuard } from "./guard.js";
import { isSilence } from "./guard.js";
import { COMPUTE_BINARY } from "../../model/service-names.js";

const CELLS_AT_ONCE = 64;

/** The services of one cell as they were a moment ago. */
export interface CellServices {
  readonly cell: string;
  readonly services: readonly HostService[];
  /** Compute services by host. */
  readonly byHost: ReadonlyMap<string, HostService>;
}

/** The hosts of one cell: services, and hypervisors with what they use and tell now. */
export interface CellHosts extends CellServices {
  readonly nodes: readonly ComputeNode[];
}

/**
 * How much is read of hosts: their services; hypervisors as recorded, too; or also what they tell of
 * themselves and what their instances use, a sum over all of these.
 */
export type HostDetail = "services" | "records" | "use";

/** A read of a cell, and what it became. */
interface Known {
  readonly hosts: Promise<CellServices>;
  readonly untilMs: number;
  read?: CellServices;
}

/**
 * Hosts of all cells: a read of a cell's services serves everybody for a moment; a silent cell is shown as
 * last seen. Hypervisors, whose use is a sum over all instances, are read only for who lists them.
 */
export class HostDirectory {
  readonly #hosts: Client<HostsServiceDefinition>;
  readonly #databases: Databases;
  readonly #guard: CellGuard;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #known = new Map<string, Known>();
  readonly #last = new Map<string, CellServices>();
  readonly #lastNodes = new Map<string, CellHosts["nodes"]>();

  constructor(
    hosts: Client<HostsServiceDefinition>,
    databases: Databases,
    guard: CellGuard,
    clock: Clock,
    ttlMs: number,
  ) {
    this.#hosts = hosts;
    this.#databases = databases;
    this.#guard = guard;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  /** @throws only when the cell is silent and was never read */
  async of(ctx: Ctx, cell: string): Promise<CellServices> {
    const known = this.#fresh(cell);
    if (known !== undefined) return known.hosts;
    // others wait for it too: it must not end with its first caller
    const shared = { ...ctx, signal: new AbortController().signal, deadlineMs: undefined };
    const hosts = this.#read(shared, cell);
    const entry: Known = { hosts, untilMs: this.#clock.monotonicMs() + this.#ttlMs };
    this.#known.set(cell, entry);
    hosts.then(
      (read) => {
        entry.read = read;
      },
      () => {
        this.#known.delete(cell);
      },
    );
    return hosts;
  }

  /** All cells that have hosts; those that are silent and unknown are named. */
  async all(
    ctx: Ctx,
  ): Promise<{ readonly cells: readonly CellServices[]; readonly unreachable: readonly string[] }> {
    const { answers, unreachable } = await this.some(ctx, await this.#databases.hostingCells(ctx));
    return { cells: answers.map((answer) => answer.value), unreachable };
  }

  /**
   * The given cells, each read now, in that detail. A silent one is named, and given as it was last seen
   * by this process: with nothing up, since nobody knows.
   */
  async now(
    ctx: Ctx,
    among: readonly string[],
    detail: HostDetail,
  ): Promise<{ readonly cells: readonly CellHosts[]; readonly unreachable: readonly string[] }> {
    const { answers, unreachable } = await this.#guard.fanOut(ctx, among, async (inner, cell) => {
      const { services, nodes } = await this.#hosts.listHosts(inner, {
        cell,
        servicesOnly: detail === "services",
        recordsOnly: detail === "records",
      });
      if (detail === "use") this.#lastNodes.set(cell, nodes);
      return { ...this.#seen(cell, services), nodes };
    });
    const seen = unreachable.flatMap((cell) =>
      asLastSeen(this.#last.get(cell)).map((one) => ({ ...one, nodes: this.#lastNodes.get(cell) ?? [] })),
    );
    return { cells: [...answers.map(({ value }) => value), ...seen], unreachable };
  }

  /** The given cells, as far as they answer. @cost next to nothing while they were read a moment ago */
  async some(ctx: Ctx, cells: readonly string[]): Promise<Answers<CellServices>> {
    const read = cells.flatMap((database) => {
      const value = this.#fresh(database)?.read;
      return value === undefined ? [] : [{ database, value }];
    });
    if (read.length === cells.length) return { answers: read, unreachable: [] };
    // The guard stands around the read itself: a second one out here would end before it could fall back.
    const outcomes = await mapLimit(cells, CELLS_AT_ONCE, async (database) => {
      try {
        return { database, value: await this.of(ctx, database) };
      } catch (error) {
        if (!isSilence(error) || ctx.signal.aborted) throw error;
        return { database, value: undefined };
      }
    });
    return {
      answers: outcomes.flatMap(({ database, value }) => (value === undefined ? [] : [{ database, value }])),
      unreachable: outcomes.flatMap(({ database, value }) => (value === undefined ? [database] : [])),
    };
  }

  /** Forgets what is known of a cell, after a change. */
  forget(cell: string): void {
    this.#known.delete(cell);
  }

  #fresh(cell: string): Known | undefined {
    const known = this.#known.get(cell);
    return known !== undefined && this.#clock.monotonicMs() < known.untilMs ? known : undefined;
  }

  async #read(ctx: Ctx, cell: string): Promise<CellServices> {
    try {
      return await this.#guard.call(ctx, cell, async (inner) => {
        const { services } = await this.#hosts.listHosts(inner, { cell, servicesOnly: true });
        return this.#seen(cell, services);
      });
    } catch (error) {
      const last = this.#last.get(cell);
      if (last === undefined || !isSilence(error)) throw error;
      return last;
    }
  }

  #seen(cell: string, services: readonly HostService[]): CellServices {
    const seen = servicesOf(cell, services);
    this.#last.set(cell, seen);
    return seen;
  }
}

function servicesOf(cell: string, services: readonly HostService[]): CellServices {
  const compute = services.filter((service) => service.binary === COMPUTE_BINARY);
  return { cell, services, byHost: new Map(compute.map((service) => [service.host, service])) };
}

const asLastSeen = (hosts: CellServices | undefined): CellServices[] =>
  hosts === undefined
    ? []
    : [
        servicesOf(
          hosts.cell,
          hosts.services.map((service) => ({ ...service, up: false })),
        ),
      ];
