import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { ServerFilter } from "../../gen/kilonova/api/v1/servers_service.js";
import { GlobalServiceDefinition } from "../../gen/kilonova/cells/v1/global_service.js";
import { InstancesServiceDefinition } from "../../gen/kilonova/cells/v1/instances_service.js";
import type { InstanceRow } from "../../gen/kilonova/cells/v1/instances_service.js";
import { SortDirection } from "../../gen/kilonova/type/v1/page.js";
import { Server } from "../../gen/kilonova/cells/v1/server.js";
import { ServerHostInfo, VmState } from "../../gen/kilonova/type/v1/server.js";
import { sql } from "../../pkg/cells/store/sql.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { KilonovaError } from "../../pkg/kernel/index.js";
import { toTimestamp } from "../../pkg/model/wire-time.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";
import { bootRequest } from "../crash/requests.js";
import { startCellsService } from "./support/cells-service.js";
import type { CellsUnderTest } from "./support/cells-service.js";

const DESC = SortDirection.SORT_DIRECTION_DESC,
  ASC = SortDirection.SORT_DIRECTION_ASC;

describe("lists of servers", () => {
  let s: CellsUnderTest;
  const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
  before(async () => {
    s = await startCellsService();
    for (let n = 1; n <= 7; n++) {
      await putInstance(
        s.store,
        testCtx(),
        aServer({
          id: id(n),
          name: n === 3 ? "Étoile" : `web-${n}`,
          projectId: n === 7 ? "other" : "project",
          createdAt: toTimestamp(BigInt(1_767_225_600_000_000 + (n % 3) * 1_000_000)),
          keyName: n % 2 === 0 ? "" : `key${n}`,
          tags: n < 4 ? ["a", "b"] : ["b"],
          vmState: n === 5 ? VmState.VM_STATE_STOPPED : VmState.VM_STATE_ACTIVE,
          taskState: n === 6 ? "rebooting" : "",
          addresses: [
            {
              networkLabel: "net",
              version: 4,
              address: `10.0.0.${n}`,
              type: "fixed",
              macAddress: "",
              portId: "",
              networkId: "",
              subnetId: "",
            },
          ],
          ...(n === 4 ? { deletedAt: toTimestamp(1_767_225_700_000_000n) } : {}),
        }),
      );
    }
  });
  after(() => s.close());

  const list = async (request: {
    filter?: Partial<ServerFilter>;
    sort?: { field: string; direction: SortDirection }[];
    pageSize?: number;
    projectId?: string;
  }): Promise<number[]> => {
    const rows: InstanceRow[] = [];
    let after: string[] = [];
    for (;;) {
      const page = await s.instances.listInstances(testCtx(), {
        database: "cell1",
        ...request,
        after,
        ...(request.filter === undefined ? {} : { filter: ServerFilter.fromPartial(request.filter) }),
      });
      rows.push(...page.rows);
      if (!page.more) break;
      after = page.rows.at(-1)?.sortValues ?? [];
    }
    return rows.map(({ server }) => Number(Server.decode(server).id.slice(-2)));
  };

  it("show a project's own, newest first, without deleted ones", async () =>
    assert.deepEqual(await list({ projectId: "project" }), [5, 2, 1, 6, 3]));
  for (const pageSize of [1, 2, 3]) {
    it(`page by key through nulls in both directions, ${pageSize} at a time`, async () => {
      assert.deepEqual(
        await list({ sort: [{ field: "key_name", direction: ASC }], pageSize }),
        [2, 6, 1, 3, 5, 7],
      );
      assert.deepEqual(
        await list({ sort: [{ field: "key_name", direction: DESC }], pageSize }),
        [7, 5, 3, 1, 6, 2],
      );
      assert.deepEqual(
        await list({
          sort: [
            { field: "created_at", direction: DESC },
            { field: "uuid", direction: ASC },
          ],
          pageSize,
        }),
        [2, 5, 1, 7, 3, 6],
      );
    });
  }
  it("end a page at 3 MiB of records, and go on behind it without a gap", async () => {
    const big = (n: number, bytes: number) =>
      putInstance(
        s.store,
        testCtx(),
        aServer({
          id: id(n),
          projectId: "large",
          createdAt: toTimestamp(BigInt(1_767_225_600_000_000 + n)),
          metadata: new Map([["k", randomBytes(bytes / 2).toString("hex")]]),
        }),
      );
    for (let n = 20; n < 32; n++) await big(n, n === 25 ? 5 << 20 : 900_000);
    const pages: number[][] = [];
    let after: string[] = [];
    for (let more = true; more;) {
      const page = await s.instances.listInstances(testCtx(), {
        database: "cell1",
        projectId: "large",
        sort: [
          { field: "created_at", direction: DESC },
          { field: "id", direction: DESC },
        ],
        after,
      });
      pages.push(page.rows.map(({ serverId }) => Number(serverId.slice(-2))));
      after = page.rows.at(-1)?.sortValues ?? [];
      more = page.more;
    }
    assert.deepEqual(pages, [[31, 30, 29], [28, 27, 26], [25], [24, 23, 22], [21, 20]]);
    // A page that is short by its own size has no more to promise than one of full length.
    const two = await s.instances.listInstances(testCtx(), {
      database: "cell1",
      projectId: "large",
      sort: [{ field: "id", direction: DESC }],
      pageSize: 2,
    });
    assert.deepEqual([two.rows.length, two.more], [2, true]);
    await s.store.db.statement(testCtx(), "test.clear", (db) =>
      sql`DELETE FROM ${s.store.t.instance} WHERE project_id = 'large'`.execute(db),
    );
  });
  it("sort text by its bytes", async () =>
    assert.deepEqual((await list({ sort: [{ field: "display_name", direction: ASC }] })).at(-1), 3));
  it("match names as regular expressions without case", async () =>
    assert.deepEqual(await list({ filter: { nameRegex: "^WEB-[12]$" } }), [2, 1]));
  it("refuse what is no regular expression", () =>
    assert.rejects(list({ filter: { nameRegex: "(" } }), { reason: "INVALID_ARGUMENT" }));
  it("match addresses", async () => assert.deepEqual(await list({ filter: { ipRegex: "0\\.5$" } }), [5]));
  it("match states, an empty task state as none", async () => {
    assert.deepEqual(await list({ filter: { vmStates: [VmState.VM_STATE_STOPPED] } }), [5]);
    assert.deepEqual(await list({ filter: { taskStates: ["rebooting"] } }), [6]);
    assert.deepEqual((await list({ filter: { taskStates: [""] } })).includes(6), false);
  });
  it("match tags in four ways", async () => {
    assert.deepEqual((await list({ filter: { tags: ["a", "b"] } })).sort(), [1, 2, 3]);
    assert.deepEqual((await list({ filter: { notTagsAny: ["a"] } })).sort(), [5, 6, 7]);
    assert.deepEqual((await list({ filter: { notTags: ["a", "b"] } })).sort(), [5, 6, 7]);
    assert.equal((await list({ filter: { tagsAny: ["a", "zz"] } })).length, 3);
  });
  it("show deleted ones when asked", async () =>
    assert.deepEqual(await list({ filter: { deleted: true } }), [4]));
});

describe("quota", () => {
  it("holds under concurrent requests, and is released once", async () => {
    const s = await startCellsService({ maxInstances: 5 });
    const ids = Array.from({ length: 12 }, () => randomUUID());
    const results = await Promise.allSettled(
      ids.map((one) => s.global.acceptServers(testCtx(), bootRequest({ ids: [one] }))),
    );
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 5);
    const refusal = results.find((one) => one.status === "rejected");
    assert.ok(refusal?.reason instanceof KilonovaError);
    assert.deepEqual(refusal.reason.facts, { resources: "instances", requested: "1", used: "5", limit: "5" });
    const accepted = ids.filter((_, index) => results[index]?.status === "fulfilled");
    const conductor = s.as("conductor").client(GlobalServiceDefinition);
    await conductor.releaseHoldings(testCtx(), { serverIds: accepted.slice(0, 2) });
    await conductor.releaseHoldings(testCtx(), { serverIds: accepted.slice(0, 2) });
    const { limits } = await s.global.getQuota(testCtx(), { projectId: "project", userId: "user" });
    assert.deepEqual(
      limits.filter(({ used }) => used > 0n).map(({ resource, used }) => [resource, used]),
      [
        ["instances", 3n],
        ["cores", 3n],
        ["ram", 1536n],
      ],
    );
    await s.close();
  });

  it("accepts as many of several as fit, at least min_count, or none", async () => {
    const s = await startCellsService({ maxInstances: 3 });
    const ask = (count: number, minCount: number) =>
      s.global.acceptServers(
        testCtx(),
        bootRequest({ ids: Array.from({ length: count }, () => randomUUID()), minCount }),
      );
    assert.equal((await ask(5, 2)).servers.length, 3);
    await assert.rejects(ask(1, 1), { reason: "QUOTA_EXCEEDED" });
    await s.close();
  });

  it("answers two equal requests at once with one set of servers", async () => {
    const s = await startCellsService();
    const ask = () =>
      s.global.acceptServers(testCtx(), bootRequest({ ids: [randomUUID()], clientToken: "twice" }));
    const answers = await Promise.all([ask(), ask(), ask()]);
    assert.equal(new Set(answers.map(({ servers }) => servers[0]?.id)).size, 1);
    assert.equal(answers.filter(({ replayed }) => replayed).length, 2);
    await s.close();
  });
});

describe("metadata and tags", () => {
  it("change at once, item by item, under the conditions given", async () => {
    const s = await startCellsService();
    const id = randomUUID();
    await putInstance(
      s.store,
      testCtx(),
      aServer({ id, vmState: VmState.VM_STATE_ACTIVE, metadata: new Map([["a", "1"]]), tags: ["x"] }),
    );
    const change = (more: object) =>
      s.instances.updateInstance(testCtx(), { database: "cell1", server: { id }, updateMask: [], ...more });
    const merged = await change({
      metadata: { set: new Map([["b", "2"]]), maxItems: 2n },
      tags: { add: ["w"], maxTags: 50 },
    });
    assert.deepEqual(
      [merged.changed, [...(merged.instance?.server?.metadata ?? [])], merged.instance?.server?.tags],
      [
        true,
        [
          ["a", "1"],
          ["b", "2"],
        ],
        ["w", "x"],
      ],
    );
    const again = await change({ metadata: { set: new Map([["b", "2"]]), maxItems: 2n } });
    assert.deepEqual(
      [again.changed, again.instance?.server?.generation],
      [false, merged.instance?.server?.generation],
    );
    assert.deepEqual(
      (
        await s.instances.listInstances(testCtx(), {
          database: "cell1",
          filter: { tags: ["w", "x"] },
          pageSize: 10,
        })
      ).rows.map(({ serverId }) => serverId),
      [id],
    );
    await assert.rejects(change({ metadata: { set: new Map([["c", "3"]]), maxItems: 2n } }), {
      reason: "TOO_MANY_METADATA_ITEMS",
    });
    await assert.rejects(change({ tags: { remove: ["q"] } }), { reason: "TAG_NOT_FOUND" });
    await assert.rejects(
      change({
        tags: { add: ["q"], maxTags: 50 },
        conditions: { verb: "update tag", allowedVmStates: [VmState.VM_STATE_STOPPED] },
      }),
      { reason: "INVALID_STATE" },
    );
    // Two at the same time: both are in.
    await Promise.all(["m", "n"].map((tag) => change({ tags: { add: [tag], maxTags: 50 } })));
    assert.deepEqual(
      (await s.instances.getInstance(testCtx(), { database: "cell1", serverId: id })).instance?.server?.tags,
      ["m", "n", "w", "x"],
    );
    await s.close();
  });
});

describe("passwords that guests post", () => {
  it("are kept once, taken from the guest's own host only, and forgotten when the user says so", async () => {
    const s = await startCellsService();
    const id = randomUUID();
    await putInstance(
      s.store,
      testCtx(),
      aServer({ id, hostInfo: ServerHostInfo.fromPartial({ host: "h1" }) }),
    );
    const save = (peer: string, host: string, serverPassword: string) =>
      s
        .as(peer, host)
        .client(InstancesServiceDefinition)
        .saveServerPassword(testCtx(), { database: "cell1", serverId: id, serverPassword });
    const read = async () =>
      (await s.instances.getInstance(testCtx(), { database: "cell1", serverId: id })).instance;

    await assert.rejects(save("compute", "h2", "x"), { reason: "SERVER_NOT_FOUND" });
    await assert.rejects(save("conductor", "", "x"), { reason: "CALLER_NOT_ALLOWED" });
    for (const bad of ["", "x".repeat(1021)])
      await assert.rejects(save("metadata", "", bad), { reason: "INVALID_ARGUMENT" });
    const results = await Promise.allSettled([
      save("compute", "h1", "first"),
      save("metadata", "", "second"),
    ]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const kept = await read();
    assert.ok(kept?.serverPassword === "first" || kept?.serverPassword === "second");
    assert.equal(kept.server?.generation, 2n);
    await assert.rejects(save("metadata", "", "third"), { reason: "SERVER_PASSWORD_EXISTS" });

    const clear = (projectId: string) =>
      s.instances.clearServerPassword(testCtx(), { database: "cell1", serverId: id, projectId });
    await assert.rejects(clear("another"), { reason: "SERVER_NOT_FOUND" });
    await clear("project");
    await clear("project");
    assert.deepEqual([(await read())?.serverPassword, (await read())?.server?.generation], ["", 3n]);
    await save("metadata", "", "third");
    await s.instances.updateInstance(testCtx(), {
      database: "cell1",
      server: { id, name: "renamed" },
      updateMask: ["name"],
    });
    assert.equal((await read())?.serverPassword, "third");
    await s.close();
  });
});

describe("the feed", () => {
  it("tells each change once, in order, with what it changed to", async () => {
    const s = await startCellsService();
    const id = randomUUID();
    await s.global.acceptServers(testCtx(), bootRequest({ ids: [id] }));
    const seen: string[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      for await (const { entries } of s.feed.watchFeed(testCtx({ signal: stop.signal }), {
        database: "global",
        afterRevision: 0n,
        entityKinds: ["instance"],
      })) {
        for (const entry of entries)
          seen.push(`${entry.eventType} ${Server.decode(entry.payload).name} ${entry.generation}`);
      }
    })().catch(() => {});
    await s.instances.updateInstance(testCtx(), {
      database: "global",
      server: { id, name: "renamed" },
      updateMask: ["name"],
    });
    await until(() => seen.length === 2, { what: "two events" });
    assert.deepEqual(seen, ["created vm 1", "changed renamed 2"]);
    stop.abort();
    await watching;
    await s.close();
  });
});

describe("flavors and key pairs", () => {
  it("are unique, hidden from projects without access, and paged", async () => {
    const s = await startCellsService({ maxKeyPairs: 2 });
    const flavor = (id: string, isPublic = true) => ({
      id,
      name: `n${id}`,
      vcpus: 1,
      memoryMib: 1,
      isPublic,
    });
    for (const id of ["1", "2", "3"]) await s.global.createStoredFlavor(testCtx(), { flavor: flavor(id) });
    await assert.rejects(s.global.createStoredFlavor(testCtx(), { flavor: { ...flavor("1"), name: "x" } }), {
      reason: "FLAVOR_EXISTS",
    });
    await assert.rejects(s.global.createStoredFlavor(testCtx(), { flavor: { ...flavor("9"), name: "n1" } }), {
      reason: "FLAVOR_NAME_EXISTS",
    });
    await s.global.createStoredFlavor(testCtx(), { flavor: flavor("p", false) });
    await assert.rejects(s.global.getStoredFlavor(testCtx(), { flavorId: "p", projectId: "project" }), {
      reason: "FLAVOR_NOT_FOUND",
    });
    await s.global.updateStoredFlavor(testCtx(), {
      flavor: { id: "p" },
      addProjects: ["project"],
      setExtraSpecs: new Map([["a", "1"]]),
    });
    assert.equal(
      (
        await s.global.getStoredFlavor(testCtx(), { flavorId: "p", projectId: "project" })
      ).flavor?.extraSpecs.get("a"),
      "1",
    );
    const page = await s.global.listStoredFlavors(testCtx(), { pageSize: 2, projectId: "other" });
    const next = await s.global.listStoredFlavors(testCtx(), {
      pageSize: 2,
      projectId: "other",
      pageToken: page.nextPageToken,
    });
    assert.deepEqual(
      [...page.flavors, ...next.flavors].map(({ id }) => id),
      ["1", "2", "3"],
    );
    const key = (name: string) =>
      s.global.createStoredKeyPair(testCtx(), { keyPair: { name, userId: "u", publicKey: "ssh-rsa x" } });
    await key("a");
    await assert.rejects(key("a"), { reason: "KEY_PAIR_EXISTS" });
    await key("b");
    await assert.rejects(key("c"), { reason: "KEY_PAIR_QUOTA" });
    assert.deepEqual(
      (await s.global.listStoredKeyPairs(testCtx(), { userId: "u", marker: "a" })).keyPairs.map(
        ({ name }) => name,
      ),
      ["b"],
    );
    await s.global.deleteStoredKeyPair(testCtx(), { userId: "u", name: "a" });
    await assert.rejects(s.global.getStoredKeyPair(testCtx(), { userId: "u", name: "a" }), {
      reason: "KEY_PAIR_NOT_FOUND",
    });
    await s.close();
  });
});
