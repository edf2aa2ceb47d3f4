import type { Ctx } from "../../../kernel/ctx.js";
import { whenAborted } from "../../../kernel/signals.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { MethodBinding, ServiceBinding } from "../../../platform/rpc/index.js";

/** Notes what is called, and keeps the databases silent that are to be. */
export class Witness {
  /** Databases that never answer. */
  readonly silent = new Set<string>();
  /** Names of the unary calls received, with their database where they have one. */
  readonly calls: string[] = [];
  /** Last request of each method. */
  readonly requests = new Map<string, unknown>();

  watching(service: ServiceBinding): ServiceBinding {
    return { ...service, methods: service.methods.map((method) => this.#watched(method)) };
  }

  #watched(method: MethodBinding): MethodBinding {
    const key = `${method.method.charAt(0).toLowerCase()}${method.method.slice(1)}`;
    const { silent, calls, requests } = this;
    const databaseOf = (request: unknown): string => {
      const { database, cell } = request as { readonly database?: string; readonly cell?: string };
      return database ?? cell ?? "";
    };
    if (method.streaming)
      return {
        ...method,
        handler: async function* (ctx, request) {
          await answering(silent, ctx, databaseOf(request));
          yield* method.handler(ctx, request) as AsyncIterable<unknown>;
        },
      };
    return {
      ...method,
      handler: async (ctx, request) => {
        const database = databaseOf(request);
        calls.push(database === "" ? key : `${key} ${database}`);
        requests.set(key, request);
        await answering(silent, ctx, database);
        return method.handler(ctx, request) as Promise<unknown>;
      },
    };
  }
}

/** A silent database answers when the caller has given up. */
async function answering(silent: ReadonlySet<string>, ctx: Ctx, database: string): Promise<void> {
  if (!silent.has(database)) return;
  await new Promise<void>((resolve) => void whenAborted(ctx.signal, resolve));
  throw CommonErrors.UNAVAILABLE({ what: database });
}
