import assert from "node:assert/strict";
import { testCtx } from "../../testkit/ctx.js";
import { until } from "../../testkit/until.js";
import { keepKey } from "./kept-key.js";
import { coordinationKeys } from "./keys.js";
import { MemoryCoordination, MemoryLink } from "./memory.js";
import type { ServiceInstance } from "./service-directory.js";
import { serviceDirectory } from "./service-directory.js";

const TTL_MS = 100;
const instance = (id: string, host = "m1"): ServiceInstance => ({
  service: "cells",
  id,
  address: `127.0.0.1:${id}`,
  host,
  version: "1",
});

describe("platform/coordination: services", () => {
  const ending = new AbortController();
  after(() => ending.abort());

  it("knows who announced itself, until it leaves", async () => {
    const store = new MemoryCoordination().connect();
    const directory = serviceDirectory(store, TTL_MS);
    void directory.follow(testCtx({ signal: ending.signal }));
    const leaving = new AbortController();
    const kept = await directory.announce(testCtx({ signal: leaving.signal }), instance("2"));
    await directory.announce(testCtx({ signal: ending.signal }), instance("1", "m2"));
    await until(() => directory.instances("cells").length === 2, { what: "both to be seen" });
    assert.deepEqual(directory.instances("cells"), [instance("1", "m2"), instance("2")]);
    assert.deepEqual([directory.isUp("cells", "m1"), directory.isUp("placement", "m1")], [true, false]);
    leaving.abort();
    await kept.released;
    await until(() => !directory.isUp("cells", "m1"), {
      timeoutMs: TTL_MS / 2,
      what: "the leaver to be gone before its lease ends",
    });
  });

  it("passes over what it cannot read", async () => {
    const store = new MemoryCoordination().connect();
    const directory = serviceDirectory(store, TTL_MS);
    const lease = await store.grant(testCtx(), TTL_MS);
    await lease.put(testCtx(), coordinationKeys.service("cells", "9"), "{");
    await lease.put(
      testCtx(),
      coordinationKeys.service("cells", "8"),
      JSON.stringify({ ...instance("8"), later: true }),
    );
    void directory.follow(testCtx({ signal: ending.signal }));
    await until(() => directory.instances("cells").length > 0, { what: "the readable one" });
    assert.deepEqual(directory.instances("cells"), [instance("8")]);
  });

  it("takes a lost lease again", async () => {
    const [cluster, link] = [new MemoryCoordination(), new MemoryLink()];
    const kept = await keepKey(
      testCtx({ signal: ending.signal }),
      cluster.connect(link),
      TTL_MS,
      "key",
      "value",
    );
    assert.equal(kept.held, true);
    link.stall();
    await until(() => !kept.held && cluster.get("key") === undefined, { what: "the lease to be lost" });
    link.heal();
    await until(() => kept.held && cluster.get("key")?.value === "value", { what: "the key to be back" });
  });
});
