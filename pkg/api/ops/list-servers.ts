import {
  ListServersRequest,
  ListServersResponse,
  ServerFilter,
  ServerSortField,
  ServerText,
} from "../../../gen/kilonova/api/v1/servers_service.js";
import type { ServerTextMatch } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { InstanceRow } from "../../../gen/kilonova/cells/v1/instances_service.js";
import type { SortKey } from "../../../gen/kilonova/type/v1/page.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Ctx } from "../../kernel/index.js";
import { PolicyErrors } from "../../policy/index.js";
import { fromTimestamp } from "../../model/wire-time.js";
import { readUserRegex } from "../../platform/regex/index.js";
import { EncodedAnswer, rawField } from "../../platform/rpc/index.js";
import { ownProject } from "../cells/servers.js";
import { bindingOf } from "../crypto/hashes.js";
import type { SortedPage } from "../domain/merge-rows.js";
import { mergePages } from "../domain/merge-rows.js";
import { decodePageToken, encodePageToken } from "../crypto/page-tokens.js";
import { headToken } from "../events/heads.js";
import { watchBinding } from "../events/watch-binding.js";
import { rowsOf } from "../domain/page.js";
import { fittingRows } from "../../model/page-bytes.js";
import { effectiveFilter } from "../domain/server-filter.js";
import { fullSort } from "../domain/server-sort.js";
import { ApiErrors } from "../errors.js";
import { paging, sortBy, time } from "../shape/common.js";
import type { Rule } from "../shape/shape.js";
import { given, list, object, oneOf, optional, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, ownBy } from "../rights/guarded.js";
import type { Call } from "../rights/rights.js";
import { downCellServers } from "../cells/down-cell-servers.js";
import { hiddenFields, maskOf } from "../view/server-view.js";
import { GLOBAL } from "../../model/database-names.js";

const regex: Rule<string> = (value, path, report) => {
  const { problem } = value === "" ? {} : readUserRegex(value);
  if (problem !== undefined) report(path, problem);
};

const words = list(text(), 200);
const filterShape = optional(
  object<ServerFilter>({
    ids: words,
    nameRegex: given(regex),
    hostnameRegex: given(regex),
    ipRegex: given(regex),
    ip6Regex: given(regex),
    tags: words,
    tagsAny: words,
    notTags: words,
    notTagsAny: words,
    vmStates: list(oneOf(VmState)),
    powerStates: list(oneOf(PowerState)),
    taskStates: words,
    imageId: given(text()),
    flavorId: given(text()),
    projectId: given(text()),
    userId: given(text()),
    host: given(text()),
    node: given(text()),
    availabilityZone: given(text()),
    keyName: given(text()),
    reservationId: given(text()),
    description: given(text()),
    changesSince: time,
    changesBefore: time,
    createdAt: time,
    launchedAt: time,
    terminatedAt: time,
    textMatches: list(object<ServerTextMatch>({ field: oneOf(ServerText, { unset: false }), regex }), 32),
  }),
);

/** What a list asks of each database, and what its page tokens are bound to. */
interface Query {
  readonly filter: ServerFilter;
  readonly projectId: string;
  readonly sort: SortKey[];
  readonly pageSize: number;
  readonly binding: string;
}

const answerType = rawField(ListServersResponse, "servers");

/**
 * Lists servers of all databases as one. Cells that do not answer are named; their servers never vanish
 * without a word.
 */
export const listServers = (parts: Parts): Guarded<ListServersRequest, EncodedAnswer<ListServersResponse>> =>
  guarded(
    { ...paging, filter: filterShape, sort: sortBy(ServerSortField) },
    ownBy(ruleOf),
    async (ctx, request) => {
      const query = queryOf(ctx, request);
      const mask = maskOf(ctx, { hostInfo: request.withHostInfo, userData: false });
      if (ctx.nova.matchNothing)
        return EncodedAnswer.of(answerType, answerType.fromPartial({ hiddenFields: hiddenFields(mask) }));
      const after = await startOf(parts, ctx, request, query);
      // Read before the rows: what changes while they are read is told by the watch.
      const resumeToken =
        request.withResumeToken && after.length === 0 ? await seed(parts, ctx, request) : "";
      const { pages, unreachable } = await readPages(parts, ctx, query, after);
      const { rows, more } = mergePages(pages, query.sort, query.pageSize);
      const all = await parts.presented.list(ctx, mask, rows);
      const servers = fittingRows(all, (server) => server.length);
      const last = rows[servers.length - 1];
      const goesOn = more || servers.length < all.length;
      return EncodedAnswer.of(answerType, {
        servers: [...servers],
        resumeToken,
        nextPageToken:
          goesOn && last !== undefined
            ? encodePageToken(parts.tokens, query.binding, last.row.sortValues)
            : "",
        unreachableCells: [...unreachable],
        downCellServers:
          unreachable.length > 0 ? await downCellServers(parts, ctx, query.projectId, unreachable) : [],
        hiddenFields: hiddenFields(mask),
      });
    },
  );

const seed = (parts: Parts, ctx: Call, { allProjects }: ListServersRequest): Promise<string> =>
  headToken(parts, ctx, watchBinding({ allProjects, serverIds: [] }, allProjects ? "" : ownProject(ctx)));

const ruleOf = ({ brief }: ListServersRequest) =>
  brief ? "os_compute_api:servers:index" : "os_compute_api:servers:detail";

function queryOf(ctx: Call, request: ListServersRequest): Query {
  if (request.allProjects) ctx.rights.enforce(`${ruleOf(request)}:get_all_tenants`);
  const admin = ctx.rights.isAdmin;
  const allFilters = ctx.rights.allows("os_compute_api:servers:allow_all_filters");
  const refuse = (): never => {
    throw PolicyErrors.FORBIDDEN({ rule: "os_compute_api:servers:allow_all_filters" });
  };
  const asked = request.filter ?? ServerFilter.fromPartial({});
  const filter = effectiveFilter(
    asked,
    { allFilters, admin, dropSilently: ctx.nova.dropForbiddenFilters },
    refuse,
  );
  const { changesSince, changesBefore } = filter;
  if (
    changesSince !== undefined &&
    changesBefore !== undefined &&
    fromTimestamp(changesSince) > fromTimestamp(changesBefore)
  ) {
    throw ApiErrors.INVALID_REQUEST({
      field: "filter.changes_since",
      problem: "The value of changes-since must be less than or equal to changes-before.",
    });
  }
  const sortKeys = fullSort(request.sort, admin);
  const projectId = request.allProjects ? (filter.projectId ?? "") : ownProject(ctx);
  const bound = ListServersRequest.fromPartial({
    filter: { ...filter, projectId },
    allProjects: request.allProjects,
    sort: request.sort,
  });
  return {
    filter: { ...filter, projectId: undefined },
    projectId,
    sort: sortKeys,
    pageSize: rowsOf(request.pageSize),
    binding: bindingOf(ListServersRequest.encode(bound).finish()),
  };
}

/** Sort values after which the page begins; empty for the first page. */
async function startOf(
  parts: Parts,
  ctx: Call,
  request: ListServersRequest,
  query: Query,
): Promise<readonly string[]> {
  if (request.pageToken !== "") return decodePageToken(parts.tokens, query.binding, request.pageToken);
  const { marker } = ctx.nova;
  if (marker === "") return [];
  const mapping = await parts.mappings.refresh(ctx, marker);
  if (!parts.servers.sees(ctx, mapping)) throw ApiErrors.MARKER_NOT_FOUND({ marker });
  const filter = ServerFilter.fromPartial({
    ids: [mapping.serverId],
    changesSince: { seconds: 0n, nanos: 0 },
  });
  const { rows } = await parts.guard.call(ctx, mapping.database, (inner) =>
    parts.instances.listInstances(inner, {
      database: mapping.database,
      filter,
      projectId: "",
      sort: query.sort,
      pageSize: 1,
      after: [],
    }),
  );
  const row = rows[0];
  if (row === undefined) throw ApiErrors.MARKER_NOT_FOUND({ marker });
  return row.sortValues;
}

/**
 * The global database is read before the cells: a server that is being handed over meanwhile is seen twice
 * rather than never.
 */
async function readPages(
  parts: Parts,
  ctx: Ctx,
  query: Query,
  after: readonly string[],
): Promise<{ pages: SortedPage<InstanceRow>[]; unreachable: readonly string[] }> {
  const { filter, projectId, sort: sortKeys, pageSize: size } = query;
  const read = (inner: Ctx, database: string): Promise<{ rows: InstanceRow[]; more: boolean }> =>
    parts.instances.listInstances(inner, {
      database,
      filter,
      projectId,
      sort: sortKeys,
      pageSize: size,
      after: [...after],
    });
  const first = await parts.guard.fanOut(ctx, [GLOBAL], read);
  const rest = await parts.guard.fanOut(ctx, await parts.databases.cells(ctx), read);
  const pages = [...first.answers, ...rest.answers].map(({ database, value }) => ({
    database,
    rows: value.rows,
    more: value.more,
  }));
  if (pages.length === 0) throw ApiErrors.LIST_UNAVAILABLE({});
  return { pages, unreachable: [...first.unreachable, ...rest.unreachable] };
}
