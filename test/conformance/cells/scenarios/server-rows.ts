import assert from "node:assert/strict";
import type { InstanceChange } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { MigrationKind } from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { BlockDeviceRecord, MigrationRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import { ServerRecordsServiceDefinition } from "../../../../gen/kilonova/cells/v1/server_records_service.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { ServerHostInfo } from "../../../../gen/kilonova/type/v1/server.js";
import { parseOperationName } from "../../../../pkg/model/operation-name.js";
import type { Scenario, Stage } from "../stage.js";
import { refusal } from "../stage.js";

const { OPERATION_STATE_SUCCEEDED: SUCCEEDED } = OperationState;
const { MIGRATION_KIND_RESIZE: RESIZE, MIGRATION_KIND_LIVE_MIGRATION: LIVE } = MigrationKind;

type Change = Parameters<typeof InstanceChange.fromPartial>[0];

const devices = async (s: Stage, serverId: string, wish: object = {}): Promise<BlockDeviceRecord[]> =>
  (await s.records.listBlockDevices(s.ctx, { database: "cell1", serverId, ...wish })).blockDevices;
const migrations = async (s: Stage, query: object = {}): Promise<MigrationRecord[]> =>
  (await s.records.listMigrations(s.ctx, { database: "cell1", projectId: s.project, ...query })).rows.map(
    ({ migration }) => migration ?? assert.fail("no migration"),
  );
const volume = (n: number, more: object = {}) => ({
  device: { id: `d${n}`, volumeId: `v${n}`, deviceName: `/dev/vd${n}`, ...more },
});
const seen = (all: readonly BlockDeviceRecord[]) =>
  all.map(({ id, volumeId, deviceName }) => [id, volumeId, deviceName]);
const uuidOf = (name: string): string => parseOperationName(name)?.operationId ?? "";

export const serverRows: readonly Scenario[] = [
  {
    name: "devices come with an acceptance, follow in its steps, and the record names their volumes",
    run: async (s) => {
      const id = await s.put(1, { flavor: { id: "1", name: "f", vcpus: 1, memoryMib: 64, rootGib: 0 } });
      const change = { blockDevices: [volume(1, { deleteOnTermination: true }), volume(2)] };
      const operation = await s.taken(await s.begin(id, "test.life", { change }));
      assert.deepEqual(seen(await devices(s, id)), [
        ["d1", "v1", "/dev/vd1"],
        ["d2", "v2", "/dev/vd2"],
      ]);
      assert.deepEqual(
        (await s.server(id)).volumes.map((one) => [one.id, one.deleteOnTermination]),
        [
          ["v1", true],
          ["v2", false],
        ],
      );
      const renamed = { device: { id: "d2", deviceName: "/dev/vdz" }, updateMask: ["device_name"] };
      await s.commit(operation, {
        change: { blockDevices: [{ device: { id: "d1" }, remove: true }, renamed, volume(3)] },
      });
      assert.deepEqual(seen(await devices(s, id)), [
        ["d2", "v2", "/dev/vdz"],
        ["d3", "v3", "/dev/vd3"],
      ]);
      assert.deepEqual(
        (await s.server(id)).volumes.map((one) => one.id),
        ["v2", "v3"],
      );
    },
  },
  {
    name: "whether a volume goes with its server is changed at once, while operations run, and told",
    run: async (s) => {
      const id = await s.put(1);
      const info = { connectionInfo: "secret" };
      await s.begin(id, "test.life", { change: { blockDevices: [volume(1, info), volume(2)] } });
      const change = (volumeId: string, deleteOnTermination: boolean) =>
        s.servers.updateInstance(s.ctx, {
          database: "cell1",
          server: { id },
          volume: { volumeId, deleteOnTermination },
        });
      const { generation } = await s.server(id);
      assert.equal((await change("v1", true)).changed, true);
      assert.equal((await change("v1", true)).changed, false);
      const now = await s.server(id);
      assert.deepEqual(
        now.volumes.map((one) => [one.id, one.deleteOnTermination]),
        [
          ["v1", true],
          ["v2", false],
        ],
      );
      assert.equal(now.generation, generation + 1n);
      assert.deepEqual(
        (await devices(s, id)).map((one) => one.deleteOnTermination),
        [true, false],
      );
      for (const volumeId of ["v3", ""])
        assert.equal(await refusal(change(volumeId, true)), "VOLUME_ATTACHMENT_NOT_FOUND");
    },
  },
  {
    name: "how a volume is reached is told to conductors who ask, and stored sealed",
    run: async (s) => {
      const id = await s.put(1);
      const volumeId = s.name("v");
      const change = { blockDevices: [volume(1, { volumeId, connectionInfo: "secret" })] };
      await s.begin(id, "test.life", { change });
      const told = async (service: string, withConnectionInfo: boolean) => {
        const client = s.world.as(service).client(ServerRecordsServiceDefinition);
        const query = { database: "cell1", volumeId, withConnectionInfo };
        const [device] = (await client.listBlockDevices(s.ctx, query)).blockDevices;
        return [device?.connectionInfo, device?.encryptedConnectionInfo.length];
      };
      assert.deepEqual(await told("conductor", true), ["secret", 0]);
      assert.deepEqual(await told("conductor", false), ["", 0]);
      assert.deepEqual(await told("api", true), ["", 0]);
      assert.equal(
        await refusal(s.records.listBlockDevices(s.ctx, { database: "cell1" })),
        "INVALID_ARGUMENT",
      );
    },
  },
  {
    name: "devices are listed in pages",
    run: async (s) => {
      const id = await s.put(1);
      await s.begin(id, "test.life", { change: { blockDevices: [1, 2, 3].map((n) => volume(n)) } });
      const query = { database: "cell1", serverId: id, pageSize: 2 };
      const first = await s.records.listBlockDevices(s.ctx, query);
      const pageToken = first.nextPageToken;
      const rest = await s.records.listBlockDevices(s.ctx, { ...query, pageToken });
      assert.deepEqual(
        [first, rest].map(({ blockDevices }) => blockDevices.map((device) => device.id)),
        [["d1", "d2"], ["d3"]],
      );
      assert.equal(rest.nextPageToken, "");
    },
  },
  {
    name: "a server without rows is told from its record, and gets them with its first change",
    run: async (s) => {
      const flavor = { id: "1", name: "f", vcpus: 1, memoryMib: 64, ephemeralGib: 2, swapMib: 64 };
      const id = await s.put(1, { flavor });
      const early = await devices(s, id);
      assert.deepEqual(
        early.map((device) => [device.id, device.deviceName, device.sizeMib]),
        [
          ["", "/dev/vda", 2048n],
          ["", "/dev/vdb", 64n],
        ],
      );
      await s.begin(id, "test.life", { change: { blockDevices: [volume(1)] } });
      const late = await devices(s, id);
      assert.equal(late.length, 3);
      assert.ok(late.every((device) => device.id !== ""));
    },
  },
  {
    name: "a migration is made with the acceptance of what moves, and goes its course in steps",
    run: async (s) => {
      const id = await s.put(1, { hostInfo: ServerHostInfo.fromPartial({ host: "here", node: "here" }) });
      const name = await s.begin(id, "test.move");
      const [made] = await migrations(s, { serverIds: [id] });
      assert.deepEqual(
        [made?.id, made?.kind, made?.status, made?.userId, made?.operation],
        [uuidOf(name), RESIZE, "pre-migrating", s.user, name],
      );
      assert.deepEqual([made?.source?.host, made?.target?.host], ["here", "there"]);
      const operation = await s.taken(name);
      const to = (status: string) =>
        s.commit(operation, { change: { migrations: [{ migration: { status }, updateMask: ["status"] }] } });
      await to("migrating");
      assert.equal(await refusal(to("pre-migrating")), "ILLEGAL_TRANSITION");
      const [moving] = await migrations(s, { serverIds: [id] });
      assert.deepEqual([moving?.status, moving?.number], ["migrating", made?.number]);
    },
  },
  {
    name: "migrations are listed newest first, in pages after any of their rows, and found by what they say",
    run: async (s) => {
      const made: string[] = [];
      for (const n of [1, 2, 3]) {
        const id = await s.put(n, { hostInfo: ServerHostInfo.fromPartial({ host: `h${n}`, node: "n" }) });
        const operation = await s.taken(await s.begin(id, "test.move"));
        const status = n === 2 ? "error" : "migrating";
        await s.commit(operation, {
          change: { migrations: [{ migration: { status }, updateMask: ["status"] }] },
        });
        made.unshift(uuidOf(operation.name));
      }
      const ids = async (query: object) => (await migrations(s, query)).map(({ id }) => id);
      assert.deepEqual(await ids({}), made);
      assert.deepEqual(await ids({ host: "h2" }), made.slice(1, 2));
      assert.deepEqual(await ids({ host: "there" }), made);
      assert.deepEqual(await ids({ sourceHost: "there" }), []);
      assert.deepEqual(await ids({ statuses: ["error"] }), made.slice(1, 2));
      assert.deepEqual(await ids({ kinds: [LIVE] }), []);
      assert.deepEqual(await ids({ userId: s.user, hidden: false }), made);
      assert.deepEqual(await ids({ userId: "nobody" }), []);
      assert.deepEqual(await ids({ hidden: true }), []);
      const changed = (await migrations(s))[1]?.updatedAt;
      assert.deepEqual(await ids({ changesSince: changed }), made.slice(0, 2));
      assert.deepEqual(await ids({ changesBefore: changed }), made.slice(1));
      const query = { database: "cell1", projectId: s.project, pageSize: 2 };
      const first = await s.records.listMigrations(s.ctx, query);
      assert.deepEqual([first.rows.length, first.more], [2, true]);
      const pageToken = first.rows.at(-1)?.pageToken ?? "";
      const rest = await s.records.listMigrations(s.ctx, { ...query, pageToken });
      assert.deepEqual([rest.rows.map(({ migration }) => migration?.id), rest.more], [made.slice(2), false]);
      const one = await s.records.getMigration(s.ctx, { database: "cell1", migrationId: made[0] ?? "" });
      assert.deepEqual(await ids({ pageToken: one.pageToken }), made.slice(1));
      assert.equal(await refusal(ids({ pageToken: "x" })), "INVALID_ARGUMENT");
    },
  },
  {
    name: "one migration is read by uuid or number, of its own server only",
    run: async (s) => {
      const [id, other] = [await s.put(1), await s.put(2)];
      await s.begin(id, "test.move");
      const [made] = await migrations(s);
      const get = async (serverId: string, migrationId: string) =>
        (await s.records.getMigration(s.ctx, { database: "cell1", serverId, migrationId })).migration?.id;
      const number = String(made?.number);
      assert.equal(await get(id, made?.id ?? ""), made?.id);
      assert.equal(await get(id, number), made?.id);
      for (const [serverId, asked] of [
        [other, made?.id ?? ""],
        [other, number],
        ["", number],
      ] as const)
        assert.equal(await refusal(get(serverId, asked)), "MIGRATION_NOT_FOUND");
    },
  },
  {
    name: "rows end with their server; migrations of deleted ones are there for who asks",
    run: async (s) => {
      const id = await s.put(1);
      const operation = await s.taken(
        await s.begin(id, "test.move", { change: { blockDevices: [volume(1)] } }),
      );
      await s.commit(operation, { change: { deleteRecord: true }, state: SUCCEEDED });
      assert.deepEqual(await devices(s, id), []);
      assert.deepEqual(await migrations(s), []);
      const [gone] = await migrations(s, { withDeleted: true });
      assert.notEqual(gone?.deletedAt, undefined);
    },
  },
  {
    name: "rows that the last commit writes end with the server, too",
    run: async (s) => {
      const id = await s.put(1);
      const operation = await s.taken(
        await s.begin(id, "test.move", { change: { blockDevices: [volume(1)] } }),
      );
      const change = {
        deleteRecord: true,
        blockDevices: [volume(2)],
        migrations: [{ migration: { id: s.id(7), kind: LIVE }, create: true }],
      };
      await s.commit(operation, { change, state: SUCCEEDED });
      assert.deepEqual(await devices(s, id), []);
      assert.deepEqual(await migrations(s), []);
      const gone = await migrations(s, { withDeleted: true });
      assert.deepEqual(
        gone.map(({ deletedAt }) => deletedAt !== undefined),
        [true, true],
      );
    },
  },
  {
    name: "an acceptance may change spec, user data and what the host gives, all of it or nothing",
    run: async (s) => {
      const id = await s.put(1);
      const change: Change = {
        server: { name: "renamed" },
        updateMask: ["name"],
        spec: { keyName: "k" },
        specMask: ["key_name"],
        userData: "bmV3",
        hostResources: { mappings: new Map([["", { ids: ["provider"] }]]) },
        replaceHostResources: true,
        blockDevices: [volume(1)],
      };
      const read = async () =>
        (await s.servers.getInstance(s.ctx, { database: "cell1", serverId: id, withUserData: true }))
          .instance;
      const before = await read();
      const refused: readonly (readonly [Change, string])[] = [
        [{ ...change, specMask: ["nothing_of_it"] }, "INVALID_ARGUMENT"],
        [{ ...change, updateMask: ["task_state"] }, "INVALID_ARGUMENT"],
        [{ ...change, deleteRecord: true }, "INVALID_ARGUMENT"],
        [{ ...change, blockDevices: [volume(1), volume(2, { volumeId: "v1" })] }, "VOLUME_ATTACHED_TWICE"],
        [
          { ...change, blockDevices: [volume(1), volume(2, { deviceName: "/dev/vd1" })] },
          "DEVICE_NAME_IN_USE",
        ],
        [
          { ...change, migrations: [{ migration: { id: "none" }, updateMask: ["status"] }] },
          "MIGRATION_NOT_FOUND",
        ],
      ];
      for (const [wrong, reason] of refused) {
        assert.equal(await refusal(s.begin(id, "test.life", { change: wrong })), reason);
        assert.deepEqual(await read(), before);
      }
      assert.equal(await refusal(s.begin(id, "test.attach", { change })), "INVALID_ARGUMENT");
      const name = await s.begin(id, "test.life", { change });
      const after = await read();
      assert.deepEqual(
        [after?.server?.name, after?.spec?.keyName, after?.server?.userData, after?.server?.currentOperation],
        ["renamed", "k", "bmV3", name],
      );
      assert.deepEqual(after?.hostResources?.mappings.get("")?.ids, ["provider"]);
      await s.commit(await s.taken(name), { change: { userData: "" } });
      assert.equal((await read())?.server?.userData, "");
    },
  },
  {
    name: "beside life a change leaves the server free, and a build request has no rows to change",
    run: async (s) => {
      const id = await s.put(1);
      await s.begin(id, "test.plug", { change: { blockDevices: [volume(1)] } });
      assert.deepEqual([(await s.server(id)).currentOperation, (await devices(s, id)).length], ["", 1]);
      const fresh = s.id(2);
      await s.accept([fresh]);
      const asked = s.begin(fresh, "test.life", {
        database: "global",
        input: Buffer.from("pre-empt"),
        change: { blockDevices: [volume(1)] },
      });
      assert.equal(await refusal(asked), "NOT_READY");
    },
  },
];
