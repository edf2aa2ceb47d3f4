import type { AcceptOperationRequest } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import type { MigrationRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import type { OperationCatalogue } from "../../../model/operation-catalogue.js";
import { subjectOf } from "../../../model/operation-declaration.js";
import type { Acceptable, OperationDeclaration } from "../../../model/operation-declaration.js";
import type { SubjectKind } from "../../../model/operation-name.js";
import { CellsErrors } from "../../errors.js";

/** Kinds of operations, by name. */
export type Kinds = Pick<OperationCatalogue, "find">;

/** @throws UNKNOWN_KIND, also for a kind about another subject */
export function declarationOf(
  kinds: Kinds,
  { kind, kindVersion }: Pick<AcceptOperationRequest, "kind" | "kindVersion">,
  subject: SubjectKind,
): OperationDeclaration {
  const declaration = kinds.find(kind);
  if (declaration?.versions.includes(kindVersion) !== true || subjectOf(declaration) !== subject)
    throw CellsErrors.UNKNOWN_KIND({ kind, version: kindVersion });
  return declaration;
}

/** Whether the acceptance makes a migration, which needs a number. */
export const makesMigration = (kinds: Kinds, { kind }: Pick<AcceptOperationRequest, "kind">): boolean =>
  kinds.find(kind)?.migration !== undefined;

/** What a declaration decides by. */
export const callOf = (
  server: Server,
  { input }: OperationDeclaration,
  request: Pick<AcceptOperationRequest, "input" | "actor">,
): Acceptable<unknown> => ({
  server,
  input: input.decode(request.input),
  actor: request.actor ?? Actor.fromPartial({}),
});

/**
 * What is known besides when quota is asked for.
 * @param known  the server's migrations that the acceptance speaks of
 * @throws MIGRATION_NOT_FOUND for one that the server does not have
 */
export function withEndedMigration(
  { endsMigration }: OperationDeclaration,
  call: Acceptable<unknown>,
  known: readonly MigrationRecord[],
): Acceptable<unknown> {
  const id = endsMigration?.(call.input);
  if (id === undefined) return call;
  const migration = known.find((one) => one.id === id);
  if (migration === undefined) throw CellsErrors.MIGRATION_NOT_FOUND({ migration: id });
  return { ...call, migration };
}
