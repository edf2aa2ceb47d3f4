import { anAggregate, judgeTable } from "../testing/builders.js";
import filter from "./io-ops.js";

judgeTable(filter, [
  ["passes below the limit", { ioOps: 7 }, {}, ""],
  ["refuses at the limit", { ioOps: 8 }, {}, "TOO_MANY_IO_OPS"],
  ["takes the configured limit", { ioOps: 1 }, {}, "TOO_MANY_IO_OPS", { maxIoOpsPerHost: 1 }],
  [
    "takes the smallest limit of its aggregates",
    {
      ioOps: 2,
      aggregates: [anAggregate({ max_io_ops_per_host: "9" }), anAggregate({ max_io_ops_per_host: "2" })],
    },
    {},
    "TOO_MANY_IO_OPS",
  ],
]);
