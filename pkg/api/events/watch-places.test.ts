import assert from "node:assert/strict";
import { EventsServiceDefinition } from "../../../gen/kilonova/api/v1/operations_service.js";
import type { Actor } from "../../kernel/index.js";
import { until } from "../../testkit/until.js";
import { anApi, as, member } from "../testing/an-api.js";
import { WatchPlaces } from "./watch-places.js";

const user = (userId: string, projectId: string): Actor => ({ ...member, userId, projectId });

describe("WatchPlaces", () => {
  it("counts by user, by project and all together, and takes a place back once", () => {
    const places = new WatchPlaces({ maxWatches: 4, maxWatchesPerProject: 3, maxWatchesPerUser: 2 });
    const refused = (who: string, limit: number) => ({
      reason: "TOO_MANY_WATCHES",
      facts: { who, limit: String(limit), retryAfterMs: "5000" },
    });
    const leave = places.take(user("a", "p"));
    places.take(user("a", "p"));
    assert.throws(() => places.take(user("a", "q")), refused("this user", 2));
    places.take(user("b", "p"));
    assert.throws(() => places.take(user("c", "p")), refused("this project", 3));
    places.take(user("c", "q"));
    assert.throws(() => places.take(user("d", "r")), refused("all users", 4));
    leave();
    leave();
    places.take(user("d", "r"));
    assert.throws(() => places.take(user("e", "s")), refused("all users", 4));
  });

  it("refuses a watch too many with RESOURCE_EXHAUSTED, and frees the place of one that ends", async () => {
    const api = anApi({ config: { maxWatchesPerUser: 1, bookmarkIntervalMs: 60_000 } });
    const events = api.channel.client(EventsServiceDefinition);
    const open = async (): Promise<() => Promise<unknown>> => {
      const stop = new AbortController();
      const stream = events.watchEvents(as(member, { signal: stop.signal, deadlineMs: undefined }), {});
      const messages = stream[Symbol.asyncIterator]();
      await messages.next();
      return () => {
        stop.abort();
        return messages.next().catch(() => undefined);
      };
    };
    const first = await open();
    await assert.rejects(open(), { kind: "quota", reason: "TOO_MANY_WATCHES" });
    await first();
    const second = await until(() => open(), { what: "the place" });
    await second();
  });
});
