import type { HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Clock, Ctx } from "../../kernel/index.js";
import { asKilonovaError } from "../../kernel/index.js";
import type { Client } from "../../platform/rpc/index.js";
import type { LostPort } from "./ports.js";

export interface LostPortsDeps {
  readonly host: string;
  readonly cell: string;
  readonly cells: Pick<Client<typeof HostsServiceDefinition>, "reportLostPorts">;
  readonly clock: Pick<Clock, "sleep">;
}

const AGAIN_MS = 1_000;
const IDLE_MS = 60_000;

/** Tells the cell of ports that servers have lost, until their records have lost them too. */
export class LostPorts {
  readonly #deps: LostPortsDeps;
  readonly #pending = new Map<string, Set<string>>();
  #wake = new AbortController();

  constructor(deps: LostPortsDeps) {
    this.#deps = deps;
  }

  note({ serverId, portId }: LostPort): void {
    const ports = this.#pending.get(serverId) ?? new Set();
    this.#pending.set(serverId, ports.add(portId));
    this.#wake.abort();
  }

  /** Reports until the context ends; what is not settled again after a second. */
  async run(ctx: Ctx): Promise<void> {
    while (!ctx.signal.aborted) {
      this.#wake = new AbortController();
      for (const [serverId, ports] of this.#pending) await this.#report(ctx, serverId, [...ports]);
      await this.#deps.clock
        .sleep(this.#pending.size > 0 ? AGAIN_MS : IDLE_MS, AbortSignal.any([ctx.signal, this.#wake.signal]))
        .catch(() => {}); // woken
    }
  }

  async #report(ctx: Ctx, serverId: string, portIds: readonly string[]): Promise<void> {
    const { cells, cell, host } = this.#deps;
    try {
      const { settled } = await cells.reportLostPorts(ctx, { cell, host, serverId, portIds: [...portIds] });
      if (!settled) return;
      ctx.log.info("agent.ports.lost", { instanceUuid: serverId, ports: portIds });
      const left = this.#pending.get(serverId);
      for (const id of portIds) left?.delete(id);
      if (left?.size === 0) this.#pending.delete(serverId);
    } catch (error) {
      // gone, or on another host
      if (asKilonovaError(error).kind === "missing") this.#pending.delete(serverId);
      ctx.log.warn("agent.ports.lost.report-failed", { instanceUuid: serverId, error });
    }
  }
}
