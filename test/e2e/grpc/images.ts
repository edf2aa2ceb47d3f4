import assert from "node:assert/strict";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { until } from "../../../pkg/testkit/until.js";
import { call, failure } from "../support/grpc-user.js";
import type { Stage } from "./stage.js";

const { OPERATION_STATE_SUCCEEDED, OPERATION_STATE_FAILED, OPERATION_STATE_CANCELLED } = OperationState;
/** Longer than any of these tests: what is that slow has not ended by itself. */
const SLOW_MS = 600_000;

/** Images of servers, against the Image service of this cloud. */
export function images(stage: Stage): void {
  const url = (imageId: string): string => `http://127.0.0.1:${stage.cloud.port(9292)}/v2/images/${imageId}`;
  const headers = { "content-type": "application/json" };
  const asDemo = (): Record<string, string> => ({ ...headers, "x-auth-token": stage.demo.token });
  const imageOf = async (imageId: string): Promise<Record<string, unknown> | undefined> => {
    const answer = await fetch(url(imageId), { headers: asDemo() });
    return answer.status === 200 ? ((await answer.json()) as Record<string, unknown>) : undefined;
  };
  const begin = async (serverId: string, name = "picture") => {
    const { imageId, operation } = await stage.demo.servers.createServerImage(call(), { serverId, name });
    assert.ok(operation);
    return { imageId, operation };
  };

  afterEach(() => stage.script());

  it("are there with the answer, belong to who asked, and are what the operation tells", async () => {
    const { server, operation: booting } = await stage.demo.create("pictured");
    await stage.demo.wait(booting);
    const { imageId, operation } = await begin(server.id);
    const queued = await imageOf(imageId);
    assert.deepEqual(
      [queued?.["name"], queued?.["visibility"], queued?.["owner"], queued?.["instance_uuid"]],
      ["picture", "private", server.projectId, server.id],
    );
    const done = await stage.demo.wait(operation);
    assert.equal(done.state, OPERATION_STATE_SUCCEEDED);
    assert.deepEqual(done.result?.outcome, { $case: "image", value: { id: imageId } });
    assert.deepEqual(done.metadata?.asked, {
      $case: "createServerImage",
      value: { name: "picture", imageId },
    });
    const image = await imageOf(imageId);
    assert.deepEqual(
      [image?.["status"], image?.["disk_format"], image?.["container_format"], image?.["image_type"]],
      ["active", "raw", "bare", "snapshot"],
    );
    await stage.demo.delete(server.id);
    assert.equal((await imageOf(imageId))?.["status"], "active");
    await fetch(url(imageId), { method: "DELETE", headers: asDemo() });
  });

  it("are no more when they were given up, by their operation or by themselves", async () => {
    const { server, operation: booting } = await stage.demo.create("given-up");
    await stage.demo.wait(booting);
    await stage.script({ method: "openSnapshot", delayMs: SLOW_MS });
    const first = await begin(server.id);
    await stage.demo.operations.cancelOperation(call(), { name: first.operation.name });
    assert.equal((await stage.demo.wait(first.operation)).state, OPERATION_STATE_CANCELLED);
    assert.equal(await imageOf(first.imageId), undefined);
    await stage.script({ method: "openSnapshot", delayMs: 10_000 });
    const second = await begin(server.id);
    assert.equal((await fetch(url(second.imageId), { method: "DELETE", headers: asDemo() })).status, 204);
    const ended = await stage.demo.wait(second.operation);
    assert.deepEqual([ended.state, ended.error?.reason], [OPERATION_STATE_FAILED, "IMAGE_NOT_FOUND"]);
    await stage.script({ method: "takeSnapshot", delayMs: SLOW_MS });
    const third = await begin(server.id);
    await stage.demo.delete(server.id);
    await until(async () => (await imageOf(third.imageId)) === undefined, {
      timeoutMs: 120_000,
      what: "the image to be gone",
    });
  });

  it("are refused in the field that is wrong", async () => {
    const { server, operation } = await stage.demo.create("refused");
    await stage.demo.wait(operation);
    const refused = await failure(
      stage.demo.servers.createServerImage(call(), {
        serverId: server.id,
        name: "",
        metadata: new Map([["a/b", "c"]]),
      }),
    );
    assert.deepEqual(
      [refused.reason, refused.violations.map(({ field }) => field)],
      ["INVALID_REQUEST", ["name", 'metadata["a/b"]']],
    );
    await stage.demo.delete(server.id);
  });
}
