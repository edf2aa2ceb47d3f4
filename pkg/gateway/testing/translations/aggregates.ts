import type { Translation } from "./translation.js";
import { asAdmin, post } from "./translation.js";

export default [
  ["GET /os-aggregates", "/os-aggregates", asAdmin({}), "listAggregates", {}],
  [
    "POST /os-aggregates",
    "/os-aggregates",
    asAdmin(post({ aggregate: { name: "a", availability_zone: "z" } })),
    "createAggregate",
    { name: "a", availabilityZone: "z" },
  ],
  ["GET /os-aggregates/{id}", "/os-aggregates/7", asAdmin({}), "getAggregate", { aggregateId: "7" }],
  ["GET /os-aggregates/{id}", "/os-aggregates/-1", asAdmin({}), "getAggregate", { aggregateId: "-1" }],
  [
    "PUT /os-aggregates/{id}",
    "/os-aggregates/7",
    asAdmin({
      method: "PUT",
      body: {
        aggregate: {
          name: "a",
          availability_zone: null,
        },
      },
    }),
    "updateAggregate",
    { aggregateId: "7", name: "a", availabilityZone: "" },
  ],
  [
    "DELETE /os-aggregates/{id}",
    "/os-aggregates/7",
    asAdmin({ method: "DELETE" }),
    "deleteAggregate",
    { aggregateId: "7" },
  ],
  [
    "POST /os-aggregates/{id}/images",
    "/os-aggregates/7/images",
    asAdmin({ ...post({ cache: [{ id: "1a000000-0000-4000-8000-000000000001" }] }), version: "2.81" }),
    "cacheAggregateImages",
    { aggregateId: "7", imageIds: ["1a000000-0000-4000-8000-000000000001"] },
  ],
  [
    "POST /os-aggregates/{id}/action#add_host",
    "/os-aggregates/7/action",
    asAdmin(post({ add_host: { host: "h" } })),
    "addAggregateHost",
    { aggregateId: "7", host: "h" },
  ],
  [
    "POST /os-aggregates/{id}/action#remove_host",
    "/os-aggregates/7/action",
    asAdmin(post({ remove_host: { host: "h" } })),
    "removeAggregateHost",
    { aggregateId: "7", host: "h" },
  ],
  [
    "POST /os-aggregates/{id}/action#set_metadata",
    "/os-aggregates/7/action",
    asAdmin(post({ set_metadata: { metadata: { a: "1", b: null } } })),
    "setAggregateMetadata",
    { aggregateId: "7", metadata: new Map([["a", "1"]]), removeKeys: ["b"] },
  ],
] satisfies readonly Translation[];
