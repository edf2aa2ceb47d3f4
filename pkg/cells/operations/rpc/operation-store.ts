import type {
  ListStoredOperationsResponse,
  OperationStoreServiceDefinition,
} from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { KilonovaError } from "../../../kernel/errors.js";
import { operationName, parseOperationName } from "../../../model/operation-name.js";
import { presentOperation } from "../../../model/operation-view.js";
import { VICTIM_AT_REST } from "../../../model/signals.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import { durationMs } from "../../../model/wire-time.js";
import type { NumberBlocks } from "../../store/number-blocks.js";
import { activate } from "../hand-over/activate.js";
import { awakening } from "../hand-over/awakening.js";
import { notYetElsewhere } from "../hand-over/not-yet-elsewhere.js";
import { forgetKeptRecord } from "../hand-over/kept-record.js";
import { overdueCopies } from "../hand-over/overdue.js";
import { handOvers } from "../hand-over/protocols.js";
import { signalWhereItIs } from "../hand-over/signal-where-it-is.js";
import type { Waker } from "../../ports.js";
import { byName } from "../../stores.js";
import type { Stores } from "../../stores.js";
import { CellsErrors } from "../../errors.js";
import { acceptSubjectOperation } from "../store/accept-subject-operation.js";
import { acquireOperations, releaseOperations, renewOperations } from "../store/acquire.js";
import { outcomeOf } from "../../quota/domain/claims.js";
import type { Outcome } from "../../quota/domain/claims.js";
import { settleClaim } from "../../quota/store/claims.js";
import { commitStep } from "../store/commit-step.js";
import type { StoreDeps } from "../../store/deps.js";
import { dropDormant } from "../store/dormant.js";
import { protocolOf, requireLife } from "../domain/hand-over.js";
import { subjectIn, subjectOfRequest } from "../domain/subjects.js";
import {
  abandonOperation,
  requestCancel,
  retryOperation,
  strandOperations,
} from "../store/operator-actions.js";
import { operationIdOf } from "../store/owned-operation.js";
import { getOperation, listOperations } from "../store/read-operations.js";
import { confirmOwnership, leaveOperation, settleOperation } from "../store/settle.js";
import type { Signal } from "../store/signals.js";
import type { Store } from "../../store/tables.js";

export interface OperationStoreDeps {
  readonly stores: Stores;
  readonly deps: StoreDeps;
  readonly waker: Waker;
  /** Numbers that name guests, by cell. */
  readonly guestNumbers: (cell: string) => NumberBlocks;
}

/** Serves stored operations. Each method translates and calls one store function. */
export function operationStoreHandlers({
  stores,
  deps,
  waker,
  guestNumbers,
}: OperationStoreDeps): Handlers<OperationStoreServiceDefinition> {
  const places = { stores, deps };
  const { wake, whereAwake } = awakening(places, waker);
  /** Runs `fn` where an operation is; where it has gone meanwhile, unless a database is named. */
  const awake = async <T>(
    ctx: Ctx,
    database: string,
    name: string,
    fn: (store: Store) => Promise<T>,
  ): Promise<T> => {
    const attempt = async (): Promise<T> =>
      byName(await stores.locateOperation(ctx, database, name), (store) =>
        whereAwake(ctx, store, parseOperationName(name)?.serverId ?? "", fn),
      );
    try {
      return await attempt();
    } catch (error) {
      if (database === "" && error instanceof KilonovaError && error.reason === "SERVER_MOVED")
        return attempt();
      throw error;
    }
  };
  const signal = async (ctx: Ctx, store: Store, one: Signal): Promise<boolean> => {
    const { accepted, woke, database } = await signalWhereItIs(places, { wake }, ctx, store, one);
    if (woke) waker.wake(ctx, database, one.operation);
    return accepted;
  };
  /** What has ended has ended, whatever becomes of this: what stays open, `settleClaims` finds. */
  const settle = (ctx: Ctx, name: string, outcome: Outcome): Promise<void> =>
    settleClaim(stores.global, ctx, operationIdOf(name), outcome).catch((error: unknown) =>
      ctx.log.warn("quota.claim.unsettled", { operation: name, error }),
    );
  return {
    acquireOperations: (ctx, request) => acquireOperations(stores.get(request.database), deps, ctx, request),
    strandOperations: async (ctx, { database, kinds, olderThan }) => ({
      names: await strandOperations(stores.get(database), deps, ctx, {
        kinds,
        olderThanMs: durationMs(olderThan),
      }),
    }),
    renewOperations: async (ctx, { database, owner, ownership, names }) => {
      await renewOperations(stores.get(database), deps, ctx, owner, names, durationMs(ownership));
      return {};
    },
    releaseOperations: async (ctx, { database, owner }) => {
      await releaseOperations(stores.get(database), deps, ctx, owner);
      return {};
    },
    confirmOwnership: async (ctx, { database, name, fence, ownership }) => {
      await confirmOwnership(stores.get(database), deps, ctx, name, fence, durationMs(ownership));
      return {};
    },
    leaveOperation: async (ctx, { database, name, fence }) => {
      const store = stores.get(database);
      const { heir, takenBack } = await leaveOperation(store, deps, ctx, name, fence);
      if (heir !== "")
        await signal(ctx, store, {
          operation: heir,
          id: `at-rest/${name}`,
          kind: VICTIM_AT_REST,
          payload: Buffer.alloc(0),
        });
      return { takenBack };
    },
    settleOperation: async (ctx, { database, name }) => ({
      atRest: await settleOperation(stores.get(database), deps, ctx, name),
    }),
    commitStep: async (ctx, request) => {
      const { response, next, quota } = await commitStep(stores.get(request.database), deps, ctx, request);
      for (const one of next) waker.wake(ctx, request.database, one);
      if (quota !== undefined) await settle(ctx, request.name, quota.well);
      return response;
    },
    getStoredOperation: async (ctx, { database, name }) => {
      const operation = await awake(ctx, database, name, (store) => getOperation(store, ctx, name));
      // Conductors ask a source what became of a hand-over; everybody else wants the operation where it lives
      // on.
      if (operation.handedOverTo === "" || ctx.peer.service === "conductor") return { operation };
      return {
        operation: await awake(ctx, operation.handedOverTo, name, (store) => getOperation(store, ctx, name)),
      };
    },
    listStoredOperations: async (ctx, request) => {
      const subject = subjectIn(request);
      const store =
        subject === undefined
          ? stores.get(request.database)
          : await stores.locateSubject(ctx, request.database, subject);
      const read = (): Promise<ListStoredOperationsResponse> => byName(store, readPage);
      const readPage = async (): Promise<ListStoredOperationsResponse> => {
        const page = await listOperations(store, ctx, request);
        return { ...page, operations: await notYetElsewhere(stores, ctx, page.operations) };
      };
      const page = await read();
      if (page.operations.length > 0 || request.pageToken !== "" || request.serverId === "") return page;
      await wake(ctx, store, request.serverId);
      return read();
    },
    signalOperation: async (ctx, { database, name, signalId, kind, payload }) => {
      const store = await stores.locateOperation(ctx, database, name);
      return { accepted: await signal(ctx, store, { operation: name, id: signalId, kind, payload }) };
    },
    prepareHandover: async (ctx, request) => {
      const target = stores.cell(request.database);
      const { sourceDatabase, protocol } = request;
      if (request.operation === undefined) throw CellsErrors.OPERATION_NOT_FOUND({ operation: "" });
      requireLife(request.operation.lane);
      await handOvers[protocolOf(protocol, sourceDatabase, target.name)].prepare(places, ctx, {
        target,
        request,
        operation: request.operation,
        number: () => guestNumbers(target.name).next(ctx),
      });
      return {};
    },
    commitHandover: async (ctx, { database, name, fence, targetDatabase, protocol, instanceGeneration }) => {
      const source = stores.get(database);
      const target = stores.cell(targetDatabase).name;
      const asked = { name, fence, target, generation: instanceGeneration };
      const handOver = handOvers[protocolOf(protocol, database, target)];
      const { stale, late } = await handOver.promise(places, ctx, source, asked);
      return {
        stale,
        cancelRequested: late?.cancelRequested ?? false,
        signals: [...(late?.signals ?? [])],
      };
    },
    activateHandover: (ctx, request) => activate(places, ctx, request),
    dropHandover: async (ctx, { database, name }) => {
      await dropDormant(stores.cell(database), ctx, operationIdOf(name));
      return {};
    },
    forgetKept: async (ctx, { database, serverId, operation }) => {
      await forgetKeptRecord(places, ctx, stores.cell(database), serverId, operation);
      return {};
    },
    listDormant: async (ctx, { database, olderThan, pageToken }) => {
      const asked = { olderThanMs: durationMs(olderThan), pageToken };
      const { copies, nextPageToken } = await overdueCopies(places, ctx, stores.cell(database), asked);
      return {
        operations: copies.map((copy) => ({
          name: operationName(copy.serverId, copy.operationId),
          sourceDatabase: copy.sourceDatabase,
          pageToken: copy.pageToken,
        })),
        nextPageToken,
      };
    },
    acceptSubjectOperation: async (ctx, request) => {
      const store = await stores.locateSubject(ctx, request.database, subjectOfRequest(request));
      const { operation, replayed } = await byName(store, () =>
        acceptSubjectOperation(store, deps, ctx, request),
      );
      if (!replayed) waker.wake(ctx, store.name, operation.name);
      return { operation: presentOperation(operation), replayed };
    },
    retryOperation: async (ctx, { database, name }) =>
      awake(ctx, database, name, async (store) => {
        const operation = await retryOperation(store, deps, ctx, name);
        waker.wake(ctx, store.name, name);
        return { operation };
      }),
    abandonOperation: async (ctx, { database, name, reason }) => {
      const operation = await awake(ctx, database, name, async (store) => {
        const { operation: ended, next } = await abandonOperation(store, deps, ctx, name, reason);
        for (const one of next) waker.wake(ctx, store.name, one);
        return ended;
      });
      const outcome = outcomeOf(operation.state, operation.held);
      if (outcome !== undefined) await settle(ctx, name, outcome);
      return { operation };
    },
    requestCancel: async (ctx, { database, name }) =>
      awake(ctx, database, name, async (store) => {
        const operation = await requestCancel(store, deps, ctx, name);
        waker.wake(ctx, store.name, name);
        return { operation };
      }),
  };
}
