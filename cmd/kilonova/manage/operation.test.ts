import assert from "node:assert/strict";
import { ComputeNode, HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { CellsTwin } from "../../../pkg/cells/testing/twin/twin.js";
import { silentLogger } from "../../../pkg/kernel/index.js";
import { CLOUD, operationNameOf } from "../../../pkg/model/operation-name.js";
import type { Subject } from "../../../pkg/model/operation-name.js";
import { LocalNetwork } from "../../../pkg/platform/rpc/index.js";
import { Metrics, noTracer } from "../../../pkg/platform/telemetry/index.js";
import { testCtx } from "../../../pkg/testkit/ctx.js";
import { listOperations } from "./list-operations.js";
import type { ListOptions, Listed } from "./list-operations.js";
import { operationCommand } from "./operation.js";

const { OPERATION_STATE_RUNNING: RUNNING, OPERATION_STATE_SUCCEEDED: SUCCEEDED } = OperationState;
const id = (n: number): string => `40000000-0000-4000-8000-00000000000${n}`;

/** A cloud of two cells with a host each, and operations whose kinds tell them apart. */
function cloud() {
  const cells = new CellsTwin({ cells: ["cell0", "cell1", "cell2"] });
  for (const n of [1, 2]) {
    const host = `h${n}`;
    cells.setServices(`cell${n}`, [HostService.fromPartial({ id: host, host, binary: "nova-compute" })]);
    cells.setNodes(`cell${n}`, [ComputeNode.fromPartial({ host, id: id(n) })]);
  }
  let at = 0;
  const put = (database: string, subject: Subject, kind: string, state: OperationState): void => {
    const name = operationNameOf(subject, `0e000000-0000-4000-8000-00000000000${++at}`);
    const createdAt = { seconds: BigInt(at), nanos: 0 };
    cells.putOperation(database, StoredOperation.fromPartial({ name, kind, state, createdAt }));
  };
  put("cell1", { kind: "host", id: id(1) }, "one", RUNNING);
  put("global", CLOUD, "cloud", RUNNING);
  put("cell2", { kind: "host", id: id(2) }, "two", RUNNING);
  put("cell1", { kind: "host", id: id(1) }, "done", SUCCEEDED);
  const network = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() });
  network.listen("cells", cells.bindings);
  const channel = network.connect("cells", { service: "operator", host: "" });
  const list = (options: Partial<ListOptions> = {}): Promise<Listed> =>
    listOperations(testCtx(), channel, { database: "", limit: "1000", ...options }, 1_000);
  const kinds = async (options: Partial<ListOptions> = {}): Promise<string[]> =>
    (await list(options)).operations.map(({ kind }) => kind);
  return { cells, list, kinds };
}

describe("kilonova manage operation", () => {
  it("takes a database with every verb", () => {
    const { commands } = operationCommand();
    assert.deepEqual(
      commands.map((one) => one.name()),
      ["list", "show", "retry", "cancel", "abandon"],
    );
    for (const command of commands)
      for (const option of ["--home", "--database"])
        assert.ok(
          command.options.some(({ long }) => long === option),
          `${command.name()} lacks ${option}`,
        );
  });

  it("lists what is unfinished in all databases, newest first, or in one", async () => {
    const { kinds } = cloud();
    assert.deepEqual(await kinds(), ["two", "cloud", "one"]);
    assert.deepEqual(await kinds({ database: "cell1" }), ["one"]);
    assert.deepEqual(await kinds({ database: "global" }), ["cloud"]);
  });

  it("names the databases that do not answer, and lists the others", async () => {
    const { cells, list } = cloud();
    cells.silent.add("cell2");
    const { operations, silent } = await list();
    assert.deepEqual(
      [operations.map(({ kind }) => kind), silent.map(({ database }) => database)],
      [["cloud", "one"], ["cell2"]],
    );
  });

  it("lists all of a host, by its name or its hypervisor's id, and of the cloud", async () => {
    const { kinds } = cloud();
    for (const host of ["h1", id(1)]) assert.deepEqual(await kinds({ host }), ["done", "one"]);
    assert.deepEqual(await kinds({ host: "h2", database: "cell2" }), ["two"]);
    assert.deepEqual(await kinds({ cloud: true }), ["cloud"]);
  });

  it("says when there are more", async () => {
    const { list } = cloud();
    const { operations, more } = await list({ host: "h1", limit: "1" });
    assert.deepEqual([operations.map(({ kind }) => kind), more], [["done"], true]);
    assert.equal((await list({ host: "h1", limit: "2" })).more, false);
  });

  it("refuses options that mean nothing", async () => {
    const { list } = cloud();
    await assert.rejects(list({ host: "nobody" }), /There is no host nobody/);
    await assert.rejects(list({ host: "h1", cloud: true }), /Only one of/);
    for (const limit of ["0", "-1", "many", "1.5"]) await assert.rejects(list({ limit }), /--limit/);
  });
});
