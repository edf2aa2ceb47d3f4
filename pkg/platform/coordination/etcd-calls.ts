import type { Etcd3, IKeyValue } from "etcd3";
import type { Ctx } from "../../kernel/ctx.js";
import { remainingMs } from "../../kernel/ctx.js";
import { KilonovaError } from "../../kernel/errors.js";
import { whenAborted } from "../../kernel/signals.js";
import type { Clock } from "../../kernel/time.js";
import { abortReason } from "../process/abort.js";
import { CoordinationErrors } from "./errors.js";
import type { KeyValue } from "./ports.js";

/** The calls' common ground: a client, and a way to call it that always ends. */
export interface EtcdCalls {
  readonly client: Etcd3;
  readonly clock: Clock;
  readonly closed: AbortSignal;
  /**
   * Runs one call under a deadline and the context.
   * @throws STORE_UNAVAILABLE, LEASE_LOST, the context's reason
   */
  call<T>(ctx: Ctx, fn: (options: { readonly deadline: number }) => Promise<T>): Promise<T>;
}

/**
 * Key range that holds every key with the prefix: up to the prefix with its last byte raised (0xff never
 * occurs in UTF-8).
 */
export function rangeOf(prefix: string): { readonly key: Buffer; readonly range_end: Buffer } {
  const key = Buffer.from(prefix);
  const end = Buffer.from(key);
  const last = end.length - 1;
  end[last] = (end[last] ?? 0) + 1;
  return { key, range_end: end };
}

export const toKeyValue = (kv: IKeyValue): KeyValue => ({
  key: kv.key.toString(),
  value: kv.value.toString(),
});

/** What `EtcdCalls.call` does; `timeoutMs` bounds calls whose context has more time. */
export async function boundedCall<T>(
  ctx: Ctx,
  timeoutMs: number,
  closed: AbortSignal,
  fn: (options: { readonly deadline: number }) => Promise<T>,
): Promise<T> {
  if (ctx.signal.aborted) throw abortReason(ctx);
  if (closed.aborted) throw CoordinationErrors.STORE_UNAVAILABLE({});
  const deadline = Date.now() + Math.min(timeoutMs, remainingMs(ctx));
  let leave = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    leave = whenAborted(ctx.signal, () => reject(abortReason(ctx)));
  });
  try {
    return await Promise.race([fn({ deadline }), aborted]);
  } catch (error) {
    if (error instanceof KilonovaError) throw error;
    // etcd3 recognises this one by the server's text; the class is checked by name as it is loaded lazily.
    if (error instanceof Error && error.constructor.name === "EtcdLeaseInvalidError")
      throw CoordinationErrors.LEASE_LOST({}, { cause: error });
    throw CoordinationErrors.STORE_UNAVAILABLE({}, { cause: error });
  } finally {
    leave();
  }
}
