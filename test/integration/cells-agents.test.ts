import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { FeedServiceDefinition } from "../../gen/kilonova/cells/v1/feed_service.js";
import { GlobalServiceDefinition } from "../../gen/kilonova/cells/v1/global_service.js";
import { AggregateStoreServiceDefinition } from "../../gen/kilonova/cells/v1/aggregates_service.js";
import { HostsServiceDefinition } from "../../gen/kilonova/cells/v1/hosts_service.js";
import { InstancesServiceDefinition } from "../../gen/kilonova/cells/v1/instances_service.js";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import { ServerGroupStoreServiceDefinition } from "../../gen/kilonova/cells/v1/server_groups_service.js";
import { ServerHostInfo, PowerState } from "../../gen/kilonova/type/v1/server.js";
import { sql } from "../../pkg/cells/store/sql.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { AGENT_REPORT, MAX_WAITING_SIGNALS, VICTIM_AT_REST } from "../../pkg/model/signals.js";
import { parseOperationName } from "../../pkg/model/operation-name.js";
import type { ServiceDefinition } from "../../pkg/platform/rpc/index.js";
import { agentBinding, bindPart } from "../../pkg/platform/rpc/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import type { CellsUnderTest } from "./support/cells-service.js";
import { registerAgent, startCellsService } from "./support/cells-service.js";

const services: readonly ServiceDefinition[] = [
  AggregateStoreServiceDefinition,
  FeedServiceDefinition,
  GlobalServiceDefinition,
  HostsServiceDefinition,
  InstancesServiceDefinition,
  OperationStoreServiceDefinition,
  ServerGroupStoreServiceDefinition,
];

type Call = (request: object) => Promise<unknown>;

/** Every method that agents may call, out of the contract. */
const forAgents = services.flatMap((definition) =>
  bindPart(definition, {})
    .methods.filter(({ allowedCallers }) => allowedCallers.has("compute"))
    .map(({ method }) => {
      const [key, declared] =
        Object.entries(definition.methods).find(([, { name }]) => name === method) ?? assert.fail();
      return { definition, key, name: method, binding: agentBinding(declared) };
    }),
);

/** A request in which each named field says what it is given; paths as in the contract. */
function request(fields: ReadonlyMap<string, unknown>): object {
  const whole: Record<string, unknown> = {};
  for (const [path, value] of fields) {
    const names = path.split(".").map((name) => name.replace(/_(.)/g, (_, c: string) => c.toUpperCase()));
    const last = names.pop() ?? "";
    let at = whole;
    for (const name of names) at = (at[name] ??= {}) as Record<string, unknown>;
    at[last] = value;
  }
  return whole;
}

describe("agents", () => {
  let s: CellsUnderTest;
  const mine = randomUUID();
  const theirs = randomUUID();
  let operations: { mine: string; theirs: string };

  const operationOn = async (serverId: string) => {
    const { operation } = await s.instances.acceptOperation(testCtx(), {
      database: "cell1",
      serverId,
      kind: "server.stop",
      kindVersion: 1,
    });
    return operation?.name ?? "";
  };
  const recordOf = async (serverId: string) =>
    (await s.instances.getInstance(testCtx(), { database: "cell1", serverId })).instance?.server;

  before(async () => {
    s = await startCellsService();
    for (const host of ["h1", "h2"]) await registerAgent(s, host);
    await putInstance(
      s.store,
      testCtx(),
      aServer({ id: mine, hostInfo: ServerHostInfo.fromPartial({ host: "h1" }) }),
    );
    await putInstance(
      s.store,
      testCtx(),
      aServer({ id: theirs, hostInfo: ServerHostInfo.fromPartial({ host: "h2" }) }),
    );
    operations = { mine: await operationOn(mine), theirs: await operationOn(theirs) };
  });
  after(() => s.close());

  const callOf = ({ definition, key }: (typeof forAgents)[number], host = "h1", cell = "cell1"): Call => {
    const client = s.as("compute", host, cell).client(definition) as unknown as Record<
      string,
      (ctx: ReturnType<typeof testCtx>, body: object) => Promise<unknown>
    >;
    return (body) => client[key]?.(testCtx(), body) ?? assert.fail(key);
  };
  const fieldsOf = ({ binding, name }: (typeof forAgents)[number]): Map<string, unknown> =>
    new Map<string, unknown>([
      ...(binding === undefined ? [] : [[binding.cell, "cell1"] as const]),
      ...(binding?.host ?? []).map((path) => [path, "h1"] as const),
      ...(binding?.server ?? []).map((path) => [path, mine] as const),
      ...(binding?.operation ? [[binding.operation, operations.mine] as const] : []),
      ...(name === "RegisterHost" ? [["service.binary", "nova-compute"] as const] : []),
      ...(name === "SaveServerPassword" ? [["server_password", "sealed"] as const] : []),
      ...(name === "ReportProgress"
        ? [
            ["command_id", `${parseOperationName(operations.mine)?.operationId ?? ""}/power-off/0`] as const,
            ["progress", { phase: "disks", percent: 1 }] as const,
          ]
        : []),
      ...(name === "RecordUsageAudit"
        ? [["period_beginning", { seconds: 1n }] as const, ["period_ending", { seconds: 2n }] as const]
        : []),
      ...(name === "ReportGuest"
        ? [["power_state", PowerState.POWER_STATE_SHUTDOWN] as const, ["report_number", 5n] as const]
        : []),
    ]);

  it("may call only what declares whom they speak for", () => {
    assert.ok(forAgents.length > 5);
    assert.deepEqual(
      forAgents.filter(({ binding }) => binding === undefined || binding.cell === "").map(({ name }) => name),
      [],
    );
  });

  for (const method of forAgents) {
    it(`are held to their cell, host and operation by ${method.name}`, async () => {
      const { binding } = method;
      assert.ok(binding);
      await callOf(method, "h1", "cell1")(request(fieldsOf(method)));
      await assert.rejects(
        callOf(method, "h1", "cell2")(request(fieldsOf(method))),
        { reason: "WRONG_CELL" },
        "another cell's agent",
      );
      await assert.rejects(
        callOf(method)(request(fieldsOf(method).set(binding.cell, "cell2"))),
        { reason: "WRONG_CELL" },
        "to another cell",
      );
      for (const path of binding.host)
        await assert.rejects(
          callOf(method)(request(fieldsOf(method).set(path, "h2"))),
          { reason: "WRONG_HOST" },
          path,
        );
      if (binding.operation !== "")
        for (const name of [operations.theirs, `operations/${theirs}/${randomUUID()}`])
          await assert.rejects(callOf(method)(request(fieldsOf(method).set(binding.operation, name))), {
            reason: "WRONG_OPERATION",
          });
    });
  }

  it("learn and change nothing of another host's servers", async () => {
    const before = await recordOf(theirs);
    for (const method of forAgents)
      for (const path of method.binding?.server ?? []) {
        const body = request(fieldsOf(method).set(path, theirs));
        if (method.name === "ReportGuest") await callOf(method)(body);
        else await assert.rejects(callOf(method)(body), { reason: "SERVER_NOT_FOUND" }, method.name);
      }
    assert.deepEqual(await recordOf(theirs), before);
    const agent = s.as("compute", "h1").client(InstancesServiceDefinition);
    const { rows } = await agent.listInstances(testCtx(), {
      database: "cell1",
      filter: { host: "h2" },
      pageSize: 10,
    });
    assert.equal(rows.length, 1);
  });

  it("register compute services only", async () => {
    const agent = s.as("compute", "h1").client(HostsServiceDefinition);
    await assert.rejects(
      agent.registerHost(testCtx(), {
        cell: "cell1",
        service: { binary: "nova-conductor", host: "h1" },
        node: { hypervisorHostname: "h1" },
      }),
      { reason: "WRONG_BINARY" },
    );
  });

  it("do not choose the id of their resource provider", async () => {
    const { computeNodeId } = await registerAgent(s, "h2");
    await s
      .as("compute", "h3")
      .client(HostsServiceDefinition)
      .registerHost(testCtx(), {
        cell: "cell1",
        service: { binary: "nova-compute", host: "h3" },
        node: { id: computeNodeId, hypervisorHostname: "h3" },
      });
    const { nodes } = await s.hosts.listHosts(testCtx(), { cell: "cell1" });
    assert.deepEqual(
      nodes.filter(({ id }) => id === computeNodeId).map(({ host }) => host),
      ["h2"],
    );
    assert.ok(s.synced.every(({ root }) => root?.id !== computeNodeId || root.name === "h2"));
  });
});

describe("signals", () => {
  it("have declared kinds, senders and sizes, and only so many wait", async () => {
    const s = await startCellsService();
    const serverId = randomUUID();
    await putInstance(
      s.store,
      testCtx(),
      aServer({ id: serverId, hostInfo: ServerHostInfo.fromPartial({ host: "h1" }) }),
    );
    const { operation } = await s.instances.acceptOperation(testCtx(), {
      database: "cell1",
      serverId,
      kind: "server.stop",
      kindVersion: 1,
    });
    const name = operation?.name ?? "";
    const send = (peer: string, kind: string, signalId: string, payload = Buffer.alloc(0)) =>
      s
        .as(peer)
        .client(OperationStoreServiceDefinition)
        .signalOperation(testCtx(), { database: "cell1", name, kind, signalId, payload });
    await assert.rejects(send("compute", AGENT_REPORT, "a"), { reason: "CALLER_NOT_ALLOWED" });
    await assert.rejects(send("conductor", AGENT_REPORT, "a"), { reason: "SIGNAL_NOT_YOURS" });
    await assert.rejects(send("conductor", "made-up", "a"), { reason: "INVALID_ARGUMENT" });
    await assert.rejects(send("conductor", VICTIM_AT_REST, "a", Buffer.alloc(1)), {
      reason: "INVALID_ARGUMENT",
    });
    await assert.rejects(send("conductor", VICTIM_AT_REST, "a".repeat(256)), { reason: "INVALID_ARGUMENT" });
    for (let at = 0; at < MAX_WAITING_SIGNALS; at++)
      assert.deepEqual(await send("conductor", VICTIM_AT_REST, `s${at}`), { accepted: true });
    await assert.rejects(send("conductor", VICTIM_AT_REST, "one-more"), { reason: "TOO_MANY_SIGNALS" });
    assert.deepEqual(await send("conductor", VICTIM_AT_REST, "s0"), { accepted: true }, "repeated");
    const { rows } = await s.store.db.statement(testCtx(), "test.signals", (db) =>
      sql<{ n: string }>`SELECT count(*) AS n FROM ${s.store.t.operation_signal}`.execute(db),
    );
    assert.equal(Number(rows[0]?.n), MAX_WAITING_SIGNALS);
    await s.close();
  });
});
