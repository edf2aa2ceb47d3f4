import assert from "node:assert/strict";
import { once } from "node:events";
import { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { ListDormantResponse } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { CommonErrors, rootCtx } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { handOverRecovery } from "./recovery.js";
import type { OperationStore } from "./operation-store.js";

type Asked = Pick<OperationStore, "listDormant" | "getStoredOperation" | "activateHandover" | "dropHandover">;

describe("dormant copies that a dead conductor left", () => {
  it("are woken, dropped or left as their sources say, also when one of these is away", async () => {
    const { OPERATION_STATE_RUNNING: RUNNING, OPERATION_STATE_PREEMPTED: PREEMPTED } = OperationState;
    const sources: Record<string, Partial<StoredOperation> | undefined> = {
      promised: { handedOverTo: "cell2" },
      underway: { state: RUNNING },
      elsewhere: { handedOverTo: "cell3", state: PREEMPTED },
    };
    const done: string[] = [];
    const store: Asked = {
      listDormant: async (_ctx, { database }) => {
        if (database === "cell0") throw CommonErrors.UNAVAILABLE({ what: "The cell" });
        return pageOf(["away", ...Object.keys(sources)]);
      },
      getStoredOperation: async (_ctx, { name = "" }) => {
        if (name === "away") throw CommonErrors.UNAVAILABLE({ what: "The cell" });
        return { operation: StoredOperation.fromPartial(sources[name] ?? {}) };
      },
      activateHandover: async (_ctx, { name }) => {
        done.push(`wake ${name}`);
        return { operation: undefined, instance: undefined };
      },
      dropHandover: async (_ctx, { name }) => {
        done.push(`drop ${name}`);
        return {};
      },
    };
    const awake: string[] = [];
    const look = handOverRecovery(store, 1, (_database, name) => awake.push(name));
    await look(testCtx(), ["global", "cell0", "cell2"]);
    assert.deepEqual(done, ["wake promised", "drop elsewhere"]);
    assert.deepEqual(awake, ["promised"]);
  });

  it("do not wait for long when the source of one of them does not answer", async () => {
    const store: Asked = {
      listDormant: async () => pageOf(["silent", "promised"]),
      getStoredOperation: async ({ signal }, { name = "" }) => {
        if (name === "silent") await once(signal, "abort");
        return { operation: StoredOperation.fromPartial({ handedOverTo: "cell2" }) };
      },
      activateHandover: async () => ({ operation: undefined, instance: undefined }),
      dropHandover: async () => assert.fail("all are promised"),
    };
    const awake: string[] = [];
    const look = handOverRecovery(store, 1, (_database, name) => awake.push(name));
    await look(rootCtx({ requestId: "r" }), ["cell2"]);
    assert.deepEqual(awake, ["promised"]);
  });

  it("are all looked at, page by page, and a look that was cut short goes on where it was", async () => {
    const copies = ["1", "2", "3", "4", "5"];
    const asked: string[] = [];
    let cut: AbortController | undefined;
    const store: Asked = {
      listDormant: async (_ctx, { pageToken = "" }) => {
        const from = copies.findIndex((name) => name > pageToken);
        return from < 0 ? pageOf([]) : pageOf(copies.slice(from, from + 2), from + 2 < copies.length);
      },
      getStoredOperation: async (_ctx, { name = "" }) => {
        asked.push(name);
        if (name === "2") {
          cut?.abort();
          throw CommonErrors.CANCELLED({ what: "The look" });
        }
        return { operation: StoredOperation.fromPartial({ state: OperationState.OPERATION_STATE_RUNNING }) };
      },
      activateHandover: async () => assert.fail("nothing is promised"),
      dropHandover: async () => assert.fail("everything is under way"),
    };
    const look = handOverRecovery(store, 1, () => assert.fail("nothing wakes"));
    cut = new AbortController();
    await assert.rejects(look({ ...testCtx(), signal: cut.signal }, ["cell1"]));
    assert.deepEqual(asked.splice(0), ["1", "2"]);
    cut = undefined;
    await look(testCtx(), ["cell1"]);
    assert.deepEqual(asked.splice(0), ["3", "4", "5"]);
    await look(testCtx(), ["cell1"]);
    assert.deepEqual(asked.splice(0), copies, "then from the beginning");
  });
});

/** Copies whose own names are their tokens. */
function pageOf(names: readonly string[], more = false): ListDormantResponse {
  return {
    operations: names.map((name) => ({ name, sourceDatabase: "cell1", pageToken: name })),
    nextPageToken: more ? (names.at(-1) ?? "") : "",
  };
}
