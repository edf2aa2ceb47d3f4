import assert from "node:assert/strict";
import type { OperationKind } from "../engine/kind.js";
import { unusedDeps } from "../testing/unused-deps.js";
import migrateServer from "./migrate-server.js";
import offloadServer from "./offload-server.js";
import resizeServer from "./resize-server.js";
import shelveServerOnVolumes from "./shelve-server-on-volumes.js";
import unshelveOffloadedServer from "./unshelve-offloaded-server.js";

/** Names of a kind's steps, from this one on. */
function stepsFrom({ steps }: OperationKind, first: string): string[] {
  const names = steps.map(({ name }) => name);
  assert.ok(names.includes(first), first);
  return names.slice(names.indexOf(first));
}

describe("the steps", () => {
  it("of an unshelving clear the host before anything is built there, and drop the image last of all", () =>
    assert.deepEqual(stepsFrom(unshelveOffloadedServer(unusedDeps), "claim-host"), [
      "claim-host",
      "clear-host",
      "place-ports",
      "connect-volumes",
      "build-guest",
      "end-shelving",
    ]));

  it("of a move clear the new host only when the guest is offered, and before its disks come", () => {
    for (const factory of [resizeServer, migrateServer])
      assert.deepEqual(stepsFrom(factory(unusedDeps), "keep-running"), [
        // Not undone between two hosts: the guest would be started and ended again.
        "keep-running",
        "claim-host",
        "reach-host",
        "export-guest",
        "clear-host",
        "move-volumes",
        "import-guest",
        "move-ports",
        "start-guest",
      ]);
  });

  it("of an offloading free the host's room last, when it has nothing of the server any more", () => {
    for (const factory of [offloadServer, shelveServerOnVolumes])
      assert.deepEqual(stepsFrom(factory(unusedDeps), "let-go"), ["let-go", "disconnect-host", "leave-host"]);
  });
});
