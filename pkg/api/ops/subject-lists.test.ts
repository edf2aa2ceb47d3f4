import assert from "node:assert/strict";
import { OperationsServiceDefinition } from "../../../gen/kilonova/api/v1/operations_service.js";
import { ListOperationsRequest } from "../../../gen/kilonova/api/v1/operations_service.js";
import { ComputeNode, HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import type { Actor } from "../../kernel/index.js";
import { CLOUD, operationNameOf } from "../../model/operation-name.js";
import type { Subject } from "../../model/operation-name.js";
import { anyOperation, declareSubjectOperation } from "../../model/operation-declaration.js";
import { subjectDeclaration } from "../../model/testing/a-declaration.js";
import type { Call } from "../rights/rights.js";
import { subjectListIn } from "./subject-lists.js";
import type { TestApi } from "../testing/an-api.js";
import { administrator, anApi, as, member } from "../testing/an-api.js";

const idOf = (n: number): string => `40000000-0000-4000-8000-00000000000${n}`;
const GONE = idOf(9);

/** Two hosts in two cells, one that is deleted, and operations of all of them and of the cloud. */
function withOperations(): TestApi {
  const api = anApi({ config: { cellTimeoutMs: 200 } });
  for (const [n, cell] of [
    [1, "cell1"],
    [2, "cell2"],
  ] as const) {
    const host = `h${n}`;
    api.cells.setServices(cell, [HostService.fromPartial({ id: host, host, binary: "nova-compute" })]);
    api.cells.setNodes(cell, [ComputeNode.fromPartial({ host, id: idOf(n) })]);
  }
  const put = (database: string, subject: Subject, n: number, kind: string): void => {
    const name = operationNameOf(subject, `0e000000-0000-4000-8000-0000000000${subject.id.slice(-1)}${n}`);
    const state = OperationState.OPERATION_STATE_SUCCEEDED;
    const createdAt = { seconds: BigInt(n), nanos: 0 };
    const requestId = `${kind} ${n}`;
    api.cells.putOperation(
      database,
      StoredOperation.fromPartial({ name, kind, state, createdAt, requestId, owner: "secret" }),
    );
  };
  for (const n of [1, 2, 3]) put("cell1", { kind: "host", id: idOf(1) }, n, "host.cache-images");
  put("cell1", { kind: "host", id: idOf(1) }, 4, "host.of-a-newer-build");
  put("cell2", { kind: "host", id: idOf(2) }, 5, "host.cache-images");
  put("cell1", { kind: "host", id: GONE }, 6, "host.cache-images");
  put("global", { ...CLOUD }, 7, "cloud.cache-images");
  return api;
}
const list = (api: TestApi, wish: Partial<ListOperationsRequest>, who: Actor = administrator) =>
  api.channel.client(OperationsServiceDefinition).listOperations(as(who), wish);
const listed = async (api: TestApi, wish: Partial<ListOperationsRequest>): Promise<string[]> =>
  (await list(api, wish)).operations.map(({ requestId }) => requestId);
const asked = (api: TestApi): number =>
  api.cells.calls.filter((call) => call.startsWith("listStoredOperations")).length;

describe("lists of operations of hosts and of the cloud", () => {
  it("are of one host, by its name or id, of one that is deleted by its id, or of the cloud", async () => {
    const api = withOperations();
    const first = ["host.cache-images 3", "host.cache-images 2", "host.cache-images 1"];
    assert.deepEqual(await listed(api, { host: "h1" }), first);
    assert.deepEqual(await listed(api, { host: idOf(1).toUpperCase() }), first);
    assert.deepEqual(await listed(api, { host: "h2" }), ["host.cache-images 5"]);
    assert.deepEqual(await listed(api, { host: GONE }), ["host.cache-images 6"]);
    assert.deepEqual(await listed(api, { cloud: true }), ["cloud.cache-images 7"]);
  });

  it("go on page by page, with tokens that belong to what was asked", async () => {
    const api = withOperations();
    const first = await list(api, { host: "h1", pageSize: 2 });
    assert.equal(first.operations.length, 2);
    const { nextPageToken: pageToken } = first;
    assert.deepEqual(await listed(api, { host: "h1", pageSize: 2, pageToken }), ["host.cache-images 1"]);
    for (const other of [{ host: "h2" }, { cloud: true }, {}])
      await assert.rejects(list(api, { ...other, pageToken }), { reason: "BAD_PAGE_TOKEN" });
  });

  it("are for those who may begin one of their kinds, who see no other kind", async () => {
    const api = withOperations();
    for (const wish of [{ host: "h1" }, { host: "no-such" }, { cloud: true }])
      await assert.rejects(list(api, wish, member), {
        reason: "FORBIDDEN",
        message: /compute:aggregates:images/,
      });
    assert.equal(asked(api), 0);
    assert.deepEqual(await listed(api, { host: "h1", kinds: ["host.of-a-newer-build", "server.stop"] }), []);
    assert.equal(asked(api), 0);
    assert.deepEqual(await listed(api, { cloud: true, kinds: ["cloud.cache-images"] }), [
      "cloud.cache-images 7",
    ]);
  });

  it("have the kinds whose rules let the caller begin them; else the first one's rule is what he lacks", () => {
    const kinds = (["compute:aggregates:images", "os_compute_api:os-services:update"] as const).map(
      (rule, at) =>
        anyOperation(declareSubjectOperation({ ...subjectDeclaration(`test.${at}`, "host"), rule })),
    );
    const whom = (...passes: string[]) => {
      const rights = { allows: (rule: string) => passes.includes(rule), deciding: "compute:x" };
      const request = ListOperationsRequest.fromPartial({ host: "h" });
      return subjectListIn({ rights } as unknown as Call, request, { all: kinds });
    };
    assert.deepEqual(whom("os_compute_api:os-services:update"), {
      host: "h",
      kinds: ["test.1"],
      decides: "os_compute_api:os-services:update",
    });
    assert.deepEqual(whom(), { host: "h", kinds: [], decides: "compute:aggregates:images" });
  });

  it("are narrowed by state and time", async () => {
    const api = withOperations();
    const states = [OperationState.OPERATION_STATE_FAILED];
    assert.deepEqual(await listed(api, { host: "h1", states }), []);
    const createdSince = { seconds: 3n, nanos: 0 };
    assert.deepEqual(await listed(api, { host: "h1", createdSince }), ["host.cache-images 3"]);
  });

  it("are of one subject, and no place from which a watch goes on", async () => {
    const api = withOperations();
    for (const wish of [
      { host: "h1", cloud: true },
      { host: "h1", serverId: idOf(1) },
      { cloud: true, serverId: idOf(1) },
      { cloud: true, withResumeToken: true },
      { host: "h1", withResumeToken: true },
      { host: "h".repeat(256) },
      { host: "" },
    ])
      await assert.rejects(list(api, wish), { reason: "INVALID_REQUEST" }, JSON.stringify(wish));
  });

  it("name the cells that may have the host and do not answer; a cell without it is not missed", async () => {
    const api = withOperations();
    await assert.rejects(list(api, { host: "no-such" }), { reason: "COMPUTE_HOST_NOT_FOUND" });
    await assert.rejects(list(api, { host: idOf(8) }), { reason: "HOST_NOT_FOUND" });
    api.cells.silent.add("cell2");
    assert.equal((await list(api, { host: "h1" })).operations.length, 3);
    await assert.rejects(list(api, { host: "h2" }), {
      reason: "UNAVAILABLE",
      message: "Cell cell2 is unavailable at this time.",
    });
  });
});
