import assert from "node:assert/strict";
import { EventType } from "../../../gen/kilonova/api/v1/operations_service.js";
import type { WatchEventsResponse } from "../../../gen/kilonova/api/v1/operations_service.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { call, failure } from "../support/grpc-user.js";
import { Watcher } from "../support/watcher.js";
import type { Sight } from "../support/watcher.js";
import type { Stage } from "./stage.js";

const LIFE = [
  "BUILDING/scheduling",
  "BUILDING/networking",
  "BUILDING/spawning",
  "ACTIVE/",
  "ACTIVE/deleting",
  "deleted",
];

/** What happens to servers is told once and in order, whoever breaks off meanwhile. */
export function watches(stage: Stage): void {
  const opened: Watcher[] = [];
  const open = async (...args: Parameters<typeof Watcher.open>): Promise<Watcher> => {
    const watcher = await Watcher.open(...args);
    opened.push(watcher);
    return watcher;
  };
  const deleted = (watcher: Watcher, serverId: string): Promise<void> =>
    watcher.until(() => watcher.of(serverId).at(-1)?.text === "deleted", "the deletion");
  /** A server's whole life. @returns its id */
  const live = async (name: string): Promise<string> => {
    const { server, operation } = await stage.demo.create(name);
    await stage.demo.wait(operation);
    await stage.demo.delete(server.id);
    return server.id;
  };

  afterEach(async () => {
    await stage.script();
    for (const watcher of opened.splice(0)) await watcher.stop();
  });

  it("shows each state of a server once and in order", async () => {
    const watcher = await open(stage.demo);
    const serverId = await live("watched");
    await deleted(watcher, serverId);
    assertOnceAndInOrder(watcher.of(serverId));
    const texts = watcher.of(serverId).map(({ text }) => text);
    assert.deepEqual(
      texts.filter((text, i) => text !== texts[i - 1]),
      LIFE,
    );
  });

  it("shows operations on request, from acceptance to the end", async () => {
    const plain = await open(stage.demo);
    const watcher = await open(stage.demo, { withOperations: true });
    const serverId = await live("with-operations");
    await deleted(watcher, serverId);
    await deleted(plain, serverId);
    const changes = watcher.events.flatMap(({ type, operation }) =>
      type === EventType.EVENT_TYPE_OPERATION_CHANGED && operation?.serverId === serverId ? [operation] : [],
    );
    const boot = changes.filter(({ kind }) => kind === "server.boot");
    assert.deepEqual([boot[0]?.done, boot.at(-1)?.state], [false, OperationState.OPERATION_STATE_SUCCEEDED]);
    assert.equal(boot.filter(({ done }) => done).length, 1);
    const steps = boot.map(({ currentStep }) => currentStep);
    for (const step of ["allocate-networks", "build-guest"])
      assert.ok(steps.includes(step), `${step} in ${steps.join(", ")}`);
    assert.equal(changes.at(-1)?.kind, "server.delete");
    assert.equal(changes.at(-1)?.state, OperationState.OPERATION_STATE_SUCCEEDED);
    assert.ok(plain.events.every(({ operation }) => operation === undefined));
  });

  it("goes on from a token: nothing lost, nothing twice", async () => {
    const witness = await open(stage.demo);
    // In the middle of a boot, and with a server that begins and ends while nobody watches.
    const first = await open(
      stage.demo,
      {},
      ({ server }: WatchEventsResponse) => server?.taskState === "networking",
    );
    const { server, operation } = await stage.demo.create("broken-off");
    await first.ended();
    await stage.demo.wait(operation);
    const unseen = await live("unseen");
    await stage.demo.wait((await stage.demo.servers.stopServer(call(), { serverId: server.id })).operation);
    const second = await open(stage.demo, { resumeToken: first.token });
    await stage.demo.wait((await stage.demo.servers.startServer(call(), { serverId: server.id })).operation);
    await stage.demo.delete(server.id);
    await deleted(witness, server.id);
    await deleted(second, server.id);
    for (const id of [server.id, unseen]) {
      assert.deepEqual([...first.of(id), ...second.of(id)], witness.of(id));
      assertOnceAndInOrder(witness.of(id));
    }
    assert.ok(second.events.every(({ type }) => type !== EventType.EVENT_TYPE_RESET));
  });

  it("goes on from every single token of a server's life", async () => {
    const witness = await open(stage.demo);
    const serverId = await live("every-token");
    await deleted(witness, serverId);
    const all = witness.sights;
    for (const [index, event] of witness.events.entries()) {
      if (event.server === undefined) continue;
      const seen = witness.events.slice(0, index + 1).filter(({ server }) => server !== undefined).length;
      const rest = all.slice(seen);
      const later = await open(stage.demo, { resumeToken: event.resumeToken });
      if (rest.length > 0)
        await later.until(
          () => later.sights.length >= rest.length,
          `what came after ${JSON.stringify(all[seen - 1]?.text)}`,
        );
      assert.deepEqual(later.sights, rest);
      await later.stop();
    }
  });

  it("goes on after kill -9 and restart of the cloud, in the middle of a boot", async () => {
    await stage.script({ method: "powerOn", delayMs: 30_000 });
    const before = await open(stage.demo, { withOperations: true });
    const { server, operation } = await stage.demo.create("survivor");
    await before.until(
      () => before.of(server.id).some(({ text }) => text === "BUILDING/spawning"),
      "spawning",
    );
    await stage.crash();
    await before.ended();
    assert.equal((before.broken as { kind?: string } | undefined)?.kind, "unavailable");
    const after = await open(stage.demo, { withOperations: true, resumeToken: before.token });
    assert.equal((await stage.demo.wait(operation)).state, OperationState.OPERATION_STATE_SUCCEEDED);
    await stage.demo.delete(server.id);
    await deleted(after, server.id);
    const sights = [...before.of(server.id), ...after.of(server.id)];
    assertOnceAndInOrder(sights);
    const texts = sights.map(({ text }) => text);
    assert.deepEqual(
      texts.filter((text, i) => text !== texts[i - 1]),
      LIFE,
    );
    assert.ok(
      after.events.every(({ type }) => type !== EventType.EVENT_TYPE_RESET),
      "no reset: the feed survived",
    );
  });

  it("shows a project nothing of another one, and everything to administrators who ask for it", async () => {
    const foreign = await open(stage.admin, { withOperations: true });
    const all = await open(stage.admin, { allProjects: true });
    const others = await open(stage.demo, { serverIds: ["00000000-0000-4000-8000-000000000001"] });
    const ours = await open(stage.demo);
    const serverId = await live("private");
    await deleted(all, serverId);
    await deleted(ours, serverId);
    assert.deepEqual(all.of(serverId), ours.of(serverId));
    // The administrator's own server comes after all that: once it is seen, nothing is still on its way.
    const { server, operation } = await stage.admin.create("own");
    await stage.admin.wait(operation);
    await stage.admin.delete(server.id);
    await deleted(foreign, server.id);
    assert.ok(
      foreign.events.every(
        (event) =>
          (event.server ?? event.operation)?.projectId !==
          ours.events.find((e) => e.server)?.server?.projectId,
      ),
    );
    assert.deepEqual(foreign.of(serverId), []);
    assert.deepEqual(others.sights, []);
    assert.deepEqual(ours.of(server.id), []);
  });

  it("gives all projects and other watches' tokens to nobody without the right to them", async () => {
    const next = (user: typeof stage.demo, wish: object): Promise<unknown> =>
      user.events.watchEvents(call(), wish)[Symbol.asyncIterator]().next();
    assert.equal((await failure(next(stage.demo, { allProjects: true }))).kind, "forbidden");
    const { token } = await open(stage.admin);
    assert.equal((await failure(next(stage.demo, { resumeToken: token }))).kind, "invalid");
    assert.equal((await failure(next(stage.demo, { resumeToken: "1.abc" }))).kind, "invalid");
  });
}

function assertOnceAndInOrder(sights: readonly Sight[]): void {
  assert.ok(sights.length > 0);
  for (const [index, { generation }] of sights.entries()) {
    const before = sights[index - 1]?.generation;
    if (before !== undefined) assert.ok(generation > before, `generation ${generation} after ${before}`);
  }
}
