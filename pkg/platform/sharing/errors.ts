import { defineErrors } from "../../kernel/index.js";

const seconds = (ms: number): number => Math.ceil(ms / 1000);

/** `retryAfterMs` becomes Retry-After over REST, RetryInfo over gRPC. */
export const SharingErrors = defineErrors("sharing", {
  TOO_MANY_REQUESTS: [
    "quota",
    (p: { waiting: number; retryAfterMs: number }) =>
      `${p.waiting} requests of this project are waiting already; try again in ${seconds(p.retryAfterMs)} s.`,
    { subject: "waiting_requests" },
  ],
  TURN_TIMED_OUT: [
    "unavailable",
    (p: { waitedMs: number; retryAfterMs: number }) =>
      `The request waited ${seconds(p.waitedMs)} s for its turn; try again in ${seconds(p.retryAfterMs)} s.`,
  ],
  TOO_MANY_WAITS: [
    "quota",
    (p: { of: string; limit: number; retryAfterMs: number }) =>
      `At most ${p.limit} calls of one ${p.of} may wait at once; end some of them.`,
    { subject: "waiting_calls" },
  ],
});
