import type {
  GetMigrationRequest,
  GetMigrationResponse,
} from "../../../gen/kilonova/api/v1/migrations_service.js";
import { MigrationKind } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { MigrationRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { LIVE_IN_PROGRESS } from "../../model/migration-states.js";
import { ApiErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import { guarded } from "../rights/guarded.js";
import type { Guarded } from "../rights/guarded.js";
import { id } from "../shape/common.js";
import { presentMigration } from "../view/migration-view.js";

/** Reads one migration of a server, hosts included: the rule that lets read it is for who may know them. */
export const getMigration = (parts: Parts): Guarded<GetMigrationRequest, GetMigrationResponse> =>
  guarded({ serverId: id, migrationId: id }, parts.servers.about(), async (ctx, request) => {
    const { migrationId, inProgressOnly } = request;
    const { migration } = await parts.servers.at(ctx, request.serverId, (inner, database, serverId) =>
      parts.records.getMigration(inner, { database, serverId, migrationId }),
    );
    if (migration === undefined || (inProgressOnly && !isUnderWay(migration)))
      throw ApiErrors.MIGRATION_NOT_FOUND({ migration: migrationId });
    return { migration: presentMigration(migration, true) };
  });

const isUnderWay = ({ kind, status }: MigrationRecord): boolean =>
  kind === MigrationKind.MIGRATION_KIND_LIVE_MIGRATION && LIVE_IN_PROGRESS.includes(status);
