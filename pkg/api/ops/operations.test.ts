import assert from "node:assert/strict";
import {
  EventsServiceDefinition,
  OperationsServiceDefinition,
} from "../../../gen/kilonova/api/v1/operations_service.js";
import type { ListOperationsRequest } from "../../../gen/kilonova/api/v1/operations_service.js";
import {
  OperationStoreServiceDefinition,
  StoredOperation,
} from "../../../gen/kilonova/cells/v1/operations_service.js";
import { InitiatorKind, OperationError, OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import type { Actor } from "../../kernel/index.js";
import { serviceActor } from "../../kernel/index.js";
import { toStored } from "../../cells/operations/store/operation-rows.js";
import { CLOUD, operationName, operationNameOf } from "../../model/operation-name.js";
import { toDuration } from "../../model/wire-time.js";
import { bindPart } from "../../platform/rpc/index.js";
import type { ApiConfig } from "../config.js";
import { testCtx } from "../../testkit/ctx.js";
import { until } from "../../testkit/until.js";
import type { TestApi } from "../testing/an-api.js";
import { administrator, anApi, as, member, stranger } from "../testing/an-api.js";
import { presentOperation } from "../../model/operation-view.js";

const A = "00000000-0000-4000-8000-000000000001";
const NAME = operationName(A, "00000000-0000-4000-8000-00000000000a");
const operations = (api: TestApi) => api.channel.client(OperationsServiceDefinition);

function withOperation(state: OperationState, handedOverTo = ""): TestApi {
  const api = anApi();
  api.cells.put("cell1", { id: A });
  set(api, state, handedOverTo);
  return api;
}

function set(api: TestApi, state: OperationState, handedOverTo = ""): StoredOperation {
  const stored = StoredOperation.fromPartial({
    name: NAME,
    kind: "server.boot",
    serverId: A,
    projectId: "p1",
    state,
    currentStep: "spawn",
    input: Buffer.from("x"),
    owner: "conductor-1",
    handedOverTo,
    steps: [{ name: "spawn", state: "failed", attempts: 2, host: "h1" }],
    error: { reason: "NO_VALID_HOST", domain: "scheduler", message: "m" },
  });
  api.cells.putOperation("cell1", stored);
  return stored;
}

/** The member, as a message. */
const ofMember = { ...member, roles: [...member.roles] };

/** All that is stored. */
const stored = (api: TestApi): StoredOperation[] =>
  [...api.cells.databases.values()].flatMap(({ operations: rows }) =>
    [...rows.values()].map((row) => toStored(row)),
  );

/** Stores an operation otherwise than it is. */
function change(api: TestApi, init: Parameters<typeof StoredOperation.fromPartial>[0], name = NAME): void {
  for (const [database, { operations: rows }] of api.cells.databases)
    for (const row of rows.values()) {
      const before = toStored(row);
      if (before.name === name)
        api.cells.putOperation(database, StoredOperation.fromPartial({ ...before, ...init }));
    }
}

type Wish = Partial<ListOperationsRequest>;

/** Six operations, numbered by age, on servers of two projects in two cells. */
function withProjects(config: Partial<ApiConfig> = {}): TestApi {
  const api = anApi({ config });
  const servers = [
    { id: A, projectId: "p1", database: "cell1" },
    { id: A.replace(/1$/, "2"), projectId: "p1", database: "cell2" },
    { id: A.replace(/1$/, "3"), projectId: "p2", database: "cell2" },
  ];
  for (const { database, ...server } of servers) api.cells.put(database, server);
  for (const [number, at] of [2, 1, 0, 2, 0, 1].entries()) {
    const { id, projectId, database } = servers[at] ?? assert.fail();
    const name = operationName(id, `00000000-0000-4000-8000-0000000000b${number}`);
    const failed = (number + 1) % 3 === 0;
    api.cells.putOperation(
      database,
      StoredOperation.fromPartial({
        name,
        kind: at === 0 ? "server.stop" : "server.start",
        serverId: id,
        projectId,
        state: failed ? OperationState.OPERATION_STATE_FAILED : OperationState.OPERATION_STATE_SUCCEEDED,
        requestId: String(number + 1),
        createdAt: { seconds: BigInt(number), nanos: 0 },
      }),
    );
  }
  // Newest of all, and in no list: those are about no server.
  for (const [database, subject, number] of [
    ["global", CLOUD, 0],
    ["cell1", { kind: "host", id: A }, 1],
  ] as const) {
    const name = operationNameOf(subject, `00000000-0000-4000-8000-0000000000c${number}`);
    const createdAt = { seconds: 9n, nanos: 0 };
    const init = { name, kind: `${subject.kind}.cache-images`, requestId: subject.kind, createdAt };
    const state = OperationState.OPERATION_STATE_SUCCEEDED;
    api.cells.putOperation(database, StoredOperation.fromPartial({ ...init, state }));
  }
  return api;
}

const tell = (api: TestApi, stored: StoredOperation, generation: bigint): void =>
  api.cells.feed("cell1").operation(presentOperation(stored), generation);
const reads = (api: TestApi): number =>
  api.cells.calls.filter((call) => call === "getStoredOperation").length;

describe("operations", () => {
  it("are shown without what only conductors need", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_FAILED);
    const { operation } = await operations(api).getOperation(as(member), { name: NAME });
    assert.deepEqual(
      [operation?.done, operation?.currentStep, operation?.error?.reason],
      [true, undefined, "NO_VALID_HOST"],
    );
    assert.deepEqual(
      operation?.steps.map(({ name, result, attempts }) => ({ name, result, attempts })),
      [{ name: "spawn", result: "error", attempts: 2 }],
    );
  });

  it("count as running in the middle of a hand-over", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_UNSPECIFIED, "cell1");
    const { operation } = await operations(api).getOperation(as(member), { name: NAME });
    assert.deepEqual([operation?.state, operation?.done], [OperationState.OPERATION_STATE_RUNNING, false]);
    assert.ok(api.cells.calls.includes("getInstance cell1"), "nobody completed the hand-over");
  });

  it("do not exist under the name of another subject", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_RUNNING);
    const id = NAME.slice(NAME.lastIndexOf("/") + 1);
    const state = OperationState.OPERATION_STATE_RUNNING;
    const stored = StoredOperation.fromPartial({
      name: NAME,
      kind: "server.boot",
      serverId: A,
      projectId: "p1",
      state,
    });
    api.cells.putOperation("global", stored);
    for (const name of [`operations/cloud/${id}`, `operations/hosts/${A}/${id}`])
      await assert.rejects(operations(api).getOperation(as(member), { name }), {
        reason: "OPERATION_NOT_FOUND",
      });
  });

  it("do not exist for strangers, and not under names that are none", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_RUNNING);
    await assert.rejects(operations(api).getOperation(as(stranger), { name: NAME }), {
      reason: "OPERATION_NOT_FOUND",
    });
    await assert.rejects(operations(api).getOperation(as(member), { name: "operations/x/y" }), {
      reason: "OPERATION_NOT_FOUND",
    });
    await assert.rejects(operations(api).waitOperation(as(stranger), { name: NAME }), {
      reason: "OPERATION_NOT_FOUND",
    });
  });

  it("tell what was asked, who began them, what came of them and who took over", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_SUCCEEDED);
    const metadata = {
      asked: { $case: "createServer" as const, value: { name: "vm", flavorId: "1", imageId: undefined } },
    };
    const result = { outcome: { $case: "server" as const, value: { id: A, generation: 7n } } };
    change(api, { metadata, result, action: "create", actor: ofMember, generation: 4n });
    const get = async () => (await operations(api).getOperation(as(member), { name: NAME })).operation;
    const shown = await get();
    assert.deepEqual([shown?.metadata, shown?.result], [metadata, result]);
    assert.deepEqual([shown?.action, shown?.generation, shown?.successor], ["create", 4n, undefined]);
    assert.deepEqual(shown?.initiator, {
      kind: InitiatorKind.INITIATOR_KIND_PROJECT,
      userId: "u1",
      projectId: "p1",
    });
    const successor = operationName(A, "00000000-0000-4000-8000-00000000000b");
    change(api, { state: OperationState.OPERATION_STATE_PREEMPTED, successor });
    assert.deepEqual([(await get())?.successor, (await get())?.result], [successor, undefined]);
  });

  it("are listed by server", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_RUNNING);
    assert.deepEqual(
      (await operations(api).listOperations(as(member), { serverId: A })).operations.map((one) => one.name),
      [NAME],
    );
  });

  it("are listed by project, over all databases, newest first, in pages that nobody else can use", async () => {
    const api = withProjects();
    const list = (request: Wish = {}, actor = member) => operations(api).listOperations(as(actor), request);
    const numbers = async (request: Wish = {}, actor = member) =>
      (await list(request, actor)).operations.map(({ requestId }) => requestId);
    assert.deepEqual(await numbers(), ["6", "5", "3", "2"]);
    assert.deepEqual(await numbers({}, stranger), ["4", "1"]);
    assert.deepEqual(await numbers({ allProjects: true }, administrator), ["6", "5", "4", "3", "2", "1"]);
    await assert.rejects(list({ allProjects: true }), {
      facts: { rule: "os_compute_api:servers:detail:get_all_tenants" },
    });
    assert.deepEqual(await numbers({ states: [OperationState.OPERATION_STATE_FAILED] }), ["6", "3"]);
    assert.deepEqual(await numbers({ kinds: ["server.stop"] }), ["5", "3"]);
    const pages: string[][] = [];
    for (let pageToken = "", first = true; first || pageToken !== ""; first = false) {
      const page = await list({ pageSize: 3, pageToken });
      pages.push(page.operations.map(({ requestId }) => requestId));
      pageToken = page.nextPageToken;
      for (const other of [{ kinds: ["server.stop"] }, { serverId: A }, { states: [1] }] as Wish[])
        if (pageToken !== "")
          await assert.rejects(list({ pageSize: 3, pageToken, ...other }), { reason: "BAD_PAGE_TOKEN" });
      if (pageToken !== "") await assert.rejects(list({ pageToken }, stranger), { reason: "BAD_PAGE_TOKEN" });
    }
    assert.deepEqual(pages, [["6", "5", "3"], ["2"]]);
    await assert.rejects(list({ states: [OperationState.OPERATION_STATE_UNSPECIFIED] }), {
      reason: "INVALID_REQUEST",
    });
  });

  it("are listed to nobody else, whatever the database hands over", async () => {
    const api = withProjects();
    const { operations: found } = await operations(api).listOperations(as(member), {});
    const careless = anApi({
      cellsBindings: api.cells.bindings.map((binding) => ({
        ...binding,
        methods: binding.methods.map((method) =>
          method.path.endsWith("/ListStoredOperations")
            ? (bindPart(OperationStoreServiceDefinition, {
                listStoredOperations: async () => ({
                  operations: stored(api),
                  nextPageToken: "",
                  searchedTo: undefined,
                }),
              }).methods.find(({ path }) => path === method.path) ?? method)
            : method,
        ),
      })),
    });
    const list = (pageToken = "") =>
      operations(careless).listOperations(as(member), { pageSize: 3, pageToken });
    const first = await list();
    const second = await list(first.nextPageToken);
    assert.deepEqual([...first.operations, ...second.operations], found);
    assert.equal(second.nextPageToken, "");
  });

  it("are listed without the cells that do not answer, which are named", async () => {
    const api = withProjects({ cellTimeoutMs: 50, downCellTimeoutMs: 20 });
    api.cells.silent.add("cell2");
    const { operations: found, unreachableCells } = await operations(api).listOperations(as(member), {});
    assert.deepEqual([found.map(({ requestId }) => requestId), unreachableCells], [["5", "3"], ["cell2"]]);
    for (const database of ["global", "cell0", "cell1"]) api.cells.silent.add(database);
    await assert.rejects(operations(api).listOperations(as(member), {}), { kind: "unavailable" });
  });

  it("fill a page by their bytes, too", async () => {
    const api = withProjects();
    for (const { name } of stored(api))
      change(api, { error: OperationError.fromPartial({ reason: "X", message: "x".repeat(2 << 20) }) }, name);
    const states = [OperationState.OPERATION_STATE_FAILED];
    const first = await operations(api).listOperations(as(member), { states });
    assert.deepEqual(
      first.operations.map(({ requestId }) => requestId),
      ["6"],
    );
    const second = await operations(api).listOperations(as(member), {
      states,
      pageToken: first.nextPageToken,
    });
    assert.deepEqual(
      [second.operations.map(({ requestId }) => requestId), second.nextPageToken],
      [["3"], ""],
    );
  });

  it("are listed with the place from which a watch goes on, which tells what came since", async () => {
    const api = withProjects();
    for (const serverId of [undefined, A]) {
      const list = { ...(serverId === undefined ? {} : { serverId }), withResumeToken: true, pageSize: 1 };
      const { resumeToken, nextPageToken } = await operations(api).listOperations(as(member), list);
      const later = await operations(api).listOperations(as(member), { ...list, pageToken: nextPageToken });
      assert.deepEqual([resumeToken === "", later.resumeToken], [false, ""]);
      const stored = set(api, OperationState.OPERATION_STATE_FAILED);
      tell(api, stored, serverId === undefined ? 2n : 3n);
      const stop = new AbortController();
      const watch = api.channel
        .client(EventsServiceDefinition)
        .watchEvents(as(member, { signal: stop.signal, deadlineMs: undefined }), {
          resumeToken,
          serverIds: serverId === undefined ? [] : [serverId],
          withOperations: true,
        });
      for await (const { operation } of watch)
        if (operation !== undefined) {
          assert.equal(operation.name, NAME);
          break;
        }
      stop.abort();
    }
  });

  it("are waited for on the feed, with one read at each change, and end well also when they failed", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_RUNNING);
    api.service.start(testCtx({ actor: serviceActor("api") }));
    await until(() => api.cells.feeds.every(({ watchers }) => watchers === 1));
    const waits = [1, 2, 3].map(() =>
      operations(api).waitOperation(as(member), { name: NAME, timeout: toDuration(5_000) }),
    );
    // Whether it is theirs, and how it stands.
    await until(() => reads(api) === 6);
    tell(api, set(api, OperationState.OPERATION_STATE_PARKED), 2n);
    await until(() => reads(api) === 9);
    tell(api, set(api, OperationState.OPERATION_STATE_FAILED), 3n);
    for (const { operation } of await Promise.all(waits))
      assert.deepEqual([operation?.done, operation?.error?.reason], [true, "NO_VALID_HOST"]);
    assert.equal(reads(api), 12);
    await api.service.close();
    assert.equal(api.cells.feed("cell1").watchers, 0);
  });

  it("are told as they are when the timeout passes first", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_RUNNING);
    const { operation } = await operations(api).waitOperation(as(member), {
      name: NAME,
      timeout: toDuration(30),
    });
    assert.equal(operation?.done, false);
    await assert.rejects(
      operations(api).waitOperation(as(member), { name: NAME, timeout: toDuration(700_000) }),
      { reason: "INVALID_REQUEST" },
    );
  });

  it("answer before the caller's own deadline", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_RUNNING);
    const { operation } = await operations(api).waitOperation(as(member, { deadlineMs: Date.now() + 400 }), {
      name: NAME,
    });
    assert.equal(operation?.done, false);
  });

  it("are cancelled by members while they run, and left alone when done", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_RUNNING);
    await operations(api).cancelOperation(as(member), { name: NAME });
    assert.ok(api.cells.calls.includes("requestCancel"));
    await assert.rejects(
      operations(api).cancelOperation(as({ ...member, roles: ["reader"] }), { name: NAME }),
      { reason: "FORBIDDEN" },
    );
    const done = withOperation(OperationState.OPERATION_STATE_SUCCEEDED);
    assert.equal((await operations(done).cancelOperation(as(member), { name: NAME })).operation?.done, true);
    assert.ok(!done.cells.calls.includes("requestCancel"));
  });

  it("are cancelled by who may begin one of their kind on the server, whoever began it", async () => {
    const rule = "os_compute_api:os-pause-server:pause";
    const api = anApi({ policy: `"${rule}": "user_id:%(user_id)s"` });
    api.cells.put("cell1", { id: A, userId: "u1" });
    set(api, OperationState.OPERATION_STATE_RUNNING);
    const cancel = (actor: Actor) => operations(api).cancelOperation(as(actor), { name: NAME });
    const colleague = { ...ofMember, userId: "u9" };
    change(api, { kind: "server.pause", actor: colleague });
    await assert.rejects(cancel(colleague), { reason: "FORBIDDEN", facts: { rule } });
    assert.ok(!api.cells.calls.includes("requestCancel"));
    await cancel(member);
    assert.ok(api.cells.calls.includes("requestCancel"));
  });

  it("are cancelled by nobody when nobody knows their kind", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_RUNNING);
    change(api, { kind: "server.newer" });
    await assert.rejects(operations(api).cancelOperation(as(administrator), { name: NAME }), {
      kind: "unsupported",
    });
    assert.ok(!api.cells.calls.includes("requestCancel"));
  });
});
