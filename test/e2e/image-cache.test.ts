import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AggregatesServiceDefinition } from "../../gen/kilonova/api/v1/aggregates_service.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { until } from "../../pkg/testkit/until.js";
import { Cloud, projectRoot } from "./support/cloud.js";
import { GrpcUser, call, failure } from "./support/grpc-user.js";
import { OpenStackShell } from "./support/openstack-shell.js";

const PORT_OFFSET = 21_000;
const { OPERATION_STATE_SUCCEEDED: SUCCEEDED, OPERATION_STATE_FAILED: FAILED } = OperationState;

/** Images are on the hosts before a server needs them: asked for by operators, and looked for on the disk. */
describe("caching images on the hosts of an aggregate", function () {
  this.timeout(600_000);
  let cloud: Cloud;
  let admin: OpenStackShell;
  let user: GrpcUser;
  let hosts: readonly string[] = [];
  let image = "";

  const cached = (host: string): readonly string[] =>
    readdirSync(join(cloud.home, "hosts", host, "images")).filter((file) => file.startsWith(image));
  const manage = (...args: readonly string[]): string =>
    execFileSync(
      process.execPath,
      ["scripts/kilonova.mjs", "manage", "operation", ...args, "--home", cloud.home],
      { cwd: projectRoot },
    ).toString();
  const cacheByRpc = async (aggregateId: string, imageIds: string[], clientToken = "") =>
    (
      await user.channel
        .client(AggregatesServiceDefinition)
        .cacheAggregateImages(call(), { aggregateId, imageIds, clientToken })
    ).operation;

  before(async () => {
    cloud = await Cloud.start({ portOffset: PORT_OFFSET, args: ["--hosts", "2"] });
    admin = new OpenStackShell({ ...cloud.credentials("admin"), OS_COMPUTE_API_VERSION: "2.81" });
    user = await GrpcUser.open(cloud, "admin");
    hosts = (await admin.json<{ "Hypervisor Hostname": string }[]>("hypervisor", "list"))
      .map((one) => one["Hypervisor Hostname"])
      .sort();
    image = (await admin.json<{ ID: string }[]>("image", "list"))[0]?.ID ?? "";
    assert.equal(hosts.length, 2);
    await admin.run("aggregate", "create", "all");
    for (const host of hosts) await admin.run("aggregate", "add", "host", "all", host);
  });
  after(async () => {
    if (!cloud) return;
    await Promise.allSettled([admin?.close(), user?.channel.close()]);
    await cloud.stop();
    cloud.forget();
  });

  it("brings them there, asked by the openstack client; operators see the cloud's operation and the hosts'", async () => {
    for (const host of hosts) assert.deepEqual(cached(host), []);
    await admin.run("aggregate", "cache", "image", "all", image);
    const listed = await until(
      async () => {
        const text = manage("list", "--cloud");
        return text.includes("SUCCEEDED") && text;
      },
      { timeoutMs: 120_000, what: "the cloud's operation to end", everyMs: 1_000 },
    );
    assert.match(listed, /operations\/cloud\/\S+ +cloud\.cache-images +SUCCEEDED/);
    for (const host of hosts) assert.equal(cached(host).length, 1, host);
    const hypervisors = await admin.json<{ ID: string }[]>("hypervisor", "list");
    for (const { ID: id } of hypervisors)
      assert.match(
        manage("list", "--host", id),
        new RegExp(`operations/hosts/${id}/\\S+ +host.cache-images +SUCC`),
      );
    for (const host of hosts) {
      assert.match(manage("list", "--host", host), /operations\/hosts\/\S+ +host.cache-images +SUCC/);
      const { operations } = await user.operations.listOperations(call(), { host });
      assert.deepEqual(
        operations.map(({ kind, state }) => [kind, state]),
        [["host.cache-images", SUCCEEDED]],
      );
    }
    const { operations } = await user.operations.listOperations(call(), { cloud: true });
    assert.deepEqual(
      operations.map(({ kind }) => kind),
      ["cloud.cache-images"],
    );
  });

  it("answers a repeated call with the same operation, which can be waited for", async () => {
    const token = randomUUID();
    const [first, second] = [await cacheByRpc("1", [image], token), await cacheByRpc("1", [image], token)];
    assert.equal(first?.name, second?.name);
    const { state, steps, serverId, projectId } = await user.wait(first);
    assert.deepEqual([state, serverId, projectId], [SUCCEEDED, undefined, undefined]);
    assert.deepEqual(
      steps.map(({ name, result }) => [name, result]),
      [["hosts", "success"]],
    );
  });

  it("says how many hosts failed, and to operators which images, without failing for the others", async () => {
    const file = join(cloud.home, "no-disk");
    writeFileSync(file, "this is no disk image\n".repeat(100));
    const { id: broken } = await admin.json<{ id: string }>(
      ...[
        "image",
        "create",
        "--file",
        file,
        "--disk-format",
        "qcow2",
        "--container-format",
        "bare",
        "broken",
      ],
    );
    const operation = await user.wait(await cacheByRpc("1", [broken, image]));
    assert.deepEqual(
      [operation.state, operation.error?.reason, operation.error?.message],
      [FAILED, "HOSTS_FAILED", "2 of 2 hosts did not succeed."],
    );
    const { name } = operation;
    assert.match(manage("show", name), /IMAGES_NOT_CACHED/);
    assert.match(manage("show", name, "--database", "global"), /IMAGES_NOT_CACHED/);
    assert.throws(() => manage("show", name, "--database", "cell1"), /could not be found/);
  });

  it("is refused to others, and for what is no aggregate or named twice", async () => {
    const demo = await GrpcUser.open(cloud, "demo");
    try {
      const refused = demo.channel
        .client(AggregatesServiceDefinition)
        .cacheAggregateImages(call(), { aggregateId: "1", imageIds: [image] });
      assert.equal((await failure(refused)).reason, "FORBIDDEN");
    } finally {
      await demo.channel.close();
    }
    assert.equal((await failure(cacheByRpc("99", [image]))).reason, "AGGREGATE_NOT_FOUND");
    assert.equal((await failure(cacheByRpc("1", [image, randomUUID()]))).reason, "IMAGE_NOT_FOUND");
    const token = await admin.json<{ id: string }>("token", "issue");
    const post = async (body: object, version = "2.81"): Promise<number> =>
      (
        await fetch(`http://127.0.0.1:${cloud.port(8774)}/v2.1/os-aggregates/1/images`, {
          method: "POST",
          headers: {
            "X-Auth-Token": token.id,
            "Content-Type": "application/json",
            "OpenStack-API-Version": `compute ${version}`,
          },
          body: JSON.stringify(body),
        })
      ).status;
    assert.equal(await post({ cache: [{ id: image }] }), 202);
    assert.equal(await post({ cache: [{ id: image }] }, "2.80"), 404);
    assert.equal(await post({ cache: [{ id: randomUUID() }] }), 404);
    for (const body of [
      { cache: [] },
      { cache: [{ id: image }, { id: image }] },
      { cache: [{ id: "x" }] },
      {},
    ])
      assert.equal(await post(body), 400, JSON.stringify(body));
  });
});
