import assert from "node:assert/strict";
import type { OperationKind } from "../engine/kind.js";
import { unusedDeps } from "../testing/unused-deps.js";
import migrateServer from "./migrate-server.js";
import offloadServer from "./offload-server.js";
import resizeServer from "./resize-server.js";
import shelveServerOnVolumes from "./shelve-server-on-volumes.js";
import unshelveOffloadedServer from "./unshelve-offloaded-server.js";

const eventsOf = ({ steps }: OperationKind): string[] =>
  steps.map(({ event }) => event).filter((event) => event !== "");
const taskStatesOf = ({ steps }: OperationKind): string[] => [
  ...new Set(steps.flatMap(({ taskState }) => taskState ?? [])),
];

describe("the timeline", () => {
  it("has Nova's events of an unshelving that looks for a host", () => {
    const unshelve = unshelveOffloadedServer(unusedDeps);
    assert.deepEqual(eventsOf(unshelve), ["schedule_instances", "compute_unshelve_instance"]);
  });

  it("has one event of what leaves its host, offloaded or shelved without an image", () => {
    for (const factory of [offloadServer, shelveServerOnVolumes])
      assert.deepEqual(eventsOf(factory(unusedDeps)), ["compute_shelve_offload_instance"]);
  });

  it("has Nova's events of a move", () => {
    for (const factory of [resizeServer, migrateServer])
      assert.deepEqual(eventsOf(factory(unusedDeps)), [
        "conductor_migrate_server",
        "cold_migrate",
        "compute_prep_resize",
        "compute_resize_instance",
        "compute_finish_resize",
      ]);
  });
});

describe("the task state", () => {
  it("of a shelving without an image is that to its end", () => {
    assert.deepEqual(taskStatesOf(shelveServerOnVolumes(unusedDeps)), ["shelving"]);
    assert.deepEqual(taskStatesOf(offloadServer(unusedDeps)), ["shelving_offloading"]);
  });

  it("of an unshelving is spawning once there is a host", () => {
    assert.deepEqual(taskStatesOf(unshelveOffloadedServer(unusedDeps)), ["unshelving", "spawning"]);
  });
});
