import type { Actor } from "../../kernel/index.js";

/** Whom a request counts for; undefined for our own services. */
export function keyOf(actor: Actor): string | undefined {
  if (actor.kind !== "user" || actor.roles.includes("service")) return undefined;
  return actor.projectId || `user ${actor.userId}`;
}
