import { judgeTable, withInstances } from "../testing/builders.js";
import filter from "./different-host.js";

judgeTable(filter, [
  ["passes without the hint", { instances: withInstances("a") }, {}, ""],
  [
    "passes where none of the servers is",
    { instances: withInstances("x") },
    { hints: new Map([["different_host", ["a", "b"]]]) },
    "",
  ],
  [
    "refuses where one is",
    { instances: withInstances("b") },
    { hints: new Map([["different_host", ["a", "b"]]]) },
    "SERVERS_ON_HOST",
  ],
]);
