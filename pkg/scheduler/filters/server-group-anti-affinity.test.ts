import { aGroup, judgeTable, withInstances } from "../testing/builders.js";
import filter from "./server-group-anti-affinity.js";

judgeTable(filter, [
  ["passes without a group", { instances: withInstances("a") }, {}, ""],
  ["passes other policies", { instances: withInstances("a") }, { group: aGroup({ policy: "affinity" }) }, ""],
  ["passes a host without members", { instances: withInstances("x", "y") }, { group: aGroup() }, ""],
  [
    "refuses a host with a member",
    { instances: withInstances("a", "x") },
    { group: aGroup() },
    "GROUP_MEMBERS_ON_HOST",
  ],
  [
    "passes up to the limit of its rule",
    { instances: withInstances("a") },
    { group: aGroup({ maxServerPerHost: 2 }) },
    "",
  ],
  [
    "refuses beyond the limit of its rule",
    { instances: withInstances("a", "b") },
    { group: aGroup({ maxServerPerHost: 2 }) },
    "GROUP_MEMBERS_ON_HOST",
  ],
  [
    "passes the host where the server itself is",
    { instances: withInstances("s1", "a") },
    { group: aGroup() },
    "",
  ],
]);
