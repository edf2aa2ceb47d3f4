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

/**
 * Whether the actor may. Administrators may everything, readers of the system may read everything, everybody
 * may read their own project, domain and user and change what is their own; services may validate tokens.
 * @source keystone's default policies, narrowed to the personas used here (no domain managers)
 */
export function may(actor: Actor, action: IdentityAction): boolean {
  if (actor.roles.includes("admin")) return true;
  const readsAll = actor.systemScope && actor.roles.includes("reader");
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
      return readsAll || actor.roles.includes("service") || actor.userId === action.userId;
  }
}
