import { aGroup, weighTable, withInstances } from "../testing/builders.js";
import weigher from "./server-group-soft-anti-affinity.js";

weighTable(weigher, [
  [
    "counts members on the host against it",
    { instances: withInstances("a", "b", "x") },
    { group: aGroup({ policy: "soft-anti-affinity" }) },
    -2,
  ],
  ["is nothing without a group", { instances: withInstances("a") }, {}, 0],
]);
