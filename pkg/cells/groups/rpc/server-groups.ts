import type { ServerGroupStoreServiceDefinition } from "../../../../gen/kilonova/cells/v1/server_groups_service.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import type { StoreDeps } from "../../store/deps.js";
import type { DefaultLimits } from "../../quota/store/quota.js";
import {
  createServerGroup,
  deleteServerGroup,
  getServerGroup,
  listServerGroups,
  placeMember,
} from "../store/server-groups.js";
import type { Store } from "../../store/tables.js";

/** Serves server groups from the global database. */
export const serverGroupHandlers = (
  global: Store,
  deps: StoreDeps,
  defaultLimits: DefaultLimits,
): Handlers<ServerGroupStoreServiceDefinition> => ({
  createStoredServerGroup: (ctx, request) => createServerGroup(global, deps, ctx, request, defaultLimits),
  getStoredServerGroup: (ctx, { serverGroupId, projectId }) =>
    getServerGroup(global, ctx, serverGroupId, projectId),
  listStoredServerGroups: (ctx, request) => listServerGroups(global, ctx, request),
  deleteStoredServerGroup: async (ctx, { serverGroupId, projectId }) => {
    await deleteServerGroup(global, ctx, serverGroupId, projectId);
    return {};
  },
  placeGroupMember: async (ctx, request) => {
    await placeMember(global, ctx, request);
    return {};
  },
});
