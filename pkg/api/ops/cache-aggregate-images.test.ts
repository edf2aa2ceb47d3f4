import assert from "node:assert/strict";
import { AggregatesServiceDefinition, Aggregate } from "../../../gen/kilonova/api/v1/aggregates_service.js";
import { OperationsServiceDefinition } from "../../../gen/kilonova/api/v1/operations_service.js";
import { ComputeNode, HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { AcceptSubjectOperationRequest } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { CacheAggregateImagesInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { ImageRef } from "../../../gen/kilonova/type/v1/server_spec.js";
import { administrator as admin, anApi, anImage, as, member } from "../testing/an-api.js";
import type { TestApi } from "../testing/an-api.js";

const AGGREGATE = "11111111-aaaa-4111-8111-111111111111";
const IMAGE = "1a000000-0000-4000-8000-000000000001";
const idOf = (host: string): string => `40000000-0000-4000-8000-00000000000${host.slice(1)}`;

function withHosts(policy?: string): TestApi {
  const api = anApi({ config: { cellTimeoutMs: 200 }, ...(policy === undefined ? {} : { policy }) });
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
  api.images.set(IMAGE, anImage({ id: IMAGE }));
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
      images: [
        ImageRef.fromPartial({
          id: IMAGE,
          name: "cirros",
          diskFormat: "qcow2",
          containerFormat: "bare",
          sizeBytes: 1_000n,
          checksum: "c",
          osHashAlgo: "sha512",
          osHashValue: "h",
        }),
      ],
      hosts: [
        { cell: "cell1", host: "h1", hostId: idOf("h1") },
        { cell: "cell2", host: "h3", hostId: idOf("h3") },
      ],
    });
  });

  it("is refused for no image, one named twice, and what is no uuid", async () => {
    const api = withHosts();
    for (const imageIds of [[], [IMAGE, IMAGE], [IMAGE, IMAGE.toUpperCase()], ["x"]])
      await assert.rejects(cache(api, { imageIds }), { reason: "INVALID_REQUEST" });
    await assert.rejects(cache(api, { aggregateId: "7" }), { reason: "AGGREGATE_NOT_FOUND" });
    await assert.rejects(cache(api, {}, member), { reason: "FORBIDDEN" });
    assert.equal(accepted(api), 0);
  });

  it("takes images only that the caller may use and that have data, as they are now", async () => {
    const api = withHosts("compute:aggregates:images: role:member");
    const [foreign, queued, nothing] = [2, 3, 4].map((n) => IMAGE.replace(/1$/, String(n)));
    api.images.set(foreign ?? "", anImage({ id: foreign ?? "", owner: "p2", visibility: "private" }));
    api.images.set(queued ?? "", anImage({ id: queued ?? "", status: "queued" }));
    const ask = (imageId: string | undefined) => cache(api, { imageIds: [IMAGE, imageId] }, member);
    for (const imageId of [foreign, nothing])
      await assert.rejects(ask(imageId), {
        reason: "IMAGE_NOT_FOUND",
        kind: "missing",
        message: `Image ${imageId} could not be found.`,
      });
    await assert.rejects(ask(queued), { reason: "IMAGE_NOT_ACTIVE", kind: "invalid" });
    assert.equal(accepted(api), 0);
    await cache(api, {}, member);
    assert.equal(accepted(api), 1);
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
