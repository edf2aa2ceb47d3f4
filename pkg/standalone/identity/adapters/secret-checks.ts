import type { Clock, Ctx } from "../../../kernel/index.js";
import type { LoginsConfig } from "../config.js";
import { FailedLogins } from "../domain/failed-logins.js";
import type { Claimant } from "../domain/failed-logins.js";
import { E } from "../errors.js";
import type { Passwords } from "./crypto.js";
import { FairQueue } from "./fair-queue.js";
import type { Place } from "./fair-queue.js";

/** Two at a time: the pool of four threads also serves files and name lookups. */
const AT_ONCE = 2;
/** Told to those who had to be sent away from the queue. */
const RETRY_SECONDS = 5;

/** Somebody who shows a secret, or makes one. */
export interface Caller extends Claimant {
  /** Wrong secrets have no consequences for this account. */
  readonly exempt?: boolean;
}

/** The only way to the work of hashing for whoever comes from outside. */
export interface SecretChecks {
  /**
   * Compares with what is stored, in the caller's turn; without anything stored it does the same work and
   * says no. Not begun when the caller has left.
   * @throws PAUSE, TOO_MANY_LOGINS, BUSY; CANCELLED
   */
  verify(ctx: Ctx, caller: Caller, secret: string, stored: string | null | undefined): Promise<boolean>;
  /** @throws TOO_MANY_LOGINS, BUSY; CANCELLED */
  hash(ctx: Ctx, caller: Caller, secret: string): Promise<string>;
  /** How many wait for their turn. */
  waiting(): number;
}

/** Puts fair turns and the memory of wrong secrets in front of the hashing. */
export function secretChecks(passwords: Passwords, clock: Clock, config: LoginsConfig): SecretChecks {
  const failures = new FailedLogins(config);
  const queue = new FairQueue({
    atOnce: AT_ONCE,
    perKey: config.waitingPerAccount,
    perLane: config.waitingPerAddress,
    inAll: config.waitingInAll,
    maxWaitMs: config.maxWaitMs,
    tooMany: () => E.TOO_MANY_LOGINS({ retryAfterSeconds: RETRY_SECONDS }),
    busy: () => E.BUSY({ retryAfterSeconds: RETRY_SECONDS }),
  });
  /** Who has logged in here before does not share its turns with strangers at the same address. */
  const placeOf = (caller: Caller): Place =>
    failures.isAtHome(caller)
      ? { lane: `${caller.address} ${caller.account}`, key: "", preferred: true }
      : { lane: caller.address, key: caller.account, preferred: false };
  const admit = (caller: Caller): void => {
    const waitMs = caller.exempt ? 0 : failures.waitMs(caller, clock.monotonicMs());
    if (waitMs > 0) throw E.PAUSE({ retryAfterSeconds: Math.ceil(waitMs / 1_000) });
  };
  return {
    verify: async (ctx, caller, secret, stored) => {
      admit(caller);
      return queue.run(ctx.signal, placeOf(caller), async () => {
        // Those before it in the queue may have been wrong meanwhile.
        admit(caller);
        const right = await passwords.verify(secret, stored);
        if (right) failures.succeeded(caller);
        else failures.failed(caller, clock.monotonicMs());
        return right;
      });
    },
    waiting: () => queue.waiting,
    hash: (ctx, caller, secret) => queue.run(ctx.signal, placeOf(caller), () => passwords.hash(secret)),
  };
}
