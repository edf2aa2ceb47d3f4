import assert from "node:assert/strict";
import { ServerFilter, ServerText } from "../../../../gen/kilonova/api/v1/servers_service.js";
import { SortDirection } from "../../../../gen/kilonova/type/v1/page.js";
import { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { DiskConfig, PowerState, VmState } from "../../../../gen/kilonova/type/v1/server.js";
import type { Scenario, ServerInit, Stage } from "../stage.js";
import { refusal } from "../stage.js";

const { SORT_DIRECTION_ASC: ASC, SORT_DIRECTION_DESC: DESC } = SortDirection;
const at = (seconds: number, nanos = 0) => ({ seconds: BigInt(seconds), nanos });
const host = (name: string) => ({ host: name, node: `${name}.node` });

/** Servers whose values of each key are null, equal, and awkward: upper case, umlauts, beyond the BMP. */
const VARIED: readonly ServerInit[] = [
  { name: "b", createdAt: at(10), keyName: "k", launchedAt: undefined },
  { name: "B", createdAt: at(10), hasDescription: true, description: "z", progress: 100, configDrive: true },
  { name: "ä", createdAt: at(12, 1000), keyName: "K", hostInfo: host("h2"), taskState: "deleting" },
  { name: "b", createdAt: at(11), launchedAt: at(20), hostInfo: host("h10"), progress: 9 },
  { name: "\u{1f600}", createdAt: at(13), lock: { lockedBy: "owner", reason: "" }, tags: ["a"] },
  { name: "\uffee", createdAt: at(13), hasDescription: true, description: "", launchIndex: 10 },
  { name: "", createdAt: at(9), launchIndex: 2, vmState: VmState.VM_STATE_STOPPED },
];

const vary = async (s: Stage): Promise<void> => {
  for (const [index, init] of VARIED.entries()) await s.put(index + 1, init);
};

/** Every sort key of REST, with the order of `VARIED` that it gives ascending. */
const ORDERS: readonly (readonly [field: string, ascending: readonly number[]])[] = [
  ["created_at", [7, 1, 2, 4, 3, 5, 6]],
  ["display_name", [7, 2, 1, 4, 3, 6, 5]],
  ["display_description", [1, 3, 4, 5, 7, 6, 2]],
  ["key_name", [2, 4, 5, 6, 7, 3, 1]],
  ["host", [1, 2, 5, 6, 7, 4, 3]],
  ["node", [1, 2, 5, 6, 7, 4, 3]],
  ["task_state", [1, 2, 4, 5, 6, 7, 3]],
  ["vm_state", [1, 2, 3, 4, 5, 6, 7]],
  ["launched_at", [1, 4, 2, 3, 5, 6, 7]],
  ["launch_index", [1, 2, 3, 4, 5, 7, 6]],
  ["progress", [1, 3, 5, 6, 7, 4, 2]],
  ["config_drive", [1, 3, 4, 5, 6, 7, 2]],
  ["locked", [1, 2, 3, 4, 6, 7, 5]],
  ["locked_by", [1, 2, 3, 4, 6, 7, 5]],
  ["uuid", [1, 2, 3, 4, 5, 6, 7]],
  ["id", [1, 2, 3, 4, 5, 6, 7]],
  ["access_ip_v4", [1, 2, 3, 4, 5, 6, 7]],
  ["access_ip_v6", [1, 2, 3, 4, 5, 6, 7]],
  ["auto_disk_config", [1, 2, 3, 4, 5, 6, 7]],
  ["availability_zone", [1, 2, 3, 4, 5, 6, 7]],
  ["hostname", [1, 2, 3, 4, 5, 6, 7]],
  ["image_ref", [1, 2, 3, 4, 5, 6, 7]],
  ["instance_type_id", [1, 2, 3, 4, 5, 6, 7]],
  ["kernel_id", [1, 2, 3, 4, 5, 6, 7]],
  ["power_state", [1, 2, 3, 4, 5, 6, 7]],
  ["project_id", [1, 2, 3, 4, 5, 6, 7]],
  ["ramdisk_id", [1, 2, 3, 4, 5, 6, 7]],
  ["root_device_name", [1, 2, 3, 4, 5, 6, 7]],
  ["terminated_at", [1, 2, 3, 4, 5, 6, 7]],
  ["updated_at", [1, 2, 3, 4, 5, 6, 7]],
  ["user_id", [1, 2, 3, 4, 5, 6, 7]],
];

interface FilterCase {
  readonly name: string;
  readonly filter: Parameters<typeof ServerFilter.fromPartial>[0];
  /** Among these servers. */
  readonly servers: readonly ServerInit[];
  readonly found: readonly number[];
}

const zoned = { availabilityZone: "west", image: { id: "i1" }, keyName: "k", reservationId: "r-9" };

/** Each filter with a server that it finds and one that it does not. */
const FILTERS: readonly FilterCase[] = [
  { name: "image", filter: { imageId: "i1" }, servers: [zoned, {}], found: [1] },
  { name: "flavor", filter: { flavorId: "7" }, servers: [{ flavor: { id: "7" } }, {}], found: [1] },
  { name: "zone", filter: { availabilityZone: "west" }, servers: [zoned, {}], found: [1] },
  { name: "key", filter: { keyName: "k" }, servers: [zoned, { keyName: "K" }], found: [1] },
  { name: "reservation", filter: { reservationId: "r-9" }, servers: [zoned, {}], found: [1] },
  { name: "user", filter: { userId: "u9" }, servers: [{ userId: "u9" }, {}], found: [1] },
  { name: "host", filter: { host: "h2" }, servers: [{ hostInfo: host("h2") }, {}], found: [1] },
  { name: "node", filter: { node: "h2.node" }, servers: [{ hostInfo: host("h2") }, {}], found: [1] },
  {
    name: "description",
    filter: { description: "d" },
    servers: [{ hasDescription: true, description: "d" }, { description: "d" }],
    found: [1],
  },
  {
    name: "lasting states",
    filter: { vmStates: [VmState.VM_STATE_ERROR, VmState.VM_STATE_STOPPED] },
    servers: [{ vmState: VmState.VM_STATE_ERROR }, { vmState: VmState.VM_STATE_ACTIVE }],
    found: [1],
  },
  {
    name: "power states",
    filter: { powerStates: [PowerState.POWER_STATE_SHUTDOWN] },
    servers: [{ powerState: PowerState.POWER_STATE_SHUTDOWN }, {}],
    found: [1],
  },
  {
    name: "task states, none among them",
    filter: { taskStates: ["deleting", ""] },
    servers: [{ taskState: "deleting" }, { taskState: "pausing" }, {}],
    found: [1, 3],
  },
  {
    name: "a task state",
    filter: { taskStates: ["deleting"] },
    servers: [{ taskState: "deleting" }, {}],
    found: [1],
  },
  { name: "config drive", filter: { configDrive: false }, servers: [{}, { configDrive: true }], found: [1] },
  { name: "locked", filter: { locked: true }, servers: [{ lock: { lockedBy: "owner" } }, {}], found: [1] },
  {
    name: "not locked",
    filter: { locked: false },
    servers: [{ lock: { lockedBy: "owner" } }, {}],
    found: [2],
  },
  { name: "progress", filter: { progress: 0 }, servers: [{}, { progress: 5 }], found: [1] },
  {
    name: "all of some tags",
    filter: { tags: ["a", "b"] },
    servers: [{ tags: ["b", "a"] }, { tags: ["a"] }],
    found: [1],
  },
  {
    name: "any of some tags",
    filter: { tagsAny: ["a", "b"] },
    servers: [{ tags: ["b"] }, { tags: ["c"] }, {}],
    found: [1],
  },
  {
    name: "not all of some tags",
    filter: { notTags: ["a", "b"] },
    servers: [{ tags: ["a", "b"] }, { tags: ["a"] }, {}],
    found: [2, 3],
  },
  {
    name: "none of some tags",
    filter: { notTagsAny: ["a", "b"] },
    servers: [{ tags: ["b"] }, { tags: ["c"] }, {}],
    found: [2, 3],
  },
  {
    name: "changes since, deleted ones too",
    filter: { changesSince: at(10) },
    servers: [{ updatedAt: at(10), deletedAt: at(10) }, { updatedAt: at(9) }, {}],
    found: [1],
  },
  {
    name: "changes before",
    filter: { changesBefore: at(10) },
    servers: [{ updatedAt: at(10) }, { updatedAt: at(10, 1000) }, {}],
    found: [1],
  },
  {
    name: "creation to the microsecond",
    filter: { createdAt: at(7, 5000) },
    servers: [{ createdAt: at(7, 5000) }, { createdAt: at(7) }],
    found: [1],
  },
  {
    name: "launch",
    filter: { launchedAt: at(7) },
    servers: [{ launchedAt: at(7) }, { launchedAt: undefined }],
    found: [1],
  },
  { name: "end", filter: { terminatedAt: at(7) }, servers: [{ terminatedAt: at(7) }, {}], found: [1] },
  { name: "deleted", filter: { deleted: true }, servers: [{ deletedAt: at(1) }, {}], found: [1] },
  {
    name: "not deleted",
    filter: { deleted: false, changesSince: at(0) },
    servers: [{ updatedAt: at(1), deletedAt: at(1) }, { updatedAt: at(1) }],
    found: [2],
  },
  {
    name: "a name's pattern, whatever the case",
    filter: { nameRegex: "^W[eo]b\\d$" },
    servers: [{ name: "web1" }, { name: "web12" }],
    found: [1],
  },
  {
    name: "a host name's pattern",
    filter: { hostnameRegex: "eb" },
    servers: [{ hostname: "web" }, { hostname: "db" }],
    found: [1],
  },
  {
    name: "addresses of either version",
    filter: { ipRegex: "^10\\.0", ip6Regex: "^fd00" },
    servers: [
      { addresses: [{ version: 4, address: "10.0.0.1" }] },
      { addresses: [{ version: 6, address: "fd00::1" }] },
      { addresses: [{ version: 4, address: "192.0.2.1" }] },
      {},
    ],
    found: [1, 2],
  },
  {
    name: "a text's pattern",
    filter: { textMatches: [{ field: ServerText.SERVER_TEXT_LAUNCHED_AT, regex: "^1970-01-01 00:00:07$" }] },
    servers: [{ launchedAt: at(7, 5000) }, { launchedAt: undefined }, {}],
    found: [1],
  },
  {
    name: "the disk config's word and number",
    filter: { textMatches: [{ field: ServerText.SERVER_TEXT_DISK_CONFIG, regex: "^(auto|1)$" }] },
    servers: [{ diskConfig: DiskConfig.DISK_CONFIG_AUTO }, {}],
    found: [1],
  },
  {
    name: "several at once",
    filter: { keyName: "k", configDrive: true },
    servers: [zoned, { ...zoned, configDrive: true }, { configDrive: true }],
    found: [2],
  },
  { name: "another project than its own", filter: { projectId: "other" }, servers: [{}], found: [] },
];

const sorted: Scenario[] = ORDERS.map(([field, ascending]) => ({
  name: `sort by ${field}: null first, bytewise, ties by id; pages join without gap`,
  run: async (s) => {
    await vary(s);
    assert.deepEqual(await s.listed({ sort: [{ field, direction: ASC }] }), ascending);
    assert.deepEqual(await s.walked({ sort: [{ field, direction: ASC }] }), ascending);
    const descending = await s.listed({ sort: [{ field, direction: DESC }] });
    assert.deepEqual(descending, [...ascending].reverse());
    assert.deepEqual(await s.walked({ sort: [{ field, direction: DESC }] }), descending);
  },
}));

const filtered: Scenario[] = FILTERS.map(({ name, filter, servers, found }) => ({
  name: `filter by ${name}`,
  run: async (s) => {
    for (const [index, init] of servers.entries()) await s.put(index + 1, init);
    const sort = [{ field: "id", direction: ASC }];
    assert.deepEqual(await s.listed({ sort, filter }), found);
  },
}));

export const lists: readonly Scenario[] = [
  ...sorted,
  ...filtered,
  {
    name: "sort by several keys, each in its direction; ids follow the last",
    run: async (s) => {
      await vary(s);
      const sort = [
        { field: "created_at", direction: DESC },
        { field: "display_name", direction: ASC },
      ];
      assert.deepEqual(await s.listed({ sort }), [6, 5, 3, 4, 2, 1, 7]);
      assert.deepEqual(await s.walked({ sort }), [6, 5, 3, 4, 2, 1, 7]);
    },
  },
  {
    name: "without a sort the newest come first; a time without direction falls, a text rises",
    run: async (s) => {
      await vary(s);
      assert.deepEqual(await s.listed({}), [6, 5, 3, 4, 2, 1, 7]);
      const unsaid = SortDirection.SORT_DIRECTION_UNSPECIFIED;
      assert.deepEqual(
        await s.listed({ sort: [{ field: "created_at", direction: unsaid }] }),
        [6, 5, 3, 4, 2, 1, 7],
      );
      assert.deepEqual(
        await s.listed({ sort: [{ field: "display_name", direction: unsaid }] }),
        [7, 2, 1, 4, 3, 6, 5],
      );
    },
  },
  {
    name: "sort values are null, padded numbers and ISO times, as pages of several cells are merged by",
    run: async (s) => {
      await vary(s);
      const valuesOf = async (field: string, n: number) => {
        const { rows } = await s.page({ sort: [{ field, direction: ASC }] });
        return rows.find(({ serverId }) => serverId === s.id(n))?.sortValues;
      };
      assert.deepEqual(await valuesOf("key_name", 2), ["\0n", `\x01${s.id(2)}`]);
      assert.deepEqual(await valuesOf("progress", 4), ["\x0100000000000000000009", `\x01${s.id(4)}`]);
      assert.deepEqual(await valuesOf("created_at", 3), ["\x011970-01-01T00:00:12.000001", `\x01${s.id(3)}`]);
      assert.deepEqual(await valuesOf("config_drive", 2), ["\x011", `\x01${s.id(2)}`]);
    },
  },
  {
    name: "a page that ends exactly with the list has no more",
    run: async (s) => {
      for (const n of [1, 2]) await s.put(n);
      const { rows, more } = await s.page({ pageSize: 2 });
      assert.deepEqual([rows.length, more], [2, false]);
    },
  },
  {
    name: "a page ends where its records would be more than an answer may hold",
    run: async (s) => {
      for (const n of [1, 2, 3]) await s.put(n, { description: "x".repeat(2 << 20) });
      const sort = [{ field: "uuid", direction: ASC }];
      assert.deepEqual(await s.listed({ sort }), [1]);
      assert.deepEqual(await s.walked({ sort }), [1, 2, 3]);
    },
  },
  {
    name: "a place of another sort is refused, so is an unknown key",
    run: async (s) => {
      assert.equal(await refusal(s.page({ after: ["\x01a"] })), "INVALID_ARGUMENT");
      assert.equal(
        await refusal(s.page({ sort: [{ field: "metadata", direction: ASC }] })),
        "SORT_KEY_INVALID",
      );
    },
  },
  {
    name: "a pattern that RE2 does not take is refused, so is a text that is none",
    run: async (s) => {
      assert.equal(await refusal(s.page({ filter: { nameRegex: "(a" } })), "INVALID_ARGUMENT");
      assert.equal(await refusal(s.page({ filter: { nameRegex: "(?=a)" } })), "INVALID_ARGUMENT");
      const textMatches = [{ field: ServerText.SERVER_TEXT_UNSPECIFIED, regex: "a" }];
      assert.equal(await refusal(s.page({ filter: { textMatches } })), "INVALID_ARGUMENT");
    },
  },
  {
    name: "a row carries the record and its generation",
    run: async (s) => {
      await s.put(1, { generation: 5n, name: "x", metadata: new Map([["k", "v"]]) });
      const row = (await s.page({})).rows[0];
      assert.ok(row);
      const server = Server.decode(row.server);
      assert.deepEqual([row.generation, server.name, server.metadata.get("k")], [5n, "x", "v"]);
    },
  },
];
