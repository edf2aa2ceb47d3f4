import assert from "node:assert/strict";
import { sql } from "kysely";
import { RE2JS } from "re2js";
import { ServerFilter } from "../../gen/kilonova/api/v1/servers_service.js";
import { ListInstancesRequest } from "../../gen/kilonova/cells/v1/instances_service.js";
import { DiskConfig, PowerState, VmState } from "../../gen/kilonova/type/v1/server.js";
import { listInstances } from "../../pkg/cells/servers/store/list-instances.js";
import { openStore } from "../../pkg/cells/store/tables.js";
import type { Store } from "../../pkg/cells/store/tables.js";
import { cellMigrations } from "../../pkg/cells/index.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { effectiveFilter } from "../../pkg/api/domain/server-filter.js";
import { faultOf } from "../../pkg/gateway/faults.js";
import { MAX_VERSION } from "../../pkg/gateway/microversion/version.js";
import { listServersQuery } from "../../pkg/gateway/resources/servers/list-schema.js";
import { selectionOf } from "../../pkg/gateway/resources/servers/filter.js";
import { someRequest } from "../../pkg/gateway/testing/requests.js";
import { FairSlots, KilonovaError } from "../../pkg/kernel/index.js";
import { toTimestamp } from "../../pkg/model/wire-time.js";
import { openDatabase } from "../../pkg/platform/db/index.js";
import type { FeedTables } from "../../pkg/platform/db/feed/index.js";
import { readUserRegex } from "../../pkg/platform/regex/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testDatabase } from "../../pkg/testkit/postgres.js";
import type { TestDatabase } from "../../pkg/testkit/postgres.js";

const uuid = (n: number): string => `00000000-0000-4000-8000-${n.toString().padStart(12, "0")}`;
const at = (text: string): { seconds: bigint; nanos: number } =>
  toTimestamp(BigInt(Date.parse(text)) * 1_000n);

/** Server 1 has everything, server 2 other values, server 3 as little as there can be. */
const servers = [
  aServer({
    id: uuid(1),
    name: "Web-01",
    hostname: "web-host",
    description: "Front door",
    hasDescription: true,
    userId: "alice",
    vmState: VmState.VM_STATE_STOPPED,
    taskState: "powering-on",
    powerState: PowerState.POWER_STATE_SHUTDOWN,
    createdAt: at("2026-01-01T10:20:30Z"),
    launchedAt: at("2026-01-02T10:20:30Z"),
    terminatedAt: at("2026-01-03T10:20:30Z"),
    updatedAt: at("2026-01-04T00:00:00Z"),
    image: { id: "image-1", properties: new Map() },
    flavor: { id: "flavor-1", name: "f" },
    tags: ["a", "b"],
    addresses: [
      { version: 4, address: "10.0.0.11" },
      { version: 6, address: "fd00::11" },
    ],
    accessIpV4: "192.0.2.1",
    accessIpV6: "2001:db8::1",
    configDrive: true,
    diskConfig: DiskConfig.DISK_CONFIG_AUTO,
    keyName: "Alice-Key",
    availabilityZone: "zone-a",
    lock: { lockedBy: "admin", reason: "" },
    progress: 50,
    reservationId: "r-abc",
    launchIndex: 7,
    hostInfo: {
      host: "host-1",
      node: "node-1.example",
      kernelId: "kernel-1",
      ramdiskId: "ramdisk-1",
      rootDeviceName: "/dev/vda",
    },
  } as never),
  aServer({
    id: uuid(2),
    name: "db",
    hostname: "db-host",
    description: "Back room",
    hasDescription: true,
    userId: "bob",
    createdAt: at("2025-01-01T10:20:30Z"),
    launchedAt: at("2025-01-02T10:20:30Z"),
    updatedAt: at("2025-01-04T00:00:00Z"),
    image: { id: "image-2", properties: new Map() },
    flavor: { id: "flavor-2", name: "f" },
    tags: ["b"],
    addresses: [{ version: 4, address: "10.0.1.22" }],
    accessIpV4: "198.51.100.2",
    keyName: "bob",
    availabilityZone: "zone-b",
    lock: { lockedBy: "owner", reason: "" },
    reservationId: "r-xyz",
    launchIndex: 1,
    hostInfo: { host: "host-2", node: "node-2", rootDeviceName: "/dev/sda" },
  } as never),
  aServer({ id: uuid(3), name: "bare", hostname: "bare", updatedAt: at("2024-01-01T00:00:00Z") }),
  aServer({
    id: uuid(4),
    name: "restorable",
    vmState: VmState.VM_STATE_SOFT_DELETED,
    updatedAt: at("2020-01-01T00:00:00Z"),
  }),
  aServer({
    id: uuid(5),
    name: "gone",
    vmState: VmState.VM_STATE_DELETED,
    updatedAt: at("2020-01-02T00:00:00Z"),
    deletedAt: at("2020-01-02T00:00:00Z"),
  }),
  aServer({ id: uuid(6), name: "theirs", projectId: "other", updatedAt: at("2024-01-01T00:00:00Z") }),
];

/**
 * Every parameter of `GET /servers` that filters, with what an administrator finds and what a member does at
 * 2.104. `all`: the parameter is dropped; a number: the status of a refusal. @source nova/db/main/api.py:
 * which match exactly, which as regular expressions; nova/api/openstack/compute/servers.py: which are dropped
 * for whom
 */
const cases: readonly [query: string, administrator: string, member: string][] = [
  ["name=^web-0[12]$", "1", "1"],
  ["display_name=EB", "1", "all"],
  ["hostname=-host", "12", "12"],
  ["description=door$", "1", "all"],
  ["display_description=^back", "2", "all"],
  ["ip=10.0.0", "1", "1"],
  ["ip6=^fd00", "1", "1"],
  ["ip=10.0.1&ip6=^fd00", "12", "12"],
  ["access_ip_v4=^192\\.0", "1", "all"],
  ["access_ip_v6=db8", "1", "all"],
  ["auto_disk_config=auto", "1", "all"],
  ["auto_disk_config=^1$", "1", "all"],
  ["auto_disk_config=MANUAL", "23", "all"],
  ["availability_zone=zone-[ab]", "12", "12"],
  ["config_drive=true", "1", "1"],
  ["key_name=alice", "1", "1"],
  ["kernel_id=kernel", "1", "all"],
  ["ramdisk_id=^ramdisk-.$", "1", "all"],
  ["root_device_name=/dev/v", "1", "all"],
  ["launch_index=7", "1", "all"],
  ["launch_index=0", "3", "all"],
  ["locked=true", "12", "12"],
  ["locked_by=owner", "2", "all"],
  ["node=example$", "1", "all"],
  ["host=host-1", "1", "all"],
  ["host=host", "", "all"],
  ["power_state=4", "1", "1"],
  ["power_state=[34]", "1", "1"],
  ["progress=5", "1", "1"],
  ["reservation_id=abc", "1", "1"],
  ["vm_state=stopped", "1", "1"],
  ["vm_state=stop", "", ""],
  ["task_state=powering-on", "1", "1"],
  ["task_state=powering", "", ""],
  ["status=SHUTOFF", "1", "1"],
  ["user_id=alice", "1", "1"],
  ["user_id=ali", "", ""],
  ["image=image-1", "1", "1"],
  ["image=image", "", ""],
  ["image_ref=image-2", "2", "all"],
  ["flavor=flavor-2", "2", "2"],
  [`uuid=${uuid(2)}`, "2", "all"],
  ["created_at=2026-01-01T10:20:30Z", "1", "1"],
  ["created_at=2025-01-01 10", "2", "2"],
  ["launched_at=2026", "13", "13"],
  ["terminated_at=2026-01-03", "1", "1"],
  ["changes-since=2025-12-01T00:00:00Z", "1", "1"],
  ["changes-before=2024-12-01T00:00:00Z", "345", "345"],
  ["tags=a,b", "1", "1"],
  ["tags-any=a,x", "1", "1"],
  ["not-tags=a,b", "23", "23"],
  ["not-tags-any=a", "23", "23"],
  ["tenant_id=other", "all", "all"],
  ["project_id=other", "all", "all"],
  ["all_tenants=1&tenant_id=other", "6", "forbidden"],
  ["all_tenants=1&project_id=other", "6", "forbidden"],
  ["all_tenants=1", "1236", "forbidden"],
  ["all_tenants=0", "all", "all"],
  ["all_tenants=maybe", "400", "400"],
  ["soft_deleted=true", "1234", "all"],
  ["soft_deleted=", "all", "all"],
  ["deleted=true", "45", "all"],
  ["deleted=true&soft_deleted=", "5", "all"],
  ["deleted=false", "all", "all"],
  ["deleted=what", "all", "all"],
  ["deleted=true&status=ERROR", "", ""],
  ["changes-since=2019-01-01T00:00:00Z", "12345", "12345"],
  ["changes-since=2019-01-01T00:00:00Z&deleted=false", "all", "12345"],
  ["changes-since=2019-01-01T00:00:00Z&deleted=true", "45", "12345"],
  ["changes-before=2020-01-01T00:00:00Z", "4", "4"],
  ["changes-since=2020-01-02T00:00:00Z&changes-before=2020-01-02T00:00:00Z", "5", "5"],
  ["changes-since=2020-01-02T00:00:00Z&changes-before=2020-01-01T00:00:00Z", "400", "400"],
  ["status=DELETED", "5", "403"],
  ["status=deleted&status=SHUTOFF", "1", "1"],
  ["status=SOFT_DELETED", "", ""],
  ["status=SOFT_DELETED&soft_deleted=1", "4", ""],
  ["status=weird", "400", "400"],
  ["vm_state=deleted", "5", ""],
  ["vm_state=soft-delete&changes-since=2019-01-01T00:00:00Z", "4", "4"],
  ["node=node-3", "", "all"],
  ["flavor=flavor", "", ""],
  ["locked=false", "3", "3"],
  ["locked=maybe", "400", "400"],
  ["config_drive=maybe", "400", "400"],
  ["name=(", "400", "400"],
  ...[
    "block_device_mapping",
    "services",
    "metadata",
    "system_metadata",
    "info_cache",
    "security_groups",
    "pci_devices",
    "_private",
  ].map((name) => [`${name}=x`, "400", "all"] as [string, string, string]),
];
/** Parameters that order and page. */
const NO_FILTERS = ["limit", "marker", "sort_key", "sort_dir"];

describe("integration: filters of server lists", () => {
  let test: TestDatabase;
  let store: Store;

  before(async () => {
    test = await testDatabase(cellMigrations);
    store = openStore("cell1", test.open<FeedTables>());
    for (const server of servers) await putInstance(store, testCtx(), server);
  });

  const list = async (on: Store, filter: Partial<ServerFilter>, projectId = "project"): Promise<string> => {
    const request = ListInstancesRequest.fromPartial({
      database: "cell1",
      projectId,
      filter: ServerFilter.fromPartial(filter as never),
      sort: [{ field: "id" }],
    });
    const { rows } = await listInstances(on, testCtx(), request);
    return rows.map(({ serverId }) => serverId.slice(-1)).join("");
  };

  /** What the gateway makes of a query, and the api of that, asked of the database. */
  const found = async (query: string, who: "admin" | "member"): Promise<string> => {
    const encoded = query
      .split("&")
      .map((one) => one.replace(/=(.*)$/, (_all, text: string) => `=${encodeURIComponent(text)}`))
      .join("&");
    const admin = who === "admin";
    try {
      const { filter, matchNothing, allProjects } = selectionOf(
        someRequest({ query: encoded, minor: 104, who }),
      );
      // The rule for all projects is policy's, and tried there.
      if (allProjects && !admin) return "forbidden";
      // The api asks no database for what nothing can match.
      if (matchNothing) return "";
      const asked = effectiveFilter(
        ServerFilter.fromPartial(filter as never),
        { allFilters: admin, admin, dropSilently: true },
        () => assert.fail("the gateway drops what needs a right"),
      );
      const project = allProjects ? (asked.projectId ?? "") : "project";
      return await list(store, { ...asked, projectId: undefined }, project);
    } catch (error) {
      if (error instanceof KilonovaError) return String(faultOf(error, "").status);
      throw error;
    }
  };

  for (const [query, administrator, member] of cases)
    it(`${query} finds ${administrator || "nothing"}, for a member ${member || "nothing"}`, async () => {
      for (const [who, expected] of [
        ["admin", administrator],
        ["member", member],
      ] as const)
        assert.equal(await found(query, who), expected === "all" ? "123" : expected, `${who}: ${query}`);
    });

  it("has a case for every parameter of the schema", () => {
    const { properties } = listServersQuery({ version: MAX_VERSION, legacy: false });
    const tried = new Set(cases.flatMap(([query]) => query.split("&").map((one) => one.split("=")[0])));
    assert.deepEqual(
      Object.keys(properties as object).filter((name) => !tried.has(name) && !NO_FILTERS.includes(name)),
      [],
    );
  });

  it("matches what RE2 matches, whatever a pattern is made of", async () => {
    const texts = [
      "",
      "a",
      "Web-01",
      "aab",
      "foo.bar",
      "x{2}",
      "[x]",
      "a\nb",
      "日本",
      "]^-",
      "tab\there",
      "_9",
    ];
    const atoms =
      "a|.|\\d|\\W|[^a-c]|[]x]|(?:foo)|\\.|é?|[[:alpha:]_-]|^|$|\\b|{|\\x61|\\Qx{\\E|-|[\\w-z]|\\s|本|(a)"
        .split("|")
        .concat("(a|b)");
    const tails = ["", "*", "+?", "{2}", "{,2}", "{1,}", "?", "|b"];
    const patterns = atoms.flatMap((one, i) =>
      tails.map(
        (tail, j) => `${one}${tail}${(atoms[(i * 7 + j * 5) % atoms.length] ?? "") + (tails[i % 3] ?? "")}`,
      ),
    );
    const wrong: string[] = [];
    const taken = usable(patterns);
    const { rows } = await store.db.statement(testCtx(), "matches", (db) =>
      sql<{ p: number; t: number; matches: boolean }>`
        SELECT p.i AS p, t.i AS t, t.x ~* p.x AS matches
        FROM unnest(${taken.map(([, postgres]) => postgres)}::text[]) WITH ORDINALITY AS p (x, i),
             unnest(${texts}::text[]) WITH ORDINALITY AS t (x, i)`.execute(db),
    );
    for (const { p, t, matches } of rows) {
      const [pattern = ""] = taken[Number(p) - 1] ?? [];
      const text = texts[Number(t) - 1] ?? "";
      if (RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE).test(text) !== matches)
        wrong.push(`${JSON.stringify(pattern)} on ${JSON.stringify(text)}: ${matches}`);
    }
    assert.ok(rows.length > 1_000, `${rows.length} comparisons`);
    assert.deepEqual(wrong, []);
  });

  it("refuses what is no regular expression of RE2, and never asks PostgreSQL", async () => {
    for (const nameRegex of ["(a)\\1", "(?=a)", "***:a", "["])
      await assert.rejects(list(store, { nameRegex }), { kind: "invalid", reason: "INVALID_ARGUMENT" });
  });

  it("ends a list that takes too long by itself, on connections that nobody else waits for", async () => {
    const pool = test.newPool({ max: 2, statementTimeoutMs: 1 });
    const slots = new FairSlots({ slots: 2, perKey: 1, queuePerKey: 0 });
    const database = openDatabase<FeedTables>(pool, { schema: test.schema });
    const bounded = openStore("cell1", test.open<FeedTables>(), () => {}, {
      database,
      slots,
      timeoutMs: 1_000,
      waitMs: 1_000,
    });
    await crowd(store, 5_000);
    const slow = { nameRegex: "(.*a.*){20}z" };
    await assert.rejects(list(bounded, slow), { kind: "invalid", reason: "LIST_TOO_EXPENSIVE" });
    const both = [list(bounded, slow), list(bounded, slow)].map((one) =>
      one.catch((error: unknown) => error),
    );
    assert.deepEqual(
      (await Promise.all(both)).map((error) => (error as { reason?: string }).reason),
      ["LIST_TOO_EXPENSIVE", "TOO_MANY_LISTS"],
    );
    assert.equal((await list(bounded, { ids: [uuid(1)] })).length, 1);
    await pool.close();
  });
});

/** So many copies of the barest server. */
async function crowd(store: Store, count: number): Promise<void> {
  const { rows } = await store.db.statement(testCtx(), "columns", (db) =>
    sql<{ name: string }>`SELECT column_name AS name FROM information_schema.columns
      WHERE table_schema = ${store.db.schema} AND table_name = 'instance' AND column_name <> 'id'`.execute(
      db,
    ),
  );
  const columns = sql.join(rows.map(({ name }) => sql.ref(name)));
  const table = sql.table(`${store.db.schema}.instance`);
  await store.db.statement(testCtx(), "crowd", (db) =>
    sql`INSERT INTO ${table} (id, ${columns})
      SELECT 'copy-' || i, ${columns} FROM ${table}, generate_series(1, ${count}::int) AS i
      WHERE id = ${uuid(3)}`.execute(db),
  );
}

/** Patterns that are taken, with what PostgreSQL is given. */
const usable = (patterns: readonly string[]): [string, string][] =>
  patterns.flatMap((pattern) => {
    const { postgres } = { postgres: undefined, ...readUserRegex(pattern) };
    return postgres === undefined ? [] : [[pattern, postgres] as [string, string]];
  });
