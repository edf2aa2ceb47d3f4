import assert from "node:assert/strict";
import { Aggregate } from "../../gen/kilonova/api/v1/aggregates_service.js";
import { FlavorVisibility } from "../../gen/kilonova/api/v1/flavors_service.js";
import { InstanceAction } from "../../gen/kilonova/api/v1/limits_service.js";
import { ServerGroup, ServerGroupPolicy } from "../../gen/kilonova/api/v1/server_groups_service.js";
import { ComputeNode, HostService } from "../../gen/kilonova/cells/v1/hosts_service.js";
import { StoredOperation } from "../../gen/kilonova/cells/v1/operations_service.js";
import { MigrationKind, MigrationRecord } from "../../gen/kilonova/cells/v1/server_records.js";
import { KeyPair } from "../../gen/kilonova/type/v1/key_pair.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import type { Instant } from "../kernel/index.js";
import { toTimestamp } from "../model/wire-time.js";
import type { ServiceDefinition } from "../platform/rpc/index.js";
import { publicContract } from "./contract.gen.js";
import type { TestApi } from "./testing/an-api.js";
import { aFlavor, aPort, administrator, anApi, as, member } from "./testing/an-api.js";

/** Lists of what is always small: one page. */
const ONE_PAGE = new Set(["ListServerTags", "ListAvailabilityZones"]);
const SERVER = uuid(1);

/** A list of the contract, and how to fill it. */
interface List {
  readonly rows: string;
  /** Puts one row of about so many bytes, if rows of the list can be so long. */
  readonly put: (api: TestApi, n: number, bytes: number) => void;
  /** What is asked beside the page. */
  readonly ask?: object;
  /** Another question, to which the tokens of the first are no answer. */
  readonly other?: object;
  /** The longest row that there can be. */
  readonly longest?: number;
}

const lists: Readonly<Record<string, List>> = {
  ListServers: {
    rows: "servers",
    put: ({ cells }, n, bytes) =>
      cells.put(cellOf(n), { id: uuid(n), createdAt: at(n), metadata: new Map([["k", text(bytes)]]) }),
    ask: { allProjects: true },
    other: { allProjects: true, filter: { keyName: "k" } },
  },
  ListFlavors: {
    rows: "flavors",
    put: ({ cells }, n, bytes) =>
      cells.flavors.set(`f${pad(n)}`, aFlavor({ id: `f${pad(n)}`, name: `f${n}`, description: text(bytes) })),
    other: { visibility: FlavorVisibility.FLAVOR_VISIBILITY_ALL },
  },
  ListKeyPairs: {
    rows: "keyPairs",
    put: ({ cells }, n, bytes) =>
      cells.keyPairs.push(
        KeyPair.fromPartial({ userId: administrator.userId, name: `k${pad(n)}`, publicKey: text(bytes) }),
      ),
    other: { userId: member.userId },
  },
  ListHypervisors: {
    rows: "hypervisors",
    put: ({ cells }, n, bytes) => cells.addHost(cellOf(n), service(n), node(n, bytes)),
    other: { hostnamePattern: "h" },
  },
  ListComputeServices: {
    rows: "services",
    put: ({ cells }, n, bytes) =>
      cells.addHost(cellOf(n), { ...service(n), disabledReason: text(bytes) }, node(n, 0)),
    other: { binary: "nova-compute" },
    longest: 2_000,
  },
  ListMigrations: {
    rows: "migrations",
    put: ({ cells }, n, bytes) =>
      cells.putMigration(
        cellOf(n),
        MigrationRecord.fromPartial({
          id: uuid(n),
          serverId: SERVER,
          projectId: administrator.projectId,
          kind: MigrationKind.MIGRATION_KIND_RESIZE,
          status: "done",
          userId: text(bytes),
          createdAt: at(n),
        }),
      ),
    other: { userId: "u" },
  },
  ListInstanceActions: {
    rows: "actions",
    put: ({ cells }, n, bytes) => {
      if (n === 1) cells.put("cell1", { id: SERVER });
      cells.putAction(
        "cell1",
        InstanceAction.fromPartial({
          serverId: SERVER,
          requestId: `req-${n}`,
          action: text(bytes),
          startedAt: at(n),
        }),
      );
    },
    ask: { serverId: SERVER },
    other: { serverId: SERVER, changesSince: { seconds: 1n, nanos: 0 } },
    longest: 2_000,
  },
  ListInterfaces: {
    rows: "interfaces",
    put: (api, n, bytes) => {
      putServers(api, n);
      api.ports.set(uuid(n), aPort({ id: uuid(n), deviceId: SERVER, macAddress: text(bytes) }));
    },
    ask: { serverId: SERVER },
    other: { serverId: uuid(2) },
  },
  ListServerSecurityGroups: {
    rows: "securityGroups",
    put: (api, n, bytes) => {
      putServers(api, n);
      api.ports.set(uuid(n), aPort({ id: uuid(n), deviceId: SERVER, securityGroupIds: [uuid(n)] }));
      const name = `g${pad(n)}`;
      api.securityGroups.push({ id: uuid(n), name, projectId: "p1", description: text(bytes), rules: [] });
    },
    ask: { serverId: SERVER },
    other: { serverId: uuid(2) },
  },
  ListVolumeAttachments: {
    rows: "volumeAttachments",
    put: (api, n, bytes) => {
      putServers(api, n);
      const device = { id: uuid(n), volumeId: uuid(n), tag: text(bytes), createdAt: at(n) };
      const before = api.cells.cell("cell1").devices.get(SERVER) ?? [];
      api.cells.putDevices("cell1", SERVER, [...before, device]);
    },
    ask: { serverId: SERVER },
    other: { serverId: uuid(2) },
  },
  ListServerGroups: {
    rows: "serverGroups",
    put: ({ cells }, n, bytes) =>
      cells.putGroup(
        ServerGroup.fromPartial({
          id: uuid(n),
          projectId: administrator.projectId,
          name: text(bytes),
          policy: ServerGroupPolicy.SERVER_GROUP_POLICY_AFFINITY,
        }),
      ),
    other: { allProjects: true },
  },
  ListAggregates: {
    rows: "aggregates",
    put: ({ cells }, n, bytes) =>
      cells.aggregates.set(
        uuid(n),
        Aggregate.fromPartial({ id: uuid(n), number: BigInt(n), name: text(bytes) }),
      ),
    other: { host: "h" },
  },
  ListOperations: {
    rows: "operations",
    put: ({ cells }, n, bytes) =>
      cells.putOperation(
        cellOf(n),
        StoredOperation.fromPartial({
          name: `operations/${SERVER}/${uuid(n)}`,
          kind: "server.stop",
          serverId: SERVER,
          projectId: administrator.projectId,
          requestId: text(bytes),
          state: OperationState.OPERATION_STATE_SUCCEEDED,
          createdAt: at(n),
          updatedAt: at(n),
        }),
      ),
    other: { kinds: ["server.stop"] },
  },
};

/** The server whose rows are listed, and another one. */
function putServers({ cells }: TestApi, n: number): void {
  for (const id of n === 1 ? [SERVER, uuid(2)] : []) cells.put("cell1", { id });
}

function uuid(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
}
/** Rows are in two cells: each may give a whole page, of which the list has to make one. */
const cellOf = (n: number): string => (n % 2 === 1 ? "cell1" : "cell2");
const pad = (n: number): string => String(n).padStart(6, "0");
const text = (bytes: number): string => "x".repeat(bytes);
const at = (n: number) => toTimestamp((BigInt(n) * 1_000_000n) as Instant);
const service = (n: number): HostService =>
  HostService.fromPartial({ id: `s${n}`, number: BigInt(n), binary: "nova-compute", host: `h${n}` });
const node = (n: number, bytes: number): ComputeNode =>
  ComputeNode.fromPartial({
    id: uuid(n),
    number: BigInt(n),
    host: `h${n}`,
    hypervisorHostname: `h${n}`,
    cpuInfoJson: text(bytes),
  });

interface Page {
  readonly nextPageToken: string;
  readonly unreachableCells: unknown;
  readonly rows: number;
  readonly bytes: number;
}

describe("lists of the public contract", () => {
  const methods = publicContract.flatMap((definition) =>
    Object.entries(definition.methods).map(([key, method]) => ({ definition, key, method })),
  );
  const served = new Set(
    anApi().service.bindings.flatMap(({ methods: bound }) =>
      bound.filter((one) => one.served).map(({ path }) => path),
    ),
  );

  /** Asks the method of a list, whichever it is. */
  async function page(api: TestApi, name: string, request: object): Promise<Page> {
    const { definition, key, method } =
      methods.find(({ method: one }) => one.name === name) ?? assert.fail(name);
    const client = api.channel.client(definition as ServiceDefinition) as unknown as Readonly<
      Record<string, (ctx: unknown, request: object) => Promise<Record<string, unknown>>>
    >;
    const answer = (await client[key]?.(as(administrator), request)) ?? assert.fail(key);
    const { encode } = method.responseType as unknown as {
      encode(message: unknown): { finish(): Uint8Array };
    };
    return {
      nextPageToken: answer["nextPageToken"] as string,
      unreachableCells: answer["unreachableCells"],
      rows: (answer[lists[name]?.rows ?? ""] as unknown[]).length,
      bytes: encode(answer).finish().length,
    };
  }

  it("are all tried here", () => {
    const paged = methods
      .filter(({ definition, method }) => served.has(`/${definition.fullName}/${method.name}`))
      .map(({ method }) => method.name)
      .filter((name) => name.startsWith("List") && !ONE_PAGE.has(name));
    assert.deepEqual(Object.keys(lists).sort(), [...paged].sort());
  });

  it("name the cells that did not answer, unless one database has all that they show", async () => {
    const namesCells = ({ method }: (typeof methods)[number]): boolean =>
      "unreachableCells" in (method.responseType.fromPartial({} as never) as object);
    const [naming, others] = [true, false].map((does) =>
      methods
        .filter((one) => one.method.name in lists && namesCells(one) === does)
        .map(({ method }) => method.name),
    );
    assert.deepEqual(others?.sort(), [
      "ListAggregates",
      "ListFlavors",
      "ListInstanceActions",
      "ListInterfaces",
      "ListKeyPairs",
      "ListServerGroups",
      "ListServerSecurityGroups",
      "ListVolumeAttachments",
    ]);
    for (const name of naming ?? []) {
      const { put, ask } = lists[name] ?? assert.fail(name);
      const api = anApi({ config: { cellTimeoutMs: 100, downCellTimeoutMs: 20, hostListTtlMs: 0 } });
      put(api, 1, 1);
      assert.deepEqual((await page(api, name, ask ?? {})).unreachableCells, [], name);
      api.cells.silent.add("cell2");
      const { rows, unreachableCells } = await page(api, name, ask ?? {});
      assert.deepEqual([rows, unreachableCells], [1, ["cell2"]], name);
    }
  });

  for (const [name, { put, ask = {}, other, longest = 60_000 }] of Object.entries(lists)) {
    it(`${name}: takes too large a page for the largest, and goes on with its own tokens only`, async () => {
      const api = anApi();
      for (let n = 1; n <= 3; n++) put(api, n, 1);
      assert.deepEqual(
        [await page(api, name, { ...ask, pageSize: 4_294_967_295 }), await page(api, name, ask)].map(
          ({ rows, nextPageToken }) => [rows, nextPageToken],
        ),
        [
          [3, ""],
          [3, ""],
        ],
      );
      const { nextPageToken: pageToken } = await page(api, name, { ...ask, pageSize: 1 });
      assert.notEqual(pageToken, "");
      const rest = await page(api, name, { ...ask, pageToken });
      assert.deepEqual([rest.rows, rest.nextPageToken], [2, ""]);
      const refused = { reason: "BAD_PAGE_TOKEN", kind: "invalid" };
      await assert.rejects(page(api, name, { ...other, pageToken }), refused);
      for (const garbage of ["marker", uuid(1), `${pageToken}x`])
        await assert.rejects(page(api, name, { ...ask, pageToken: garbage }), refused);
      for (const [another, { ask: asked = {} }] of Object.entries(lists))
        if (another !== name) {
          if ("serverId" in asked) api.cells.put("cell1", { id: SERVER });
          await assert.rejects(page(api, another, { ...asked, pageToken }), refused, another);
        }
    });

    it(`${name}: has pages that every client takes, however long its rows`, async () => {
      const api = anApi();
      const count = Math.min(1_100, Math.ceil(8_000_000 / longest));
      for (let n = 1; n <= count; n++) put(api, n, longest);
      let [rows, pages] = [0, 0];
      for (let pageToken = ""; pages === 0 || pageToken !== ""; pages++) {
        const found = await page(api, name, { ...ask, pageSize: 5_000, pageToken });
        assert.ok(found.bytes < 4 << 20 && found.rows > 0, `${found.bytes} bytes, ${found.rows} rows`);
        rows += found.rows;
        pageToken = found.nextPageToken;
      }
      assert.equal(rows, count);
      assert.ok(pages > 1);
    });
  }
});
