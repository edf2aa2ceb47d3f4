import type { Clock } from "../../kernel/time.js";
import type { InstanceView } from "../domain/host-view.js";
import type { InstanceState } from "../ports.js";

interface Known {
  readonly cell: string;
  readonly instance: InstanceState;
  readonly expiresMs: number;
}

/** What is on a host. */
interface Load {
  readonly instances: ReadonlyMap<string, InstanceView>;
  /** How many of them are busy. Counted as they come and go: every decision asks it of many hosts. */
  readonly ioOps: number;
}
interface CountedLoad extends Load {
  readonly instances: Map<string, InstanceView>;
  ioOps: number;
}

const none: Load = { instances: new Map(), ioOps: 0 };

/** Which instances are on which host, how busy they make it, and whose builds failed there. */
export class InstanceMap {
  readonly #known = new Map<string, Known>();
  readonly #byHost = new Map<string, CountedLoad>();
  readonly #failed = new Map<string, number>();
  /** Placed ones of which no cell has told, the oldest first. */
  readonly #provisional = new Set<string>();
  readonly #clock: Clock;
  readonly #ttlMs: number;

  constructor(clock: Clock, ttlMs: number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  on(host: string): Load {
    return this.#byHost.get(host) ?? none;
  }

  hostsOf(ids: Iterable<string>): Set<string> {
    const hosts = new Set<string>();
    for (const id of ids) {
      const host = this.#known.get(id)?.instance.host ?? "";
      if (host !== "") hosts.add(host);
    }
    return hosts;
  }

  failedBuilds(host: string): number {
    return this.#failed.get(host) ?? 0;
  }

  /** Counts an instance that was just placed, until its cell tells of it or too much time has passed. */
  place(instance: InstanceView): void {
    this.#set("", { ...instance, state: "building" }, this.#clock.monotonicMs() + this.#ttlMs);
    this.#provisional.add(instance.id);
  }

  /** Drops placed instances of which no cell has told in time. Called before each decision. */
  expire(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const id of this.#provisional) {
      if ((this.#known.get(id)?.expiresMs ?? 0) > nowMs) return;
      this.#remove(id);
    }
  }

  apply(cell: string, id: string, instance: InstanceState | undefined): void {
    const before = this.#known.get(id);
    this.#judgeBuild(before?.instance, instance);
    // Before the cell has chosen a host for its record, our own placement knows better.
    if (instance !== undefined && instance.host === "" && this.#provisional.has(id)) return;
    if (instance === undefined) this.#remove(id);
    else this.#set(cell, instance, Infinity);
  }

  replaceCell(cell: string, instances: readonly InstanceState[]): void {
    for (const [id, known] of this.#known) if (known.cell === cell) this.#remove(id);
    for (const instance of instances) this.#set(cell, instance, Infinity);
  }

  /** A build that ends in ERROR or goes on elsewhere counts against its host until one succeeds. */
  #judgeBuild(before: InstanceState | undefined, after: InstanceState | undefined): void {
    if (before === undefined || after === undefined || before.state !== "building" || before.host === "")
      return;
    if (after.state === "active" && after.host === before.host) this.#failed.delete(before.host);
    else if (after.state === "error" || (after.host !== before.host && after.host !== ""))
      this.#failed.set(before.host, this.failedBuilds(before.host) + 1);
  }

  #set(cell: string, instance: InstanceState, expiresMs: number): void {
    this.#remove(instance.id);
    this.#known.set(instance.id, { cell, instance, expiresMs });
    if (instance.host === "") return;
    let mine = this.#byHost.get(instance.host);
    if (mine === undefined) this.#byHost.set(instance.host, (mine = { instances: new Map(), ioOps: 0 }));
    mine.instances.set(instance.id, instance);
    if (instance.busy) mine.ioOps++;
  }

  #remove(id: string): void {
    const known = this.#known.get(id);
    this.#provisional.delete(id);
    if (known === undefined) return;
    this.#known.delete(id);
    const mine = this.#byHost.get(known.instance.host);
    if (mine === undefined) return;
    mine.instances.delete(id);
    if (known.instance.busy) mine.ioOps--;
    if (mine.instances.size === 0) this.#byHost.delete(known.instance.host);
  }
}
