import assert from "node:assert/strict";
import { ComputeServicesServiceDefinition } from "../../../gen/kilonova/api/v1/hosts_service.js";
import { HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { MigrationKind, MigrationRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { ServerHostInfo } from "../../../gen/kilonova/type/v1/server.js";
import type { TestApi } from "../testing/an-api.js";
import { administrator, anApi, as } from "../testing/an-api.js";

const SERVICE = "0e000000-0000-4000-8000-000000000001";
const A = "00000000-0000-4000-8000-000000000001";

/** A service on h1; a server on h2, which has come from there. */
function world(status: string): TestApi {
  const api = anApi({ config: { hostListTtlMs: 0 } });
  const service = { id: SERVICE, binary: "nova-compute", host: "h1", up: true };
  api.cells.setServices("cell1", [HostService.fromPartial(service)]);
  api.cells.put("cell1", { id: A, hostInfo: ServerHostInfo.fromPartial({ host: "h2" }) });
  api.cells.putMigration(
    "cell1",
    MigrationRecord.fromPartial({
      id: "bbbbbbbb-0000-4000-8000-000000000001",
      serverId: A,
      kind: MigrationKind.MIGRATION_KIND_RESIZE,
      status,
      source: { host: "h1" },
      target: { host: "h2" },
    }),
  );
  return api;
}
const remove = (api: TestApi) =>
  api.channel
    .client(ComputeServicesServiceDefinition)
    .deleteComputeService(as(administrator), { serviceId: SERVICE });

describe("deleting a compute service", () => {
  it("is refused in Nova's words while a server that has left its host may come back", async () => {
    for (const status of ["migrating", "finished", "reverting"])
      await assert.rejects(remove(world(status)), {
        reason: "HOST_HAS_MIGRATIONS",
        kind: "refused",
        message:
          "Unable to delete compute service that has in-progress migrations. Complete the migrations or delete the instances first.",
      });
  });

  it("is done once the move is confirmed, reverted or has failed", async () => {
    for (const status of ["confirmed", "reverted", "error"]) await remove(world(status));
  });

  it("is refused while servers are on its host", async () => {
    const api = world("confirmed");
    api.cells.put("cell1", { id: A, hostInfo: ServerHostInfo.fromPartial({ host: "h1" }) });
    await assert.rejects(remove(api), { reason: "HOST_HAS_SERVERS" });
  });
});
