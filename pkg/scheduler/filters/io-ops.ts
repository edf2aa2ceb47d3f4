import { z } from "zod";
import { overridden } from "../domain/host-view.js";
import { hostFilter } from "../domain/rules.js";
import { tells } from "../domain/telling.js";
import { pass, refuse } from "../domain/verdict.js";

/**
 * Refuses hosts with too many I/O-heavy operations in flight. @source nova IoOpsFilter, AggregateIoOpsFilter
 */
export default hostFilter("IoOpsFilter", {
  options: {
    maxIoOpsPerHost: z
      .number()
      .int()
      .min(0)
      .default(8)
      .describe("I/O-heavy operations that one host may have at once."),
  },
  tellings: {
    TOO_MANY_IO_OPS: tells(
      ({ have, limit }) => `busy (${have} builds and moves under way, at most ${limit})`,
    ),
  },
  judge: (host, _request, { maxIoOpsPerHost }) => {
    const limit = overridden(host, "max_io_ops_per_host", maxIoOpsPerHost);
    return host.ioOps < limit ? pass : refuse("TOO_MANY_IO_OPS", { have: host.ioOps, limit });
  },
});
