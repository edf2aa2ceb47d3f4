import type { Actor } from "../../../kernel/index.js";

/** What somebody may do with Identity. `target` is the id of what it is done to. */
export type IdentityAction =
  | { readonly do: "write" }
  | { readonly do: "read" }
  | { readonly do: "read-project"; readonly projectId: string }
  | { readonly do: "read-domain"; readonly domainId: string }
  | { readonly do: "own"; readonly userId: string }
  | { readonly do: "read-own"; readonly userId: string }
  | { readonly do: "use-token"; readonly userId: string };

/** Roles that count in the whole cloud wherever they are held, so nobody below it may give them. */
const CLOUD_ROLES: readonly string[] = ["admin", "service"];

const isDomainScoped = (actor: Actor): boolean =>
  actor.projectId === "" && !actor.systemScope && actor.domainId !== "";

/** Whether the actor administers its domain, and nothing else. */
export const isDomainAdmin = (actor: Actor): boolean =>
  isDomainScoped(actor) && actor.roles.includes("admin");

/**
 * Whether the actor may, wherever the target lies. Administrators may everything, readers of the system may
 * read everything, everybody may read their own project, domain and user and change what is their own;
 * services may validate tokens. Roles in a domain count for what lies in it only: see `administers`.
 * @source keystone's default policies, narrowed to the personas used here (no domain managers)
 */
export function may(actor: Actor, action: IdentityAction): boolean {
  const roles = isDomainScoped(actor) ? [] : actor.roles;
  if (roles.includes("admin")) return true;
  const readsAll = actor.systemScope && roles.includes("reader");
  switch (action.do) {
    case "write":
      return false;
    case "read":
      return readsAll;
    case "read-project":
      return readsAll || actor.projectId === action.projectId;
    case "read-domain":
      return readsAll || actor.domainId === action.domainId;
    case "read-own":
      return readsAll || actor.userId === action.userId;
    case "own":
      return actor.userId === action.userId;
    case "use-token":
      return readsAll || roles.includes("service") || actor.userId === action.userId;
  }
}

/**
 * Whether the actor administers this domain, and by that its users and projects. Something that is not there
 * lies in no domain.
 */
export const administers = (actor: Actor, domainId: string | undefined): boolean =>
  isDomainAdmin(actor) && domainId !== undefined && actor.domainId === domainId;

/** Whether a role has, by itself or by what it implies, a role that counts in the whole cloud. */
export function countsInCloud(
  roleId: string,
  names: ReadonlyMap<string, string>,
  implications: readonly (readonly [prior: string, implied: string])[],
): boolean {
  const seen = new Set<string>();
  const reach = (id: string): boolean => {
    if (seen.has(id)) return false;
    seen.add(id);
    return (
      CLOUD_ROLES.includes(names.get(id) ?? "") ||
      implications.some(([prior, implied]) => prior === id && reach(implied))
    );
  };
  return reach(roleId);
}
