import type { Actor } from "../../../kernel/index.js";
import { E } from "../errors.js";

/** May see and set everything: administrators and the cloud's own services. */
export const isTrusted = (actor: Actor): boolean =>
  actor.roles.includes("admin") || actor.roles.includes("service");

const canWrite = (actor: Actor): boolean => isTrusted(actor) || actor.roles.includes("member");

/** @throws POLICY_NOT_AUTHORIZED unless the actor is an administrator or a service */
export function demandTrust(actor: Actor, action: string): void {
  if (!isTrusted(actor)) throw E.POLICY_NOT_AUTHORIZED({ action });
}

/** @throws POLICY_NOT_AUTHORIZED for mere readers */
function demandWrite(actor: Actor, action: string): void {
  if (!canWrite(actor)) throw E.POLICY_NOT_AUTHORIZED({ action });
}

/** Changing a thing that the actor can see takes owning it. @throws POLICY_NOT_AUTHORIZED */
export function demandOwner(actor: Actor, owner: string, action: string): void {
  demandWrite(actor, action);
  if (!isTrusted(actor) && actor.projectId !== owner) throw E.POLICY_NOT_AUTHORIZED({ action });
}

/**
 * Whose a new thing will be: the actor's own project, or for trusted ones whichever they name.
 * @throws POLICY_NOT_AUTHORIZED, INVALID_INPUT when there is no project at all
 */
export function ownerFor(
  actor: Actor,
  wish: { readonly project_id?: string | undefined; readonly tenant_id?: string | undefined },
  action: string,
): string {
  demandWrite(actor, action);
  const owner = wish.project_id ?? wish.tenant_id ?? actor.projectId;
  if (owner !== actor.projectId) demandTrust(actor, `${action}:tenant_id`);
  return owner;
}
