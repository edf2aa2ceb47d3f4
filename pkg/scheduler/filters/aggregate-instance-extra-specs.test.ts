import { anAggregate, extraSpecs, judgeTable } from "../testing/builders.js";
import filter from "./aggregate-instance-extra-specs.js";

judgeTable(filter, [
  ["passes without extra specs", {}, {}, ""],
  ["ignores other scopes", {}, extraSpecs({ "hw:numa_nodes": "1" }), ""],
  [
    "passes a value of an aggregate",
    { aggregates: [anAggregate({ ssd: "true" })] },
    extraSpecs({ ssd: "true" }),
    "",
  ],
  [
    "reads its own scope",
    { aggregates: [anAggregate({ ssd: "true" })] },
    extraSpecs({ "aggregate_instance_extra_specs:ssd": "true" }),
    "",
  ],
  [
    "splits lists and unites aggregates",
    { aggregates: [anAggregate({ tier: "a, b" }), anAggregate({ tier: "c" })] },
    extraSpecs({ tier: "<or> c <or> d" }),
    "",
  ],
  ["refuses a missing key", {}, extraSpecs({ ssd: "true" }), "METADATA_MISSING"],
  [
    "refuses another value",
    { aggregates: [anAggregate({ ssd: "false" })] },
    extraSpecs({ ssd: "true" }),
    "METADATA_DIFFERS",
  ],
]);
