import { OperationProgress } from "../../../../gen/kilonova/type/v1/operation.js";
import { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import type { Tables } from "../../store/tables.js";

/** A row of `instance` with the progress of the operation that owns it. */
export interface WithProgress {
  readonly operation_progress: Buffer | null;
}

/**
 * Column for reads of `instance`: progress lives with the operation, so that a report changes no server.
 * @cost nothing for servers on which no operation runs, else one look at an index
 */
export const progressColumn = ({ operation }: Pick<Tables, "operation">): Sql =>
  sql`CASE WHEN current_operation <> '' THEN (
    SELECT o.progress FROM ${operation} AS o WHERE o.id = right(current_operation, 36) AND o.state IN ('running', 'parked')
  ) END AS operation_progress`;

/** A server as it is shown while its operation runs. */
export const withProgress = (server: Server, { operation_progress: progress }: WithProgress): Server =>
  progress === null ? server : { ...server, progress: OperationProgress.decode(progress).percent };

/** As `withProgress`, of an encoded server: of two values of a field, the last one counts. */
export const encodedWithProgress = (
  server: Buffer,
  { operation_progress: progress }: WithProgress,
): Buffer =>
  progress === null
    ? server
    : Buffer.concat([
        server,
        Server.encode(Server.fromPartial({ progress: OperationProgress.decode(progress).percent })).finish(),
      ]);
