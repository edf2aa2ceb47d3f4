import assert from "node:assert/strict";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { WatchEventsResponseSchema } from "./messages.gen.js";
import { EventType, EventsService, ServersService } from "./messages.gen.js";
import { Code, clientOf, refusal, tokenOf } from "./testing/scripted-cloud.js";
import type { Informer } from "./informer.js";

type Event = MessageInitShape<typeof WatchEventsResponseSchema>;
type Turn = readonly (Event | Error)[];

const bookmark = (resumeToken: string): Event => ({ type: EventType.BOOKMARK, resumeToken });
const told = (type: EventType, id: string, generation: bigint, resumeToken: string, name = ""): Event => ({
  type,
  resumeToken,
  server: { id, generation, name },
});
const away = refusal(Code.Unavailable, "GOING_AWAY");

/** A cloud with two pages of servers, and a watch that says one turn each time it is called. */
function cloudOf(turns: readonly Turn[]) {
  const asked: string[] = [];
  const cloud = clientOf(({ rpc }) => {
    rpc(ServersService.method.listServers, ({ pageToken, withResumeToken }) => {
      assert.equal(withResumeToken, true);
      return pageToken === ""
        ? { servers: [{ id: "a", generation: 1n }], nextPageToken: "two", resumeToken: "listed" }
        : { servers: [{ id: "b", generation: 5n, name: "new" }], resumeToken: "" };
    });
    rpc(EventsService.method.watchEvents, async function* ({ resumeToken }, { signal }) {
      asked.push(resumeToken);
      for (const event of turns[asked.length - 1] ?? []) {
        if (event instanceof Error) throw event;
        yield event;
      }
      if (asked.length >= turns.length)
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    });
  });
  return { cloud, asked };
}

/** Follows the turns to their end. @returns what was told, and the tokens that watches began with */
async function follow(turns: readonly Turn[], options: { maxServers?: number } = {}) {
  const { cloud, asked } = cloudOf([...turns, [told(EventType.SERVER_CHANGED, "last", 1n, "end")]]);
  const changes: string[] = [];
  let reached: () => void = () => undefined;
  const atEnd = new Promise<void>((resolve) => (reached = resolve));
  const informer: Informer<string> = cloud.servers.informer({
    ...options,
    keep: ({ name, generation }) => `${name}${generation}`,
    onChange: (change) => {
      if (change.id === "last") return reached();
      const values = [
        ...("before" in change ? [change.before] : []),
        ...("now" in change ? [change.now] : []),
      ];
      changes.push(`${change.type} ${change.id} ${values.join(" ")}`);
    },
  });
  await informer.ready();
  changes.push("ready");
  await Promise.race([atEnd, informer.closed()]);
  informer.close();
  await informer.closed();
  return { changes, asked, informer };
}

describe("an informer of the SDK", () => {
  it("lists, then follows from the list's own token, and skips what the list knew already", async () => {
    const { changes, asked, informer } = await follow([
      [
        told(EventType.SERVER_CHANGED, "b", 4n, "1", "old"),
        told(EventType.SERVER_CHANGED, "b", 6n, "2", "newer"),
        told(EventType.SERVER_CHANGED, "c", 1n, "3"),
        told(EventType.SERVER_DELETED, "a", 2n, "4"),
        away,
      ],
    ]);
    assert.deepEqual(changes, [
      "added a 1",
      "added b new5",
      "ready",
      "changed b new5 newer6",
      "added c 1",
      "deleted a 1",
    ]);
    assert.deepEqual(asked, ["listed", "4"]);
    assert.deepEqual([informer.get("b"), informer.get("a"), informer.size], ["newer6", undefined, 3]);
    assert.deepEqual([...informer.values()], ["newer6", "1", "1"]);
  });

  it("drops after a reset what the snapshot does not tell of", async () => {
    const { changes, asked } = await follow([
      [
        { type: EventType.RESET, resumeToken: "expired" },
        told(EventType.SNAPSHOT, "b", 5n, "expired"),
        told(EventType.SERVER_CHANGED, "c", 1n, "expired"),
        { type: EventType.SNAPSHOT_END, resumeToken: "after" },
        away,
      ],
    ]);
    assert.deepEqual(changes.slice(3), ["added c 1", "deleted a 1"]);
    assert.deepEqual(asked, ["listed", "after"]);
  });

  it("asks for the whole snapshot again when that breaks off, also behind a silent cell", async () => {
    const { changes, asked } = await follow([
      [
        { type: EventType.RESET, resumeToken: "expired" },
        told(EventType.SNAPSHOT, "b", 5n, "expired"),
        { type: EventType.CELL_UNREACHABLE, cell: "cell2", resumeToken: "not yet good" },
        away,
      ],
      [
        { type: EventType.RESET, resumeToken: "expired" },
        told(EventType.SNAPSHOT, "b", 5n, "expired"),
        { type: EventType.SNAPSHOT_END, resumeToken: "after" },
        away,
      ],
    ]);
    assert.deepEqual(asked, ["listed", "expired", "after"]);
    assert.deepEqual(changes.slice(3), ["deleted a 1"]);
  });

  it("keeps the servers of a cell that is silent during a snapshot", async () => {
    const { informer } = await follow([
      [
        { type: EventType.RESET, resumeToken: "expired" },
        { type: EventType.CELL_UNREACHABLE, cell: "cell2", resumeToken: "x" },
        told(EventType.SNAPSHOT, "b", 5n, "expired"),
        { type: EventType.SNAPSHOT_END, resumeToken: "after" },
      ],
    ]);
    assert.equal(informer.get("a"), "1");
  });

  it("ends instead of growing beyond its bound", async () => {
    const events = [told(EventType.SERVER_CHANGED, "c", 1n, "1")];
    await assert.rejects(follow([events], { maxServers: 2 }), /more than 2 servers/);
  });

  it("that ends so leaves no rejection that nobody handles", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): number => unhandled.push(reason);
    process.on("unhandledRejection", note);
    try {
      const { cloud } = cloudOf([[refusal(Code.PermissionDenied, "FORBIDDEN")]]);
      const informer = cloud.servers.informer();
      await informer.ready();
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      process.off("unhandledRejection", note);
    }
    assert.deepEqual(unhandled, []);
  });

  it("ends when it may not watch", async () => {
    await assert.rejects(follow([[refusal(Code.PermissionDenied, "FORBIDDEN")]]), /FORBIDDEN/);
  });
});

describe("a watch of the SDK", () => {
  it("goes on with a new token when its own has ended", async () => {
    const tokens: string[] = [];
    const asked: string[] = [];
    const cloud = clientOf(({ rpc }) =>
      rpc(EventsService.method.watchEvents, async function* ({ resumeToken }, context) {
        tokens.push(tokenOf(context));
        asked.push(resumeToken);
        yield bookmark(`${tokens.length}`);
        throw refusal(Code.Unauthenticated, "UNAUTHENTICATED");
      }),
    );
    for await (const { resumeToken } of cloud.servers.watch()) if (resumeToken === "3") break;
    assert.deepEqual(
      [tokens, asked],
      [
        ["token-1", "token-2", "token-3"],
        ["", "1", "2"],
      ],
    );
  });

  it("is opened again when it says nothing for too long", async () => {
    const asked: string[] = [];
    const cloud = clientOf(({ rpc }) =>
      rpc(EventsService.method.watchEvents, async function* ({ resumeToken }, { signal }) {
        asked.push(resumeToken);
        yield bookmark(`${asked.length}`);
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      }),
    );
    const seen: string[] = [];
    const watch = cloud.servers.watch({}, { idleMs: 40 });
    for await (const { resumeToken } of watch) {
      seen.push(resumeToken);
      if (seen.length === 2) break;
    }
    assert.deepEqual(
      [seen, asked],
      [
        ["1", "2"],
        ["", "1"],
      ],
    );
  });

  it("goes on from the last event that was dealt with, not from one that was only received", async () => {
    const { cloud, asked } = cloudOf([[bookmark("1"), bookmark("2"), away], []]);
    const abort = new AbortController();
    const seen: string[] = [];
    for await (const { resumeToken } of cloud.servers.watch({ resumeToken: "0" }, { signal: abort.signal })) {
      seen.push(resumeToken);
      if (seen.length === 2) setTimeout(() => abort.abort(), 60);
    }
    assert.deepEqual(
      [seen, asked],
      [
        ["1", "2"],
        ["0", "2"],
      ],
    );
  });
});
