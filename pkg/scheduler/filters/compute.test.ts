import { judgeTable } from "../testing/builders.js";
import filter from "./compute.js";

judgeTable(filter, [
  ["passes a live host", {}, {}, ""],
  ["refuses a disabled host", { disabled: true }, {}, "HOST_DISABLED"],
  ["refuses a host that was forced down", { forcedDown: true }, {}, "HOST_FORCED_DOWN"],
  ["refuses a host without a lease", { up: false }, {}, "HOST_DOWN"],
]);
