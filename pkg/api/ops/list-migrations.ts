import {
  ListMigrationsResponse,
  Migration,
  MigrationType,
} from "../../../gen/kilonova/api/v1/migrations_service.js";
import type { ListMigrationsRequest } from "../../../gen/kilonova/api/v1/migrations_service.js";
import { MigrationKind } from "../../../gen/kilonova/cells/v1/server_records.js";
import { ListMigrationsRequest as StoredQuery } from "../../../gen/kilonova/cells/v1/server_records_service.js";
import type {
  ListMigrationsResponse as StoredPage,
  MigrationRow,
} from "../../../gen/kilonova/cells/v1/server_records_service.js";
import { fromTimestamp } from "../../model/wire-time.js";
import { LIVE_IN_PROGRESS } from "../../model/migration-states.js";
import { KilonovaError } from "../../kernel/index.js";
import { ownProject } from "../cells/servers.js";
import { sealedPaging } from "../crypto/page-tokens.js";
import { bindingOf } from "../crypto/hashes.js";
import { fittingRows } from "../../model/page-bytes.js";
import { rowsOf } from "../domain/page.js";
import { ApiErrors, MigrationErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import { guarded, own } from "../rights/guarded.js";
import type { Guarded, Subject } from "../rights/guarded.js";
import type { Call } from "../rights/rights.js";
import type { RuleName } from "../../policy/index.js";
import { id, paging, time } from "../shape/common.js";
import { given, list, oneOf, text } from "../shape/shape.js";
import { HOST_FIELDS, kindsOf, presentMigration } from "../view/migration-view.js";

/** Lists migrations of all cells as one, newest first. Cells that do not answer are named. */
export const listMigrations = (parts: Parts): Guarded<ListMigrationsRequest, ListMigrationsResponse> =>
  guarded(
    {
      ...paging,
      serverIds: list(id, 200),
      host: given(text()),
      sourceCompute: given(text()),
      status: given(text()),
      projectId: given(text()),
      userId: given(text()),
      type: oneOf(MigrationType),
      changesSince: time,
      changesBefore: time,
    },
    (ctx, request) => aboutOf(parts, ctx, request),
    async (ctx, request) => {
      const hostsRule: RuleName = request.inProgressOnly
        ? "os_compute_api:servers:migrations:index:host"
        : "os_compute_api:os-migrations:index:host";
      // Who may not see hosts may not guess them either.
      if (request.host !== undefined || request.sourceCompute !== undefined) ctx.rights.enforce(hostsRule);
      const hosts = ctx.rights.allows(hostsRule);
      const query = queryOf(ctx, request);
      if (ctx.nova.matchNothing)
        return ListMigrationsResponse.fromPartial({ hiddenFields: hiddenIf(!hosts) });
      const pages = sealedPaging(parts.tokens, ["migrations", bindingOf(StoredQuery.encode(query).finish())]);
      const pageSize = rowsOf(request.pageSize);
      const pageToken = pages.open(request.pageToken) || (await markerToken(parts, ctx, query.projectId));
      const { answers, unreachable } = await parts.guard.fanOut(
        ctx,
        await parts.databases.cells(ctx),
        (inner, database) => parts.records.listMigrations(inner, { ...query, database, pageSize, pageToken }),
      );
      if (answers.length === 0) throw ApiErrors.LIST_UNAVAILABLE({});
      const { rows, more } = merged(
        answers.map(({ value }) => value),
        pageSize,
      );
      const shown = rows.flatMap((row) =>
        row.migration ? [{ row, migration: presentMigration(row.migration, hosts) }] : [],
      );
      const page = fittingRows(shown, ({ migration }) => Migration.encode(migration).finish().length);
      const goesOn = more || page.length < rows.length;
      return {
        migrations: page.map(({ migration }) => migration),
        nextPageToken: goesOn ? pages.seal(page.at(-1)?.row.pageToken ?? "") : "",
        unreachableCells: [...unreachable],
        hiddenFields: hiddenIf(!hosts),
      };
    },
  );

const hiddenIf = (hidden: boolean): string[] => (hidden ? [...HOST_FIELDS] : []);

/** The list of one server's live migrations is about that server, and another rule's business. */
async function aboutOf(
  parts: Parts,
  ctx: Call,
  { serverIds, inProgressOnly }: ListMigrationsRequest,
): Promise<Subject> {
  if (!inProgressOnly) return own(ctx);
  const [serverId, ...others] = serverIds;
  if (serverId === undefined || others.length > 0)
    throw ApiErrors.INVALID_REQUEST({ field: "server_ids", problem: "must name one server" });
  const { owner } = await parts.servers.about()(ctx, { serverId });
  return { owner, decides: "os_compute_api:servers:migrations:index" };
}

function queryOf(ctx: Call, request: ListMigrationsRequest): StoredQuery {
  const { inProgressOnly, serverIds, host, sourceCompute, status, type, userId, hidden } = request;
  return StoredQuery.fromPartial({
    serverIds,
    host: host ?? "",
    sourceHost: sourceCompute ?? "",
    statuses: inProgressOnly ? [...LIVE_IN_PROGRESS] : status === undefined ? [] : [status],
    kinds: inProgressOnly ? [MigrationKind.MIGRATION_KIND_LIVE_MIGRATION] : kindsOf(type),
    // A server that the caller has found is his to see, whosever it is.
    projectId: inProgressOnly ? "" : projectOf(ctx, request),
    userId: userId ?? "",
    hidden,
    changesSince: request.changesSince,
    changesBefore: request.changesBefore,
  });
}

/** The project whose migrations are listed, "" for all. @throws FORBIDDEN for another than the caller's */
function projectOf(ctx: Call, { allProjects, projectId }: ListMigrationsRequest): string {
  const wanted = projectId ?? (allProjects ? "" : ownProject(ctx));
  if (wanted !== ownProject(ctx)) ctx.rights.enforce("os_compute_api:os-migrations:index:all_projects");
  return wanted;
}

/**
 * The place of Nova's marker, whichever cell it is in; "" without one.
 * @param projectId  whose migrations are listed; "" for all
 * @throws MARKER_NOT_FOUND, also for one of another project
 */
async function markerToken(parts: Parts, ctx: Call, projectId: string): Promise<string> {
  const { marker } = ctx.nova;
  if (marker === "") return "";
  const { answers } = await parts.guard.fanOut(
    ctx,
    await parts.databases.cells(ctx),
    async (inner, database) =>
      parts.records.getMigration(inner, { database, migrationId: marker }).catch((error: unknown) => {
        if (error instanceof KilonovaError && error.reason === "MIGRATION_NOT_FOUND")
          return { pageToken: "", migration: undefined };
        throw error;
      }),
  );
  const found = answers.find(
    ({ value: { migration } }) =>
      migration !== undefined && (projectId === "" || migration.projectId === projectId),
  );
  if (found === undefined) throw MigrationErrors.MARKER_NOT_FOUND({ marker });
  return found.value.pageToken;
}

/**
 * Pages of several cells as one. What a cell has not told yet would stand before what comes after its page.
 */
function merged(
  pages: readonly StoredPage[],
  pageSize: number,
): { readonly rows: readonly MigrationRow[]; readonly more: boolean } {
  // While a server moves from cell to cell, both may tell its migrations.
  const all = pages
    .flatMap(({ rows }) => rows)
    .sort(newestFirst)
    .filter((row, index, sorted) => index === 0 || idOf(row) !== idOf(sorted[index - 1]));
  const ends = pages.flatMap(({ rows, more }) =>
    more ? [all.findIndex((row) => idOf(row) === idOf(rows.at(-1))) + 1] : [],
  );
  const rows = all.slice(0, Math.min(pageSize, ...ends));
  return { rows, more: rows.length < all.length || ends.length > 0 };
}

const idOf = (row: MigrationRow | undefined): string => row?.migration?.id ?? "";

const timeOf = ({ migration }: MigrationRow): bigint =>
  migration?.createdAt === undefined ? 0n : fromTimestamp(migration.createdAt);

/** The order of every cell. */
function newestFirst(a: MigrationRow, b: MigrationRow): number {
  const [left, right] = [timeOf(a), timeOf(b)];
  if (left !== right) return left > right ? -1 : 1;
  return idOf(a) > idOf(b) ? -1 : 1;
}
