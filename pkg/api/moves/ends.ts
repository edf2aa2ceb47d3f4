import type { MigrationRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { MigrationKind } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import type { LoadedServer } from "../cells/servers.js";
import { CreateErrors, MoveErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/** Its host; "" without one. */
export const hostOf = ({ hostInfo }: Pick<Server, "hostInfo">): string => hostInfo?.host ?? "";

/** Where a move does not lead: it would be none. */
export const awayFrom = ({
  server,
}: Pick<LoadedServer, "server">): { readonly excludeHosts: readonly string[] } => {
  const host = hostOf(server);
  return { excludeHosts: host === "" ? [] : [host] };
};

/**
 * Whether hosts of the server's cell can be asked for something; what is known of them is a moment old.
 * @param hosts  "" is none
 * @throws HOST_DOWN
 */
export async function requireUp(
  { directory }: Pick<Parts, "directory">,
  ctx: Call,
  { database }: Pick<LoadedServer, "database">,
  ...hosts: readonly string[]
): Promise<void> {
  const named = hosts.filter((host) => host !== "");
  // One that was not built yet is in no cell.
  if (named.length === 0) return;
  const { byHost } = await directory.of(ctx, database);
  if (named.some((host) => byHost.get(host)?.up === false)) throw MoveErrors.HOST_DOWN({});
}

/**
 * Whether a host may be asked for as the server's next one: a move stays in its cell. Of a server without a
 * host nothing is asked, it is refused anyway.
 * @throws SAME_HOST, HOST_NOT_FOUND
 * @source nova API._validate_host_for_cold_migrate
 */
export async function requireOtherHost(
  { directory }: Pick<Parts, "directory">,
  ctx: Call,
  { server, database }: Pick<LoadedServer, "server" | "database">,
  host: string,
): Promise<void> {
  const own = hostOf(server);
  if (own === "") return;
  if (host === own) throw MoveErrors.SAME_HOST({});
  const { byHost } = await directory.of(ctx, database);
  if (!byHost.has(host)) throw CreateErrors.HOST_NOT_FOUND({ host });
}

const { MIGRATION_KIND_RESIZE, MIGRATION_KIND_MIGRATION } = MigrationKind;

/**
 * The move that brought a server where it waits for its confirmation. @throws MIGRATION_NOT_FOUND
 * @cost one read
 */
export async function finishedMove(
  { records, guard }: Pick<Parts, "records" | "guard">,
  ctx: Call,
  { server, database }: Pick<LoadedServer, "server" | "database">,
): Promise<MigrationRecord> {
  const { rows } = await guard.call(ctx, database, (inner) =>
    records.listMigrations(inner, {
      database,
      serverIds: [server.id],
      statuses: ["finished"],
      kinds: [MIGRATION_KIND_RESIZE, MIGRATION_KIND_MIGRATION],
      hidden: false,
      pageSize: 1,
    }),
  );
  const migration = rows[0]?.migration;
  if (migration === undefined) throw MoveErrors.MIGRATION_NOT_FOUND({});
  return migration;
}
