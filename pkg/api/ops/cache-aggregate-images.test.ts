import assert from "node:assert/strict";
import { AggregatesServiceDefinition, Aggregate } from "../../../gen/kilonova/api/v1/aggregates_service.js";
import { OperationsServiceDefinition } from "../../../gen/kilonova/api/v1/operations_service.js";
import { ComputeNode, HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { AcceptSubjectOperationRequest } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { CacheAggregateImagesInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { administrator as admin, anApi, as, member } from "../testing/an-api.js";
import type { TestApi } from "../testing/an-api.js";

const AGGREGATE = "11111111-aaaa-4111-8111-111111111111";
const IMAGE = "1a000000-0000-4000-8000-000000000001";
const idOf = (host: string): string => `40000000-0000-4000-8000-00000000000${host.slice(1)}`;

function withHosts(): TestApi {
  const api = anApi({ config: { cellTimeoutMs: 200 } });
  for (const [cell, ...hosts] of [
    ["cell1", "h1", "h2"],
    ["cell2", "h3"],
  ] as const) {
    api.cells.setServices(
      cell,
      hosts.map((host) => HostService.fromPartial({ id: host, host, binary: "nova-compute", up: true })),
    );
    api.cells.setNodes(
      cell,
      hosts.map((host) => ComputeNode.fromPartial({ host, id: idOf(host) })),
    );
  }
  api.cells.aggregates.set(
    AGGREGATE,
    Aggregate.fromPartial({ id: AGGREGATE, number: 1n, name: "a", hosts: ["h1", "h3", "gone"] }),
  );
  return api;
}
const aggregates = (api: TestApi) => api.channel.client(AggregatesServiceDefinition);
const cache = (api: TestApi, request: object = {}, who = admin) =>
  aggregates(api).cacheAggregateImages(as(who), { aggregateId: "1", imageIds: [IMAGE], ...request });

const accepted = (api: TestApi): number =>
  api.cells.calls.filter((call) => call.startsWith("acceptSubjectOperation")).length;

describe("caching images on an aggregate", () => {
  it("begins an operation of the cloud with the aggregate's hosts, in whichever cells they are", async () => {
    const api = withHosts();
    const { operation } = await cache(api, { clientToken: "t" });
    assert.match(operation?.name ?? "", /^operations\/cloud\//);
    const request = api.cells.requests.get("acceptSubjectOperation") as AcceptSubjectOperationRequest;
    assert.equal(accepted(api), 1);
    assert.deepEqual(
      [request.kind, request.hostId, request.method, request.clientToken, request.actor?.userId],
      ["cloud.cache-images", "", "CacheAggregateImages", "t", admin.userId],
    );
    assert.deepEqual(CacheAggregateImagesInput.decode(request.input), {
      aggregateId: AGGREGATE,
      imageIds: [IMAGE],
      hosts: [
        { cell: "cell1", host: "h1", hostId: idOf("h1") },
        { cell: "cell2", host: "h3", hostId: idOf("h3") },
      ],
    });
  });

  it("is refused for no image, one named twice, and what is no uuid", async () => {
    const api = withHosts();
    for (const imageIds of [[], [IMAGE, IMAGE], ["x"]])
      await assert.rejects(cache(api, { imageIds }), { reason: "INVALID_REQUEST" });
    await assert.rejects(cache(api, { aggregateId: "7" }), { reason: "AGGREGATE_NOT_FOUND" });
    await assert.rejects(cache(api, {}, member), { reason: "FORBIDDEN" });
    assert.equal(accepted(api), 0);
  });

  it("waits for no silent cell that may have some of the hosts", async () => {
    const api = withHosts();
    api.cells.silent.add("cell2");
    await assert.rejects(cache(api), { reason: "UNAVAILABLE" });
  });

  it("is seen and ended by those who may begin it", async () => {
    const api = withHosts();
    const name = (await cache(api)).operation?.name ?? "";
    const operations = api.channel.client(OperationsServiceDefinition);
    assert.equal((await operations.getOperation(as(admin), { name })).operation?.kind, "cloud.cache-images");
    for (const call of ["getOperation", "waitOperation", "cancelOperation"] as const)
      await assert.rejects(operations[call](as(member), { name }), { reason: "FORBIDDEN" });
    await assert.rejects(operations.getOperation(as(admin), { name: name.replace(/.$/, "x") }), {
      reason: "OPERATION_NOT_FOUND",
    });
  });
});
