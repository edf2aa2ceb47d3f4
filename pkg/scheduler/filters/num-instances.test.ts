import { anAggregate, judgeTable, withInstances } from "../testing/builders.js";
import filter from "./num-instances.js";

judgeTable(filter, [
  ["passes below the limit", { instances: withInstances("a") }, {}, "", { maxInstancesPerHost: 2 }],
  [
    "refuses at the limit",
    { instances: withInstances("a", "b") },
    {},
    "TOO_MANY_INSTANCES",
    { maxInstancesPerHost: 2 },
  ],
  [
    "takes the limit of an aggregate",
    { instances: withInstances("a"), aggregates: [anAggregate({ max_instances_per_host: "1" })] },
    {},
    "TOO_MANY_INSTANCES",
  ],
]);
