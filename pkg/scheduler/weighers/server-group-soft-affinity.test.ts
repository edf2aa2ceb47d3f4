import { aGroup, weighTable, withInstances } from "../testing/builders.js";
import weigher from "./server-group-soft-affinity.js";

weighTable(weigher, [
  [
    "counts members on the host",
    { instances: withInstances("a", "b", "x") },
    { group: aGroup({ policy: "soft-affinity" }) },
    2,
  ],
  ["is nothing for other policies", { instances: withInstances("a") }, { group: aGroup() }, 0],
]);
