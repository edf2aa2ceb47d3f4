import { z } from "zod";

const count = (fallback: number, text: string) => z.number().int().min(1).default(fallback).describe(text);

/** How logins are queued, and what wrong passwords lead to. */
export const loginsConfig = z
  .object({
    waitingPerAccount: count(
      50,
      "Logins of one account at one address that may wait for their turn; more get 429.",
    ),
    waitingPerAddress: count(
      100,
      "Logins from one address that may wait; more get 429. IPv6 addresses count by their /64.",
    ),
    waitingInAll: count(
      500,
      "Logins that may wait; when there are more, the address with the most loses one.",
    ),
    maxWaitMs: count(10_000, "Longest wait for a turn; then 503."),
    backoffAfter: z
      .number()
      .int()
      .min(0)
      .default(3)
      .describe(
        "Wrong passwords for an account from one address after which that address must pause: a second, then twice as long after each further one. 0 turns it off.",
      ),
    backoffMaxSeconds: count(60, "Longest such pause."),
    lockoutFailureAttempts: z
      .number()
      .int()
      .min(0)
      .default(50)
      .describe(
        "Wrong passwords for an account from anywhere within lockoutDurationSeconds after which it is locked for addresses from which it has never logged in. 0 turns it off. Keystone's lockout_failure_attempts.",
      ),
    lockoutDurationSeconds: count(
      300,
      "How long such a lock lasts, and how long wrong passwords are remembered. Keystone's lockout_duration.",
    ),
  })
  .describe(
    "Logins at the embedded Identity. Users with the option ignore_lockout_failure_attempts neither pause nor are locked.",
  );

export type LoginsConfig = z.output<typeof loginsConfig>;
