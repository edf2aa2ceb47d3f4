import type { Actor } from "../../pkg/kernel/index.js";
import { anonymous } from "../../pkg/kernel/index.js";

/** Roles with what they imply written out, as tokens have them. */
const ROLES: Readonly<Record<string, readonly string[]>> = {
  none: [],
  reader: ["reader"],
  member: ["member", "reader"],
  manager: ["manager", "member", "reader"],
  admin: ["admin", "manager", "member", "reader"],
  service: ["service"],
};
const inProject = (projectId: string, userId: string): Readonly<Record<string, Actor>> =>
  Object.fromEntries(
    Object.entries(ROLES).map(([role, roles]) => [
      `${role}-of-${projectId}`,
      { ...anonymous, kind: "user", userId, projectId, roles },
    ]),
  );
const beyond = (
  scope: string,
  init: Partial<Actor>,
  roles: readonly string[],
): Readonly<Record<string, Actor>> =>
  Object.fromEntries(
    roles.map((role) => [
      `${role}-of-${scope}`,
      { ...anonymous, kind: "user", userId: "u9", roles: ROLES[role] ?? [], ...init },
    ]),
  );

/** Everybody who walks: what is walked on belongs to p1 and u1. The names double as tokens. */
export const callers: Readonly<Record<string, Actor>> = {
  ...inProject("p1", "u1"),
  ...inProject("p2", "u2"),
  ...beyond("system", { systemScope: true }, Object.keys(ROLES)),
  ...beyond("domain", { domainId: "default" }, ["admin", "service"]),
  ...beyond("nothing", {}, ["none"]),
};

/** Somebody whom every rule lets pass, and somebody whom none does but those for everybody. */
export const MASTER = "admin-of-p1";
export const NOBODY = "none-of-p1";

export function caller(name: string): Actor {
  const actor = callers[name];
  if (actor === undefined) throw new Error(`nobody is called ${name}`);
  return actor;
}
