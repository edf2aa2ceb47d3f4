import { judgeTable } from "../testing/builders.js";
import filter from "./isolated-hosts.js";

judgeTable(filter, [
  ["passes where nothing is isolated", {}, {}, ""],
  ["keeps other images off isolated hosts", {}, {}, "HOST_IS_ISOLATED", { isolatedHosts: ["h1"] }],
  [
    "lets them in when told so",
    {},
    {},
    "",
    { isolatedHosts: ["h1"], restrictIsolatedHostsToIsolatedImages: false },
  ],
  ["keeps isolated images off other hosts", {}, {}, "IMAGE_NEEDS_ISOLATED_HOST", { isolatedImages: ["i1"] }],
  ["brings both together", {}, {}, "", { isolatedHosts: ["h1"], isolatedImages: ["i1"] }],
]);
