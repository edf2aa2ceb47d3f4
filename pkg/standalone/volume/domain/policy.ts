import type { Actor } from "../../../kernel/index.js";
import { E } from "../errors.js";

/** Sees all projects' volumes: Cinder's `context_is_admin`. */
export const isAdmin = (actor: Actor): boolean => actor.roles.includes("admin");

/** @throws FORBIDDEN for mere readers */
export function demandWrite(actor: Actor, action: string): void {
  if (!["admin", "member", "service"].some((role) => actor.roles.includes(role)))
    throw E.FORBIDDEN({ action });
}

/** @throws FORBIDDEN */
export function demandAdmin(actor: Actor, action: string): void {
  if (!isAdmin(actor)) throw E.FORBIDDEN({ action });
}
