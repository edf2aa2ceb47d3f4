import { anAggregate, judgeTable } from "../testing/builders.js";
import filter from "./aggregate-type-affinity.js";

judgeTable(filter, [
  ["passes a host without the key", {}, {}, ""],
  [
    "passes a flavor of the list",
    { aggregates: [anAggregate({ instance_type: "m1.tiny, m1.small" })] },
    {},
    "",
  ],
  [
    "refuses other flavors",
    { aggregates: [anAggregate({ instance_type: "m1.tiny" })] },
    {},
    "OTHER_FLAVORS_ONLY",
  ],
]);
