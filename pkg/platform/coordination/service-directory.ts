import type { Ctx } from "../../kernel/ctx.js";
import type { KeptKey } from "./kept-key.js";
import { keepKey } from "./kept-key.js";
import { coordinationKeys, lastSegment } from "./keys.js";
import type { CoordinationStore } from "./ports.js";

/** A running process of a service, as it announced itself. */
export interface ServiceInstance {
  readonly service: string;
  /** Unique per start of a process. */
  readonly id: string;
  /** host:port for the other services. */
  readonly address: string;
  /** The machine, as lists of services name it. */
  readonly host: string;
  readonly version: string;
}

/** The living service processes: a copy in memory, kept by one watch. */
export interface ServiceDirectory {
  /** By id, ascending. */
  instances(service: string): readonly ServiceInstance[];
  isUp(service: string, host: string): boolean;
  /** Calls back after each change. @returns takes the listener away */
  onChange(listener: () => void): () => void;
  /** Makes this process known until `ctx` ends. */
  announce(ctx: Ctx, instance: ServiceInstance): Promise<KeptKey>;
  /** Follows the store until `ctx` ends; run it as a task. */
  follow(ctx: Ctx): Promise<void>;
}

/** @param ttlMs  after this long without a sign of life a process counts as gone */
export function serviceDirectory(store: CoordinationStore, ttlMs: number): ServiceDirectory {
  const known = new Map<string, ServiceInstance>();
  const listeners = new Set<() => void>();
  const learn = (key: string, value: string, ctx: Ctx): void => {
    const instance = parse(key, value);
    if (instance) known.set(key, instance);
    else ctx.log.warn("service.record.unreadable", { key });
  };
  const instances = (service: string): readonly ServiceInstance[] =>
    [...known.values()].filter((one) => one.service === service).sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    instances,
    isUp: (service, host) => instances(service).some((one) => one.host === host),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    announce: (ctx, instance) =>
      keepKey(
        ctx,
        store,
        ttlMs,
        coordinationKeys.service(instance.service, instance.id),
        JSON.stringify(instance),
      ),
    follow: async (ctx) => {
      for await (const event of store.watch(ctx, coordinationKeys.services())) {
        if (event.kind === "snapshot") {
          known.clear();
          for (const { key, value } of event.entries) learn(key, value, ctx);
        } else if (event.kind === "put") learn(event.entry.key, event.entry.value, ctx);
        else known.delete(event.key);
        for (const listener of listeners) listener();
      }
    },
  };
}

/** What another version wrote may have more fields, never fewer. */
function parse(key: string, text: string): ServiceInstance | undefined {
  try {
    const { service, address, host, version } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (typeof service !== "string" || typeof address !== "string" || typeof host !== "string")
      return undefined;
    return {
      service,
      id: lastSegment(key),
      address,
      host,
      version: typeof version === "string" ? version : "",
    };
  } catch {
    return undefined;
  }
}
