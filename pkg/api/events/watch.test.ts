import assert from "node:assert/strict";
import { EventType, EventsServiceDefinition } from "../../../gen/kilonova/api/v1/operations_service.js";
import type { ListInstancesRequest } from "../../../gen/kilonova/cells/v1/instances_service.js";
import type {
  WatchEventsRequest,
  WatchEventsResponse,
} from "../../../gen/kilonova/api/v1/operations_service.js";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Actor } from "../../kernel/index.js";
import { operationName } from "../../model/operation-name.js";
import { until } from "../../testkit/until.js";
import type { TestApi } from "../testing/an-api.js";
import { administrator, anApi, as, member } from "../testing/an-api.js";

const uuid = (n: number): string => `00000000-0000-4000-8000-${n.toString().padStart(12, "0")}`;
const A = uuid(1);
const quick = { cellTimeoutMs: 100, downCellTimeoutMs: 20, bookmarkIntervalMs: 60_000 };

/** A watcher that keeps what it sees. */
class Watcher {
  readonly seen: WatchEventsResponse[] = [];
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(api: TestApi, wish: Partial<WatchEventsRequest> = {}, actor: Actor = member) {
    const stream = api.channel
      .client(EventsServiceDefinition)
      .watchEvents(as(actor, { signal: this.#stop.signal, deadlineMs: undefined }), wish);
    this.#done = this.#read(stream);
  }

  async #read(stream: AsyncIterable<WatchEventsResponse>): Promise<void> {
    try {
      for await (const event of stream) this.seen.push(event);
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  /** Waits for so many events other than bookmarks, and tells them as `TYPE id generation`. */
  async story(count: number): Promise<string[]> {
    await until(() => this.#told().length >= count, {
      what: `${count} events, saw ${this.#told().join("; ")}`,
    });
    return this.#told();
  }

  #told(): string[] {
    return this.seen
      .filter((event) => event.type !== EventType.EVENT_TYPE_BOOKMARK)
      .map((event) => {
        const name =
          Object.entries(EventType)
            .find(([, value]) => value === event.type)?.[0]
            .replace("EVENT_TYPE_", "") ?? "";
        return [
          name,
          event.cell,
          event.server?.id.slice(-1),
          event.server?.generation,
          event.operation?.currentStep,
        ]
          .filter((part) => part !== undefined && part !== "")
          .join(" ");
      });
  }

  /** The token of the last event. */
  get token(): string {
    return this.seen.at(-1)?.resumeToken ?? "";
  }

  /** Waits for the first bookmark: from then on nothing is missed. */
  ready(): Promise<WatchEventsResponse> {
    return until(() => this.seen.find((event) => event.type === EventType.EVENT_TYPE_BOOKMARK), {
      what: "the first bookmark",
    });
  }

  async stop(): Promise<string> {
    const { token } = this;
    this.#stop.abort();
    await this.#done;
    return token;
  }
}

async function firstEvent(api: TestApi, request: Partial<WatchEventsRequest>): Promise<unknown> {
  for await (const event of api.channel.client(EventsServiceDefinition).watchEvents(as(member), request))
    return event;
  return undefined;
}

describe("watchEvents", () => {
  it("tells each state of the project's servers once, over a move from global to a cell", async () => {
    const api = anApi({ config: quick });
    const watcher = new Watcher(api);
    await watcher.ready();
    api.cells.change("global", { id: A, generation: 1n }, "created");
    await watcher.story(1);
    api.cells.change("cell1", { id: A, generation: 2n, vmState: VmState.VM_STATE_BUILDING }, "created");
    await watcher.story(2);
    // late, and older than what was told
    api.cells.feed("global").instance(api.cells.put("cell1", { id: A, generation: 1n }), "changed");
    api.cells.change("cell1", { id: A, generation: 3n, vmState: VmState.VM_STATE_ACTIVE });
    api.cells.put("cell1", { id: uuid(2), projectId: "p2" });
    api.cells.change("cell2", { id: uuid(2), projectId: "p2" });
    await watcher.story(3);
    api.cells.change("cell1", { id: A, generation: 4n }, "deleted");
    assert.deepEqual(await watcher.story(4), [
      "SERVER_CHANGED 1 1",
      "SERVER_CHANGED 1 2",
      "SERVER_CHANGED 1 3",
      "SERVER_DELETED 1 4",
    ]);
    await watcher.stop();
    await until(() => api.cells.feeds.every((feed) => feed.watchers === 0), {
      what: "the feeds to be left",
    });
  });

  it("goes on from a token without gap or repetition", async () => {
    const api = anApi({ config: quick });
    const first = new Watcher(api);
    await first.ready();
    api.cells.change("cell1", { id: A, generation: 1n });
    await first.story(1);
    const token = await first.stop();
    api.cells.change("cell1", { id: A, generation: 2n });
    api.cells.change("cell2", { id: uuid(2), generation: 7n });
    const second = new Watcher(api, { resumeToken: token });
    assert.deepEqual((await second.story(2)).sort(), ["SERVER_CHANGED 1 2", "SERVER_CHANGED 2 7"]);
    await second.stop();
  });

  it("goes on from a list without gap: what changes while its pages are read is told", async () => {
    const api = anApi({ config: quick });
    for (const n of [1, 2, 3])
      api.cells.change("cell1", { id: uuid(n), generation: 1n, createdAt: { seconds: BigInt(n), nanos: 0 } });
    const list = (init: object) => api.channel.client(ServersServiceDefinition).listServers(as(member), init);
    const page = await list({ pageSize: 2, withResumeToken: true });
    assert.deepEqual(
      page.servers.map(({ id }) => id),
      [uuid(3), uuid(2)],
    );
    api.cells.change("cell1", { id: uuid(3), generation: 2n });
    api.cells.change("cell2", { id: uuid(4), generation: 1n });
    const rest = await list({ pageSize: 2, pageToken: page.nextPageToken, withResumeToken: true });
    assert.equal(rest.resumeToken, "", "only the first page knows where the list began");
    for (const withOperations of [false, true]) {
      const watcher = new Watcher(api, { resumeToken: page.resumeToken, withOperations });
      assert.deepEqual((await watcher.story(2)).sort(), ["SERVER_CHANGED 3 2", "SERVER_CHANGED 4 1"]);
      await watcher.stop();
    }
    assert.equal((await list({})).resumeToken, "");
    await assert.rejects(firstEvent(api, { resumeToken: page.resumeToken, serverIds: [uuid(3)] }), {
      reason: "BAD_PAGE_TOKEN",
    });
  });

  it("tells nothing older after a break than before it, even when the global feed lags behind the cell's", async () => {
    const api = anApi({ config: quick });
    const first = new Watcher(api);
    await first.ready();
    api.cells.change("cell1", { id: A, generation: 5n });
    await first.story(1);
    const token = await first.stop();
    api.cells.feed("global").instance(api.cells.put("cell1", { id: A, generation: 4n }), "changed");
    api.cells.change("cell1", { id: A, generation: 6n });
    const second = new Watcher(api, { resumeToken: token });
    assert.deepEqual(await second.story(1), ["SERVER_CHANGED 1 6"]);
    await second.stop();
  });

  it("reads the global feed first when it goes on, so that a server's first states come before its cell's", async () => {
    const api = anApi({ config: quick });
    const first = new Watcher(api);
    await first.ready();
    const token = await first.stop();
    api.cells.change("cell1", { id: A, generation: 2n });
    api.cells.feed("global").instance(api.cells.put("cell1", { id: A, generation: 1n }), "created");
    const second = new Watcher(api, { resumeToken: token });
    assert.deepEqual(await second.story(2), ["SERVER_CHANGED 1 1", "SERVER_CHANGED 1 2"]);
    await second.stop();
  });

  for (const [what, damage] of [
    [
      "was compacted",
      (api: TestApi) => {
        api.cells.change("cell1", { id: A, generation: 2n });
        api.cells.feed("cell1").compact(2);
      },
    ],
    [
      "began a new life",
      (api: TestApi) => {
        api.cells.feed("cell1").rebirth("other");
      },
    ],
  ] as const) {
    it(`starts over with a snapshot when a feed ${what}`, async () => {
      const api = anApi({ config: quick });
      const first = new Watcher(api);
      await first.ready();
      api.cells.change("cell1", { id: A, generation: 1n });
      await first.story(1);
      const token = await first.stop();
      damage(api);
      api.cells.put("cell2", { id: uuid(2), generation: 3n });
      const second = new Watcher(api, { resumeToken: token });
      const story = await second.story(4);
      assert.equal(story[0], "RESET");
      assert.deepEqual(
        story.slice(1, 3).map((line) => line.split(" ").slice(0, 2).join(" ")),
        ["SNAPSHOT 1", "SNAPSHOT 2"],
      );
      assert.equal(story[3], "SNAPSHOT_END");
      const { filter } = api.cells.requests.get("listInstances") as ListInstancesRequest;
      assert.equal(filter?.softDeleted, true, "what can be restored is there");
      api.cells.change("cell2", { id: uuid(2), generation: 4n });
      assert.equal((await second.story(5))[4], "SERVER_CHANGED 2 4");
      await second.stop();
    });
  }

  it("starts over for whoever broke off inside a snapshot", async () => {
    const api = anApi({ config: quick });
    api.cells.put("cell1", { id: A });
    const first = new Watcher(api);
    await first.ready();
    const token = await first.stop();
    api.cells.feed("cell1").rebirth("other");
    const second = new Watcher(api, { resumeToken: token });
    await second.story(3);
    await second.stop();
    const inside =
      second.seen.find((event) => event.type === EventType.EVENT_TYPE_SNAPSHOT)?.resumeToken ?? "";
    const third = new Watcher(api, { resumeToken: inside });
    assert.deepEqual(await third.story(3), ["RESET", "SNAPSHOT 1 1", "SNAPSHOT_END"]);
    await third.stop();
  });

  it("says that a cell is silent, tells the others' events meanwhile, and starts over when it answers", async () => {
    const api = anApi({ config: quick });
    api.cells.silent.add("cell2");
    const watcher = new Watcher(api);
    await watcher.story(1);
    api.cells.change("cell1", { id: A, generation: 1n });
    const story = await watcher.story(2);
    assert.deepEqual(story, ["CELL_UNREACHABLE cell2", "SERVER_CHANGED 1 1"]);
    api.cells.put("cell2", { id: uuid(2) });
    api.cells.silent.clear();
    assert.deepEqual((await watcher.story(6)).slice(2), [
      "RESET",
      "SNAPSHOT 1 1",
      "SNAPSHOT 2 1",
      "SNAPSHOT_END",
    ]);
    await watcher.stop();
  });

  it("shows only the servers asked for, and operations on demand", async () => {
    const api = anApi({ config: quick });
    const watcher = new Watcher(api, { serverIds: [A], withOperations: true });
    await watcher.ready();
    const operation = (server: string, currentStep: string): Operation =>
      Operation.fromPartial({
        name: operationName(server, uuid(9)),
        serverId: server,
        projectId: "p1",
        currentStep,
      });
    api.cells.change("cell1", { id: uuid(2), generation: 1n });
    api.cells.feed("cell1").operation(operation(uuid(2), "other"), 1n);
    api.cells.feed("cell1").operation(operation(A, "boot"), 2n);
    api.cells.feed("cell1").operation(operation(A, "boot"), 2n);
    api.cells.change("cell1", { id: A, generation: 1n });
    assert.deepEqual(await watcher.story(2), ["OPERATION_CHANGED boot", "SERVER_CHANGED 1 1"]);
    await watcher.stop();
  });

  it("sends bookmarks while nothing happens", async () => {
    const api = anApi({ config: { ...quick, bookmarkIntervalMs: 100 } });
    const watcher = new Watcher(api);
    await until(() => watcher.seen.length >= 3);
    assert.ok(
      watcher.seen.every((event) => event.type === EventType.EVENT_TYPE_BOOKMARK && event.resumeToken !== ""),
    );
    await watcher.stop();
  });

  it("refuses made-up tokens, those of another watch, and all projects without the right", async () => {
    const api = anApi({ config: quick });
    const watcher = new Watcher(api);
    await watcher.ready();
    const token = await watcher.stop();
    const first = async (wish: Partial<WatchEventsRequest>, actor: Actor): Promise<unknown> => {
      for await (const event of api.channel.client(EventsServiceDefinition).watchEvents(as(actor), wish))
        return event;
      return undefined;
    };
    await assert.rejects(first({ resumeToken: "1.abc" }, member), { reason: "BAD_PAGE_TOKEN" });
    await assert.rejects(first({ resumeToken: token }, administrator), { reason: "BAD_PAGE_TOKEN" });
    await assert.rejects(first({ allProjects: true }, member), { reason: "FORBIDDEN" });
    await assert.rejects(first({ serverIds: ["x"] }, member), { reason: "INVALID_REQUEST" });
  });
});
