import { aGroup, judgeTable } from "../testing/builders.js";
import filter from "./server-group-affinity.js";

judgeTable(filter, [
  ["passes without a group", {}, {}, ""],
  [
    "passes anywhere while the group is empty",
    {},
    { group: aGroup({ policy: "affinity", hosts: new Set() }) },
    "",
  ],
  ["passes where members are", {}, { group: aGroup({ policy: "affinity", hosts: new Set(["h1"]) }) }, ""],
  [
    "refuses other hosts",
    {},
    { group: aGroup({ policy: "affinity", hosts: new Set(["h2"]) }) },
    "GROUP_ELSEWHERE",
  ],
  ["passes other policies", {}, { group: aGroup({ hosts: new Set(["h2"]) }) }, ""],
]);
