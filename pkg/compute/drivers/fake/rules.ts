import { KilonovaError, whenAborted } from "../../../kernel/index.js";
import type { Ctx, ErrorKind } from "../../../kernel/index.js";
import type { Driver } from "../../driver.js";

/** What of a driver can be told to fail, to be late or to hang: whatever works under a context. */
export type FakeMethod = {
  [K in keyof Driver]-?: NonNullable<Driver[K]> extends (ctx: infer C, ...more: never) => unknown
    ? C extends Ctx
      ? K
      : never
    : never;
}[keyof Driver];

/**
 * One scripted misbehaviour. Empty conditions match every call of the method; the first matching rule counts.
 */
export interface FakeRule {
  readonly method: FakeMethod;
  readonly instanceUuid?: string;
  /** Regular expression over the instance name (`instance-0000002a`). */
  readonly nameMatches?: string;
  /** How many calls it applies to; unlimited when unset. */
  readonly times?: number;
  /**
   * `before` (default): the effect does not happen. `after`: it happens, then the delay, failure or hang; a
   * lost answer.
   */
  readonly when?: "before" | "after";
  readonly delayMs?: number;
  readonly fail?: { readonly reason: string; readonly message: string; readonly kind?: ErrorKind };
  /** Never answers: ends only when the caller's context is aborted. */
  readonly hang?: boolean;
}

/** The rules of one or many fake hosts; change them at any time. */
export class FakeRules {
  readonly #rules: { rule: FakeRule; left: number }[] = [];

  /** @returns takes the rule back */
  add(rule: FakeRule): () => void {
    const entry = { rule, left: rule.times ?? Infinity };
    this.#rules.push(entry);
    return () => {
      const at = this.#rules.indexOf(entry);
      if (at >= 0) this.#rules.splice(at, 1);
    };
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** Finds the rule for a call and counts it as used. */
  take(
    method: FakeMethod,
    instanceUuid: string | undefined,
    instanceName: string | undefined,
  ): FakeRule | undefined {
    for (const [at, entry] of this.#rules.entries()) {
      const { rule } = entry;
      if (rule.method !== method) continue;
      if (rule.instanceUuid !== undefined && rule.instanceUuid !== instanceUuid) continue;
      if (rule.nameMatches !== undefined && !new RegExp(rule.nameMatches).test(instanceName ?? "")) continue;
      entry.left -= 1;
      if (entry.left <= 0) this.#rules.splice(at, 1);
      return rule;
    }
    return undefined;
  }
}

const TICK_MS = 100;

/**
 * Does what the rule says, in the order delay, hang, failure.
 * @param passed  told ten times a second how much of the delay is over, 0 to 1
 * @throws the rule's failure, or the reason of ctx's abort
 */
export async function applyRule(
  ctx: Ctx,
  rule: FakeRule,
  passed: (part: number) => void = () => {},
): Promise<void> {
  const { delayMs = 0 } = rule;
  for (let overMs = 0; overMs < delayMs; overMs += TICK_MS) {
    passed(overMs / delayMs);
    await pause(ctx.signal, Math.min(TICK_MS, delayMs - overMs));
  }
  if (delayMs > 0) passed(1);
  if (rule.hang === true) await pause(ctx.signal, undefined);
  if (rule.fail) {
    const { reason, message, kind = "internal" } = rule.fail;
    throw new KilonovaError({ kind, domain: "compute.driver", reason, message });
  }
}

function pause(signal: AbortSignal, ms: number | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let leave = (): void => {};
    const timer =
      ms === undefined
        ? undefined
        : setTimeout(() => {
            leave();
            resolve();
          }, ms);
    leave = whenAborted(signal, () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}
