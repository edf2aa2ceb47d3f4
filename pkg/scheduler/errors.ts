import { defineErrors } from "../kernel/errors.js";
import { ownerMessage } from "./domain/owner-text.js";

/** Every reason that the scheduler gives. */
export const E = defineErrors("scheduler", {
  /**
   * `summary` says why in one line, `refusals` is the explanation without hosts as JSON: both for the owner
   * of the server, whose fault's message begins with Nova's. `details` is for operators; it names no host
   * either.
   */
  NO_VALID_HOST: [
    "refused",
    (p: { summary: string; hosts_considered: number; refusals: string; details: string }) =>
      ownerMessage(p.summary),
  ],
  GROUP_POLICY_UNSUPPORTED: [
    "refused",
    (p: { policy: string }) => `Server group policy ${p.policy} is not supported by this configuration.`,
  ],
  NOTHING_TO_MOVE: [
    "refused",
    (p: { server: string }) => `Server ${p.server} holds no allocations that a move could start from.`,
  ],
  SOURCE_UNKNOWN: [
    "refused",
    (p: { server: string }) =>
      `The host of server ${p.server} is not known; it cannot be compared with others.`,
  ],
  HOSTS_RETURNING: [
    "unavailable",
    (p: { hosts: number }) => `${p.hosts} hosts have not announced themselves since the registry began anew.`,
  ],
  VIEWS_NOT_READY: [
    "unavailable",
    (_p: Record<string, never>) => "The scheduler is still learning about the hosts.",
  ],
});
