import { defineErrors } from "../kernel/errors.js";

/** Every reason that the scheduler gives. */
export const E = defineErrors("scheduler", {
  /**
   * `summary` says why in one line, `refusals` is the explanation without hosts as JSON; neither names hosts
   * or other tenants.
   */
  NO_VALID_HOST: [
    "refused",
    (_p: { summary: string; hosts_considered: number; refusals: string }) =>
      "No valid host was found. There are not enough hosts available.",
  ],
  GROUP_POLICY_UNSUPPORTED: [
    "refused",
    (p: { policy: string }) => `Server group policy ${p.policy} is not supported by this configuration.`,
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
