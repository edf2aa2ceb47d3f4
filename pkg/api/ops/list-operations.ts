import { ListOperationsRequest } from "../../../gen/kilonova/api/v1/operations_service.js";
import type { ListOperationsResponse } from "../../../gen/kilonova/api/v1/operations_service.js";
import type { OperationPlace, StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { Operation, OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import type { Timestamp } from "../../../gen/google/protobuf/timestamp.js";
import type { Ctx } from "../../kernel/index.js";
import { GLOBAL } from "../../model/database-names.js";
import { presentOperation } from "../../model/operation-view.js";
import { toTimestamp } from "../../model/wire-time.js";
import { ownProject } from "../cells/servers.js";
import { bindingOf } from "../crypto/hashes.js";
import { decodePageToken, encodePageToken } from "../crypto/page-tokens.js";
import type { OperationPage } from "../domain/merge-operations.js";
import { isAfter, mergeOperations, placeOf } from "../domain/merge-operations.js";
import { fittingRows } from "../../model/page-bytes.js";
import { rowsOf } from "../domain/page.js";
import { ApiErrors } from "../errors.js";
import { headToken } from "../events/heads.js";
import { watchBinding } from "../events/watch-binding.js";
import type { Parts } from "../parts.js";
import { hostIdOf, subjectListIn } from "./subject-lists.js";
import type { SubjectList } from "./subject-lists.js";
import type { About, Guarded, Subject } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import type { Call } from "../rights/rights.js";
import { paging, time } from "../shape/common.js";
import { given, list, oneOf, text } from "../shape/shape.js";

/** Whose operations are listed. */
interface Listed extends Subject {
  /** "" for those of all servers. */
  readonly serverId: string;
  /** The host or the cloud, and the kinds that the caller may see of it. */
  readonly beside?: SubjectList;
}

/** What is asked of each database. */
interface Query {
  readonly serverId: string;
  readonly projectId: string;
  readonly states: OperationState[];
  readonly kinds: string[];
  readonly createdSince: Timestamp | undefined;
  readonly pageSize: number;
  readonly after: OperationPlace | undefined;
  readonly ofServers: true;
}

/**
 * With a server its owner decides; with a host or the cloud the rules of the kinds; else the list is of the
 * caller's project.
 */
const listed =
  (parts: Parts): About<ListOperationsRequest, Listed> =>
  async (ctx, request) => {
    const beside = subjectListIn(ctx, request);
    if (beside !== undefined) return { ...own(ctx), serverId: "", beside, decides: beside.decides };
    const { serverId } = request;
    if (serverId === undefined) return { ...own(ctx), serverId: "" };
    const { server, owner } = await parts.servers.about({ withDeleted: true })(ctx, { serverId });
    return { owner, serverId: server.id };
  };

/**
 * Lists operations of all databases as one, newest first; those of one server, also of a deleted one; or
 * those of a host or of the cloud. Cells that do not answer are named.
 */
export const listOperations = (parts: Parts): Guarded<ListOperationsRequest, ListOperationsResponse> =>
  guarded(
    {
      ...paging,
      serverId: given(text()),
      states: list(oneOf(OperationState, { unset: false })),
      kinds: list(text(), 200),
      createdSince: time,
      host: given(text()),
    },
    listed(parts),
    async (ctx, request, { serverId, beside }) => {
      const { allProjects } = request;
      if (allProjects) ctx.rights.enforce("os_compute_api:servers:detail:get_all_tenants");
      const projectId = allProjects ? "" : ownProject(ctx);
      const binding = bindingOfList({ ...request, serverId }, projectId);
      const after =
        request.pageToken === ""
          ? undefined
          : placeIn(decodePageToken(parts.tokens, binding, request.pageToken));
      // Read before the rows: what changes while they are read is told by the watch.
      const resumeToken =
        request.withResumeToken && after === undefined
          ? await headToken(
              parts,
              ctx,
              watchBinding({ allProjects, serverIds: serverId === "" ? [] : [serverId] }, projectId),
            )
          : "";
      const query: Query = {
        serverId,
        projectId: serverId === "" ? projectId : "",
        states: request.states,
        kinds: request.kinds,
        createdSince: request.createdSince,
        pageSize: rowsOf(request.pageSize),
        after,
        ofServers: true,
      };
      const { pages, unreachable } = await (beside !== undefined
        ? readBeside(parts, ctx, query, beside)
        : serverId === ""
          ? readAll(parts, ctx, query)
          : readOne(parts, ctx, query));
      const { operations: merged, next } = mergeOperations(pages, query.pageSize);
      const all = merged.map(presentOperation);
      const operations = fittingRows(all, (one) => Operation.encode(one).finish().length);
      const last = merged[operations.length - 1];
      const goesOn = operations.length < all.length && last !== undefined ? placeOf(last) : next;
      return {
        operations: [...operations],
        nextPageToken:
          goesOn === undefined
            ? ""
            : encodePageToken(parts.tokens, binding, [goesOn.at.toString(), goesOn.id]),
        unreachableCells: [...unreachable],
        resumeToken,
      };
    },
  );

/** What page tokens are bound to: all that decides which rows there are. */
function bindingOfList(request: ListOperationsRequest, projectId: string): string {
  const { serverId, allProjects, states, kinds, createdSince, host, cloud } = request;
  const asked = ListOperationsRequest.fromPartial({
    serverId,
    allProjects,
    states: [...states].sort(),
    kinds: [...kinds].sort(),
    createdSince,
    host,
    cloud,
  });
  return `operations ${bindingOf(ListOperationsRequest.encode(asked).finish())} ${projectId}`;
}

const placeIn = ([at = "0", id = ""]: readonly string[]): OperationPlace => ({
  createdAt: toTimestamp(BigInt(at)),
  id,
});

interface Found {
  readonly pages: readonly OperationPage[];
  readonly unreachable: readonly string[];
}

/**
 * Asks one database. What is of another project, or was shown before, is dropped: a cells service that is one
 * version older does not know these conditions.
 */
const read =
  (parts: Parts, query: Query) =>
  async (ctx: Ctx, database: string): Promise<OperationPage> => {
    const page = await parts.operations.listStoredOperations(ctx, { database, ...query });
    const { projectId, after } = query;
    const fits = (one: StoredOperation): boolean =>
      one.serverId !== "" &&
      (projectId === "" || one.projectId === projectId) &&
      (after === undefined || isAfter(one, after));
    return { ...page, operations: page.operations.filter(fits) };
  };

/** Of one server, wherever it is. */
const readOne = async (parts: Parts, ctx: Call, query: Query): Promise<Found> => ({
  pages: [await parts.servers.at(ctx, query.serverId, read(parts, query))],
  unreachable: [],
});

/** Of a host or of the cloud: no other kinds than those that the caller may see. */
async function readBeside(
  parts: Parts,
  ctx: Call,
  { states, kinds, createdSince, pageSize, after }: Query,
  { kinds: seen, host }: SubjectList,
): Promise<Found> {
  const wanted = kinds.length === 0 ? seen : seen.filter((kind) => kinds.includes(kind));
  if (wanted.length === 0) return { pages: [], unreachable: [] };
  const page = await parts.operations.listStoredOperations(ctx, {
    ...(host === undefined ? { cloud: true } : { hostId: await hostIdOf(parts, ctx, host) }),
    states,
    kinds: [...wanted],
    createdSince,
    pageSize,
    after,
  });
  return { pages: [page], unreachable: [] };
}

/**
 * The global database is read before the cells: an operation that is being handed over meanwhile is seen
 * twice rather than never.
 */
async function readAll(parts: Parts, ctx: Call, query: Query): Promise<Found> {
  const first = await parts.guard.fanOut(ctx, [GLOBAL], read(parts, query));
  const rest = await parts.guard.fanOut(ctx, await parts.databases.cells(ctx), read(parts, query));
  const pages = [...first.answers, ...rest.answers].map(({ value }) => value);
  if (pages.length === 0) throw ApiErrors.LIST_UNAVAILABLE({});
  return { pages, unreachable: [...first.unreachable, ...rest.unreachable] };
}
