import type { Actor } from "../../../kernel/index.js";
import { E } from "../errors.js";
import type { Image } from "./model.js";

/** Administrators, and members (not mere readers) of the project that owns the image. */
export const mayChange = (actor: Actor, image: Image): boolean =>
  actor.roles.includes("admin") ||
  (actor.projectId !== "" && image.owner === actor.projectId && canWrite(actor));

/** Whether the actor's roles allow changes in its own project at all. */
export const canWrite = (actor: Actor): boolean =>
  ["admin", "member", "service"].some((role) => actor.roles.includes(role));

/** @throws FORBIDDEN; the caller has made sure that the actor may see the image */
export function demandChange(actor: Actor, image: Image, action: string): void {
  if (!mayChange(actor, image)) throw E.FORBIDDEN({ action });
}

/**
 * Saying yes or no to a share is a change of the project that it is for: it takes more than reading rights
 * there.
 * @source glance, rule modify_member
 * @throws FORBIDDEN
 */
export function demandAnswer(actor: Actor, memberId: string): void {
  const own = memberId === actor.projectId && canWrite(actor);
  if (!own && !actor.roles.includes("admin")) throw E.FORBIDDEN({ action: "modify_member" });
}
