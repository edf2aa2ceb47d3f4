import type { Actor } from "../../gen/kilonova/type/v1/actor.js";
import type { Server } from "../../gen/kilonova/cells/v1/server.js";

/** Who locks: the server's own project, or an administrator from elsewhere. */
export const partyOf = ({ projectId }: Pick<Server, "projectId">, actor: Pick<Actor, "projectId">) =>
  actor.projectId === projectId ? ("owner" as const) : ("admin" as const);
