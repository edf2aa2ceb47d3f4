import assert from "node:assert/strict";
import {
  InstanceAction,
  InstanceActionsServiceDefinition,
} from "../../../gen/kilonova/api/v1/limits_service.js";
import { EventsServiceDefinition } from "../../../gen/kilonova/api/v1/operations_service.js";
import type { WatchEventsRequest } from "../../../gen/kilonova/api/v1/operations_service.js";
import { KeyPairsServiceDefinition } from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import {
  ServerGroup,
  ServerGroupsServiceDefinition,
} from "../../../gen/kilonova/api/v1/server_groups_service.js";
import { ServerMetadataServiceDefinition } from "../../../gen/kilonova/api/v1/server_metadata_service.js";
import { ServerTagsServiceDefinition } from "../../../gen/kilonova/api/v1/server_tags_service.js";
import { NovaListsServiceDefinition } from "../../../gen/kilonova/compat/v1/nova_lists_service.js";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import { KeyPair } from "../../../gen/kilonova/type/v1/key_pair.js";
import { ServerHostInfo, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Actor, Ctx } from "../../kernel/index.js";
import type { TestApi } from "../testing/an-api.js";
import { administrator, anApi, as, member, stranger } from "../testing/an-api.js";

const uuid = (n: number): string => `00000000-0000-4000-8000-${n.toString().padStart(12, "0")}`;
const A = uuid(1);
const THEIRS = uuid(2);
const servers = ({ channel }: TestApi) => channel.client(ServersServiceDefinition);
const tags = ({ channel }: TestApi) => channel.client(ServerTagsServiceDefinition);
const metadata = ({ channel }: TestApi) => channel.client(ServerMetadataServiceDefinition);
const groups = ({ channel }: TestApi) => channel.client(ServerGroupsServiceDefinition);
const keyPairs = ({ channel }: TestApi) => channel.client(KeyPairsServiceDefinition);
const actions = ({ channel }: TestApi) => channel.client(InstanceActionsServiceDefinition);
const missing = { reason: "SERVER_NOT_FOUND" };
/** A token without a project, which no default rule lets in. */
const nowhere: Actor = { ...member, projectId: "" };
const noRole: Actor = { ...member, roles: [] };

/** A server of p1 in one cell, one of p2 in another. */
function twoProjects(options: Parameters<typeof anApi>[0] = {}): TestApi {
  const api = anApi(options);
  const launchedAt = { seconds: 1n, nanos: 0 };
  const vmState = VmState.VM_STATE_ACTIVE;
  api.cells.put("cell1", { id: A, vmState, launchedAt, createdAt: launchedAt });
  api.cells.put("cell2", { id: THEIRS, projectId: "p2", userId: "u2", createdAt: launchedAt });
  return api;
}

describe("servers of other projects", () => {
  it("are missing before any cell is asked about them", async () => {
    const api = twoProjects();
    await assert.rejects(servers(api).getServer(as(stranger), { serverId: A }), missing);
    await assert.rejects(servers(api).stopServer(as(stranger), { serverId: A }), missing);
    assert.deepEqual(
      api.cells.calls.filter((call) => call.includes("cell1")),
      [],
    );
  });

  it("are missing also when a remembered server turns out to be another's", async () => {
    const api = twoProjects();
    await servers(api).getServer(as(member), { serverId: A });
    api.cells.put("cell2", { id: A, projectId: "p2" });
    await assert.rejects(servers(api).getServer(as(member), { serverId: A }), missing);
    assert.equal(api.cells.calls.includes("getInstance cell2"), false);
  });

  it("are no markers, and what a page token goes on from is its project's alone", async () => {
    const api = twoProjects();
    api.cells.put("cell1", { id: uuid(3), createdAt: { seconds: 2n, nanos: 0 } });
    await assert.rejects(
      api.channel
        .client(NovaListsServiceDefinition)
        .listServers(as(member), { list: {}, nova: { marker: THEIRS } }),
      {
        reason: "MARKER_NOT_FOUND",
      },
    );
    const { nextPageToken } = await servers(api).listServers(as(member), { pageSize: 1 });
    assert.notEqual(nextPageToken, "");
    await assert.rejects(servers(api).listServers(as(stranger), { pageSize: 1, pageToken: nextPageToken }), {
      reason: "BAD_PAGE_TOKEN",
    });
  });

  it("are not told of when their cell is silent", async () => {
    const api = twoProjects({ config: { cellTimeoutMs: 500, downCellTimeoutMs: 100 } });
    api.cells.silent.add("cell2");
    assert.deepEqual((await servers(api).listServers(as(member), {})).downCellServers, []);
    const { downCellServers } = await servers(api).listServers(as(stranger), {});
    assert.deepEqual(
      downCellServers.map(({ id }) => id),
      [THEIRS],
    );
  });

  it("cannot be watched with a resume token of theirs", async () => {
    const api = twoProjects();
    const first = async (actor: Actor, wish: Partial<WatchEventsRequest>) => {
      const stop = new AbortController();
      const watch = api.channel.client(EventsServiceDefinition).watchEvents;
      for await (const event of watch(as(actor, { signal: stop.signal, deadlineMs: undefined }), wish)) {
        stop.abort();
        return event.resumeToken;
      }
      return "";
    };
    const resumeToken = await first(member, {});
    await assert.rejects(first(stranger, { resumeToken }), { kind: "invalid" });
  });

  const calls: readonly (readonly [string, string, (api: TestApi, ctx: Ctx) => Promise<unknown>])[] = [
    ["reading", "getInstance", (api, ctx) => servers(api).getServer(ctx, { serverId: A })],
    [
      "changing",
      "updateInstance",
      (api, ctx) =>
        servers(api).updateServer(ctx, { serverId: A, server: { name: "n" }, updateMask: ["name"] }),
    ],
    ["tagging", "updateInstance", (api, ctx) => tags(api).addServerTag(ctx, { serverId: A, tag: "t" })],
    [
      "labelling",
      "updateInstance",
      (api, ctx) => metadata(api).updateServerMetadata(ctx, { serverId: A, metadata: new Map([["a", "b"]]) }),
    ],
    ["stopping", "acceptOperation", (api, ctx) => servers(api).stopServer(ctx, { serverId: A })],
    [
      "clearing a password",
      "clearServerPassword",
      (api, ctx) => servers(api).clearServerPassword(ctx, { serverId: A }),
    ],
  ];
  for (const [what, method, call] of calls)
    it(`are left alone by the store too: ${what} says whose server it must be`, async () => {
      for (const [actor, projectId] of [
        [member, "p1"],
        [administrator, ""],
      ] as const) {
        const api = twoProjects();
        api.cells.put("cell1", { id: A, hostInfo: ServerHostInfo.fromPartial({ host: "h1" }) });
        await call(api, as(actor));
        assert.equal((api.cells.requests.get(method) as { projectId: string }).projectId, projectId);
      }
    });
});

describe("rules about servers", () => {
  it("refuse the console and the server itself to who has no role in its project", async () => {
    const api = twoProjects();
    for (const [call, rule] of [
      [servers(api).getConsoleOutput(as(noRole), { serverId: A }), "os_compute_api:os-console-output"],
      [servers(api).getServer(as(noRole), { serverId: A }), "os_compute_api:servers:show"],
    ] as const)
      await assert.rejects(call, { reason: "FORBIDDEN", facts: { rule } });
  });

  it("show the insides of an action to administrators only", async () => {
    const api = twoProjects();
    const event = { event: "build", host: "h1", traceback: "at line 1", details: "why" };
    api.cells.putAction(
      "cell1",
      InstanceAction.fromPartial({ requestId: "req-1", serverId: A, events: [event] }),
    );
    const read = async (actor: Actor) => {
      const { action, hiddenFields } = await actions(api).getInstanceAction(as(actor), {
        serverId: A,
        requestId: "req-1",
      });
      const { host, traceback, details } = action?.events[0] ?? {};
      return { host, traceback, details, hiddenFields };
    };
    assert.deepEqual(await read(member), {
      host: undefined,
      traceback: undefined,
      details: undefined,
      hiddenFields: ["events.host", "events.traceback", "events.details"],
    });
    assert.deepEqual(await read(administrator), {
      host: "h1",
      traceback: "at line 1",
      details: "why",
      hiddenFields: [],
    });
  });
});

describe("what belongs to others", () => {
  it("is not found through the key pairs of another user", async () => {
    const api = anApi();
    api.cells.keyPairs.push(KeyPair.fromPartial({ name: "k", userId: "u2" }));
    const theirs = { name: "k", userId: "u2" };
    for (const call of [
      keyPairs(api).getKeyPair(as(member), theirs),
      keyPairs(api).listKeyPairs(as(member), { userId: "u2" }),
      keyPairs(api).deleteKeyPair(as(member), theirs),
    ])
      await assert.rejects(call, { reason: "FORBIDDEN" });
    assert.equal(api.cells.keyPairs.length, 1);
    await keyPairs(api).deleteKeyPair(as(stranger), { name: "k" });
    assert.equal(api.cells.keyPairs.length, 0);
  });

  it("is not listed for a token without a project, whatever policy allows it", async () => {
    const api = anApi({ policy: `{"os_compute_api:os-server-groups:index": "@"}` });
    api.cells.putGroup(ServerGroup.fromPartial({ id: A, projectId: "p2" }));
    assert.deepEqual((await groups(api).listServerGroups(as(nowhere), {})).serverGroups, []);
  });

  it("is deleted by the store only for the project that owns it", async () => {
    const api = anApi();
    for (const [actor, projectId] of [
      [member, "p1"],
      [administrator, ""],
    ] as const) {
      api.cells.putGroup(ServerGroup.fromPartial({ id: A, projectId: "p1" }));
      await groups(api).deleteServerGroup(as(actor), { serverGroupId: A });
      const asked = api.cells.requests.get("deleteStoredServerGroup") as { projectId: string };
      assert.equal(asked.projectId, projectId);
    }
  });
});
