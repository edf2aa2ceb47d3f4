import { anAggregate, judgeTable } from "../testing/builders.js";
import filter from "./aggregate-multi-tenancy-isolation.js";

judgeTable(filter, [
  ["passes an open host", {}, {}, ""],
  [
    "passes the project it is reserved for",
    { aggregates: [anAggregate({ filter_tenant_id: "p0, p1" })] },
    {},
    "",
  ],
  ["reads keys with a suffix", { aggregates: [anAggregate({ filter_tenant_id2: "p1" })] }, {}, ""],
  [
    "refuses other projects",
    { aggregates: [anAggregate({ filter_tenant_id: "p2" })] },
    {},
    "RESERVED_FOR_OTHERS",
  ],
]);
