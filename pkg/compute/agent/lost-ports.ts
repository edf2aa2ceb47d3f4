import type { HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Clock, Ctx } from "../../kernel/index.js";
import { asKilonovaError, firstOf, within } from "../../kernel/index.js";
import type { Client } from "../../platform/rpc/index.js";
import type { Driver } from "../driver.js";
import type { LostPort } from "./ports.js";

export interface LostPortsDeps {
  readonly host: string;
  readonly cell: string;
  readonly cells: Pick<Client<typeof HostsServiceDefinition>, "reportLostPorts">;
  readonly clock: Pick<Clock, "sleep">;
  /** Whose guests have them. */
  readonly driver: Pick<Driver, "detachInterface">;
}

const AGAIN_MS = 1_000;
const IDLE_MS = 60_000;
/** A guest that does not let go in this time keeps its device, which leads nowhere. */
const LET_GO_MS = 30_000;

/**
 * Takes ports that servers have lost out of their guests, and tells the cell until their records have lost
 * them too.
 */
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
      const woken = firstOf([ctx.signal, this.#wake.signal]);
      await this.#deps.clock
        .sleep(this.#pending.size > 0 ? AGAIN_MS : IDLE_MS, woken.signal)
        .catch(() => {})
        .finally(woken.leave);
    }
  }

  async #takeOut(ctx: Ctx, serverId: string, portId: string): Promise<void> {
    const { driver } = this.#deps;
    try {
      await within(ctx, LET_GO_MS, "The guest", async (c) => driver.detachInterface?.(c, serverId, portId));
    } catch (error) {
      ctx.log.warn("agent.ports.lost.kept", { instanceUuid: serverId, portId, error });
    }
  }

  async #report(ctx: Ctx, serverId: string, portIds: readonly string[]): Promise<void> {
    const { cells, cell, host } = this.#deps;
    for (const portId of portIds) await this.#takeOut(ctx, serverId, portId);
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
