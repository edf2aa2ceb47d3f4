import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Server } from "../../../gen/kilonova/api/v1/server.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { until } from "../../../pkg/testkit/until.js";
import { call, failure } from "../support/grpc-user.js";
import type { Stage } from "./stage.js";

const { OPERATION_STATE_SUCCEEDED, OPERATION_STATE_CANCELLED } = OperationState;
const { VM_STATE_ACTIVE: ACTIVE, VM_STATE_RESIZED: RESIZED } = VmState;
/** Longer than any of these tests: what is that slow has not ended by itself. */
const SLOW_MS = 600_000;

/** Resizes and cold migrations between hosts that only pretend. */
export function moves(stage: Stage): void {
  const seen = async (serverId: string): Promise<Server> => {
    const { server } = await stage.admin.servers.getServer(call(), { serverId, withHostInfo: true });
    assert.ok(server);
    return server;
  };
  /** Its state, its flavor's name, and its host. */
  const place = async (serverId: string): Promise<readonly [VmState, string, string]> => {
    const { vmState, flavor, hostInfo } = await seen(serverId);
    return [vmState, flavor?.name ?? "", hostInfo?.host ?? ""];
  };
  const succeeds = async (operation: Operation | undefined): Promise<void> => {
    const { state, error } = await stage.demo.wait(operation);
    assert.deepEqual([state, error], [OPERATION_STATE_SUCCEEDED, undefined]);
  };
  const tiny = (): Promise<string> => stage.demo.flavorId("m1.tiny");

  afterEach(() => stage.script());

  it("take a server to another flavor and host, and back", async () => {
    const { servers } = stage.demo;
    const { id: serverId } = await stage.demo.boot("resized");
    const [, , from] = await place(serverId);
    await succeeds((await servers.resizeServer(call(), { serverId, flavorId: await tiny() })).operation);
    const [state, flavor, to] = await place(serverId);
    assert.deepEqual([state, flavor], [RESIZED, "m1.tiny"]);
    assert.notEqual(to, from);
    await succeeds((await servers.revertServerResize(call(), { serverId })).operation);
    assert.deepEqual(await place(serverId), [ACTIVE, "m1.nano", from]);
    const again = await failure(servers.revertServerResize(call(), { serverId }));
    assert.equal(again.reason, "INVALID_STATE");
    await stage.demo.delete(serverId);
  });

  it("take it to the host that an operator names; the project confirms it", async () => {
    const { id: serverId } = await stage.demo.boot("migrated");
    const [, , from] = await place(serverId);
    const host = stage.hosts.find((one) => one !== from) ?? assert.fail("there is one host only");
    const refused = await failure(stage.demo.servers.migrateServer(call(), { serverId, host }));
    assert.equal(refused.kind, "forbidden");
    const here = await failure(stage.admin.servers.migrateServer(call(), { serverId, host: from }));
    assert.deepEqual([here.reason, here.violations.map(({ field }) => field)], ["SAME_HOST", ["host"]]);
    const { operation } = await stage.admin.servers.migrateServer(call(), { serverId, host });
    await succeeds(operation);
    assert.deepEqual(await place(serverId), [RESIZED, "m1.nano", host]);
    await succeeds((await stage.demo.servers.confirmServerResize(call(), { serverId })).operation);
    assert.deepEqual(await place(serverId), [ACTIVE, "m1.nano", host]);
    await stage.demo.delete(serverId);
  });

  it("are answered with what they began when they are asked for again", async () => {
    const { servers } = stage.demo;
    const { id: serverId } = await stage.demo.boot("asked-again");
    const request = { serverId, flavorId: await tiny(), clientToken: randomUUID() };
    const first = await servers.resizeServer(call(), request);
    await succeeds(first.operation);
    assert.equal((await servers.resizeServer(call(), request)).operation?.name, first.operation?.name);
    const end = { serverId, clientToken: randomUUID() };
    const confirmed = await servers.confirmServerResize(call(), end);
    await succeeds(confirmed.operation);
    assert.equal((await servers.confirmServerResize(call(), end)).operation?.name, confirmed.operation?.name);
    await stage.demo.delete(serverId);
  });

  it("leave everything as it was when they are cancelled", async () => {
    const { id: serverId } = await stage.demo.boot("stays");
    const before = await place(serverId);
    await stage.script({ method: "importDisks", delayMs: SLOW_MS });
    const { operation } = await stage.demo.servers.resizeServer(call(), {
      serverId,
      flavorId: await tiny(),
    });
    await until(async () => (await seen(serverId)).taskState === "resize_migrating", {
      timeoutMs: 120_000,
      what: "it to move",
    });
    await stage.demo.operations.cancelOperation(call(), { name: operation?.name ?? "" });
    assert.equal((await stage.demo.wait(operation)).state, OPERATION_STATE_CANCELLED);
    assert.deepEqual(await place(serverId), before);
    await stage.demo.delete(serverId);
  });

  it("are refused in the field that is wrong", async () => {
    const { servers } = stage.demo;
    const { id: serverId } = await stage.demo.boot("not-resized");
    for (const [flavorId, reason] of [
      ["", "INVALID_REQUEST"],
      ["nonsense", "FLAVOR_NOT_FOUND"],
      [await stage.demo.flavorId("m1.nano"), "SAME_FLAVOR"],
    ] as const) {
      const refused = await failure(servers.resizeServer(call(), { serverId, flavorId }));
      assert.deepEqual(
        [refused.reason, refused.violations.map(({ field }) => field)],
        [reason, ["flavor_id"]],
      );
    }
    const missing = await failure(servers.confirmServerResize(call(), { serverId: randomUUID() }));
    assert.equal(missing.reason, "SERVER_NOT_FOUND");
    await stage.demo.delete(serverId);
  });
}
