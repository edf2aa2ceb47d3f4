import { judgeTable, withInstances } from "../testing/builders.js";
import filter from "./same-host.js";

judgeTable(filter, [
  ["passes without the hint", {}, {}, ""],
  [
    "passes where one of the servers is",
    { instances: withInstances("a") },
    { hints: new Map([["same_host", ["a", "b"]]]) },
    "",
  ],
  [
    "refuses where none is",
    { instances: withInstances("x") },
    { hints: new Map([["same_host", ["a"]]]) },
    "SERVERS_NOT_ON_HOST",
  ],
]);
