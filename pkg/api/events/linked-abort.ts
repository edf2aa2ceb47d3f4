import { follow } from "../../kernel/index.js";

/**
 * A controller that also aborts with another signal. `release` after use: signals that live long must not
 * collect listeners.
 */
export interface LinkedAbort {
  readonly signal: AbortSignal;
  abort(): void;
  release(): void;
}

export function linkedAbort(outer: AbortSignal): LinkedAbort {
  const controller = new AbortController();
  const release = follow(controller, outer);
  return { signal: controller.signal, abort: () => controller.abort(), release };
}
