import { z } from "zod";
import { overridden } from "../domain/host-view.js";
import { hostFilter } from "../domain/rules.js";
import { counted, tells } from "../domain/telling.js";
import { pass, refuse } from "../domain/verdict.js";

/**
 * Refuses hosts that have enough instances already. @source nova NumInstancesFilter,
 * AggregateNumInstancesFilter
 */
export default hostFilter("NumInstancesFilter", {
  options: {
    maxInstancesPerHost: z.number().int().min(1).default(50).describe("Instances that one host may have."),
  },
  tellings: {
    TOO_MANY_INSTANCES: tells(
      ({ have, limit }) => `full (nearest has ${counted(have, "server")}, at most ${limit})`,
    ),
  },
  judge: (host, _request, { maxInstancesPerHost }) => {
    const limit = overridden(host, "max_instances_per_host", maxInstancesPerHost);
    return host.instances.size < limit
      ? pass
      : refuse("TOO_MANY_INSTANCES", { have: host.instances.size, limit });
  },
});
