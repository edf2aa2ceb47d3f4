import { until } from "../../../pkg/testkit/until.js";
import type { Rest } from "../rest.js";

const AT_REST = /^(available|error)/;
const POLL_MS = 50;
const PATIENCE_MS = 120_000;

/** Volumes of a GiB at a Block Storage service, one for each server that needs one. */
export class ServerVolumes {
  readonly #rest: Rest;
  readonly #ids = new Map<string, string>();

  constructor(rest: Rest) {
    this.#rest = rest;
  }

  /** @returns the server's, which is made when it has none yet */
  async of(serverId: string): Promise<string> {
    const known = this.#ids.get(serverId);
    if (known !== undefined) return known;
    const { volume } = await this.#rest.json<{ volume: { id: string } }>("POST", "/volumes", {
      volume: { size: 1 },
    });
    this.#ids.set(serverId, volume.id);
    await this.#atRest(volume.id);
    return volume.id;
  }

  /** Removes what a server had, which is being deleted: first it lets go of it. */
  async remove(serverId: string): Promise<void> {
    const id = this.#ids.get(serverId);
    if (id === undefined) return;
    await this.#atRest(id);
    await this.#rest.send("DELETE", `/volumes/${id}`);
    this.#ids.delete(serverId);
  }

  async #atRest(id: string): Promise<void> {
    const isAtRest = async (): Promise<boolean> => {
      const { volume } = await this.#rest.json<{ volume: { status: string } }>("GET", `/volumes/${id}`);
      return AT_REST.test(volume.status);
    };
    await until(isAtRest, { timeoutMs: PATIENCE_MS, what: `volume ${id} to be free`, everyMs: POLL_MS });
  }
}
