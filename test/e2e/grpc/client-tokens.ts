import assert from "node:assert/strict";
import type { CreateServersResponse } from "../../../gen/kilonova/api/v1/servers_service.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { call, failure } from "../support/grpc-user.js";
import type { Stage } from "./stage.js";

const idsOf = ({ servers }: CreateServersResponse): readonly string[] => servers.map(({ id }) => id);

/** A request that is repeated, because nobody knows whether it arrived, is done once. */
export function clientTokens(stage: Stage): void {
  const named = async (name: string): Promise<readonly string[]> =>
    (await stage.demo.servers.listServers(call(), { filter: { nameRegex: `^${name}` } })).servers.map(
      ({ id }) => id,
    );

  it("answers the second call with the first one's servers, and says so", async () => {
    const request = await stage.demo.request("twice", { minCount: 2 });
    const first = await stage.demo.servers.createServers(call(), request);
    const second = await stage.demo.servers.createServers(call(), request);
    assert.equal(first.replayed, false);
    assert.equal(second.replayed, true);
    assert.equal(first.servers.length, 2);
    assert.deepEqual(idsOf(second), idsOf(first));
    assert.deepEqual(
      second.operations.map(({ name }) => name),
      first.operations.map(({ name }) => name),
    );
    assert.equal(second.reservationId, first.reservationId);
    assert.deepEqual([...(await named("twice"))].sort(), [...idsOf(first)].sort());
    for (const operation of first.operations)
      assert.equal((await stage.demo.wait(operation)).error, undefined);
    const third = await stage.demo.servers.createServers(call(), request);
    assert.deepEqual(
      third.servers.map(({ id, vmState }) => [id, vmState]),
      idsOf(first).map((id) => [id, VmState.VM_STATE_ACTIVE]),
      "as they are by now",
    );
    assert.deepEqual(
      third.operations.map(({ done }) => done),
      [true, true],
    );
    for (const id of idsOf(first)) await stage.demo.delete(id);
  });

  it("makes one server of eight calls at the same time", async () => {
    const request = await stage.demo.request("at-once");
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => stage.demo.servers.createServers(call(), request)),
    );
    assert.equal(new Set(answers.flatMap(idsOf)).size, 1);
    assert.equal(answers.filter(({ replayed }) => !replayed).length, 1);
    const listed = await named("at-once");
    assert.deepEqual(listed, idsOf(answers[0] ?? assert.fail()));
    for (const id of listed) await stage.demo.delete(id);
  });

  it("refuses the token with another body", async () => {
    const request = await stage.demo.request("honest");
    const {
      servers: [server],
    } = await stage.demo.servers.createServers(call(), request);
    const refused = await failure(
      stage.demo.servers.createServers(call(), { ...request, name: "dishonest" }),
    );
    assert.deepEqual(
      [refused.kind, refused.domain, refused.reason],
      ["conflict", "kilonova.dev", "TOKEN_REUSED"],
    );
    assert.deepEqual(await named("dishonest"), []);
    await stage.demo.delete(server?.id ?? "");
  });

  it("keeps tokens of two projects apart", async () => {
    const request = await stage.demo.request("same-token");
    const {
      servers: [ours],
    } = await stage.demo.servers.createServers(call(), request);
    const {
      servers: [theirs],
      replayed,
    } = await stage.admin.servers.createServers(call(), request);
    assert.equal(replayed, false);
    assert.notEqual(ours?.id, theirs?.id);
    await stage.demo.delete(ours?.id ?? "");
    await stage.admin.delete(theirs?.id ?? "");
  });

  it("protects actions too", async () => {
    const server = await stage.demo.boot("stopped-once");
    const stop = { serverId: server.id, clientToken: "stop-it" };
    const first = await stage.demo.servers.stopServer(call(), stop);
    await stage.demo.wait(first.operation);
    const again = await stage.demo.servers.stopServer(call(), stop);
    assert.equal(again.operation?.name, first.operation?.name);
    assert.equal(
      (await failure(stage.demo.servers.stopServer(call(), { ...stop, clientToken: "another" }))).reason,
      "INVALID_STATE",
    );
    await stage.demo.delete(server.id);
  });

  it("answers a repeated delete when the server is gone", async () => {
    const server = await stage.demo.boot("deleted-twice");
    const wish = { serverId: server.id, clientToken: "delete-it" };
    const first = await stage.demo.servers.deleteServer(call(), wish);
    await stage.demo.wait(first.operation);
    assert.equal(
      (await failure(stage.demo.servers.getServer(call(), { serverId: server.id }))).kind,
      "missing",
    );
    const again = await stage.demo.servers.deleteServer(call(), wish);
    assert.deepEqual([again.operation?.name, again.operation?.done], [first.operation?.name, true]);
    for (const other of [
      { ...wish, clientToken: "another" },
      { ...wish, clientToken: "" },
    ])
      assert.equal(
        (await failure(stage.demo.servers.deleteServer(call(), other))).reason,
        "SERVER_NOT_FOUND",
      );
    assert.equal((await failure(stage.admin.servers.deleteServer(call(), wish))).reason, "SERVER_NOT_FOUND");
  });

  it("remembers over kill -9 and restart", async () => {
    const request = await stage.demo.request("before-the-crash");
    const first = await stage.demo.servers.createServers(call(), request);
    await stage.crash();
    const second = await stage.demo.servers.createServers(call(), request);
    assert.equal(second.replayed, true);
    assert.deepEqual(idsOf(second), idsOf(first));
    assert.deepEqual(await named("before-the-crash"), idsOf(first));
    const done = await stage.demo.wait(first.operations[0]);
    assert.deepEqual([done.done, done.error], [true, undefined]);
    await stage.demo.delete(idsOf(first)[0] ?? "");
  });
}
