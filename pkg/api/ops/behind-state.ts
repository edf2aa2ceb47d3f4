import { KilonovaError } from "../../kernel/index.js";
import type { ErrorKind } from "../../kernel/index.js";
import { stateRefusal } from "../../model/acceptance.js";
import type { Form, OperationDeclaration } from "../../model/operation-declaration.js";
import type { LoadedServer } from "../cells/servers.js";
import { ApiErrors } from "../errors.js";
import type { Call } from "../rights/rights.js";

/** What the request says by itself, and what the caller may not do at all, is told whatever the server is. */
const FIRST: ReadonlySet<string> = new Set(["INVALID_REQUEST", "FORBIDDEN"]);
const ABOUT_OTHERS: ReadonlySet<ErrorKind> = new Set([
  "invalid",
  "missing",
  "conflict",
  "refused",
  "quota",
  "forbidden",
]);

/** Whether it is about what the request refers to, or about the server as it is. */
export const isAboutOthers = (error: unknown): boolean =>
  error instanceof KilonovaError && ABOUT_OTHERS.has(error.kind) && !FIRST.has(error.reason);

/**
 * Gathers what an operation works with. What is wrong with images, ports and whatever else the request refers
 * to is told only of a server on which the operation could begin: as in Nova, its lock and states come first.
 * They are not asked before, since a repeated call is answered whatever the server is by then.
 * @throws SERVER_NOT_FOUND, INSTANCE_LOCKED, NOT_READY, INVALID_STATE; what `gather` throws
 */
export async function behindState<T>(
  ctx: Call,
  declaration: OperationDeclaration,
  loaded: LoadedServer,
  gather: () => T | Promise<T>,
): Promise<T> {
  try {
    return await gather();
  } catch (error) {
    if (isAboutOthers(error)) requireBeginnable(ctx, declaration, loaded);
    throw error;
  }
}

function requireBeginnable(
  ctx: Call,
  { action, forms }: OperationDeclaration,
  { server }: LoadedServer,
): void {
  if (server.deletedAt !== undefined) throw ApiErrors.SERVER_NOT_FOUND({ server: server.id });
  // Which one it would be, only the request tells; what refuses it is told by the one that the state fits.
  const all = Object.values<Form>(forms);
  const refusals = all.map((form) => stateRefusal(server, form, ctx.rights.isAdmin));
  const fitting = all.findIndex(({ vmStates }) => vmStates?.includes(server.vmState) ?? true);
  const refusal = refusals[Math.max(fitting, 0)];
  if (refusal === undefined || refusals.includes(undefined)) return;
  if (refusal.reason === "INVALID_STATE") {
    const { attr, state } = refusal;
    throw ApiErrors.INVALID_STATE({ server: server.id, method: action, attr, state });
  }
  throw ApiErrors[refusal.reason]({ server: server.id });
}
