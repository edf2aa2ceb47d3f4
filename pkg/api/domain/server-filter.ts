import type { ServerFilter } from "../../../gen/kilonova/api/v1/servers_service.js";
import { ServerText } from "../../../gen/kilonova/api/v1/servers_service.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { ApiErrors } from "../errors.js";

/** Who lists. */
export interface FilterRights {
  readonly allFilters: boolean;
  readonly admin: boolean;
  /** Drop what needs a right instead of refusing. */
  readonly dropSilently: boolean;
}

/**
 * The filter that is really applied: host, node and deleted need a right, as they would tell tenants about
 * hosts or deleted servers.
 * @param refuse  called for a filter that needs a right which the caller lacks
 * @throws NOT_AUTHORIZED for deleted servers of others than administrators
 */
export function effectiveFilter(
  filter: ServerFilter,
  rights: FilterRights,
  refuse: () => never,
): ServerFilter {
  const kept = rights.allFilters ? filter : withoutPrivileged(filter, rights, refuse);
  if (!kept.vmStates.includes(VmState.VM_STATE_DELETED)) return kept;
  if (!rights.admin)
    throw ApiErrors.NOT_AUTHORIZED({ what: "Only administrators may list deleted instances" });
  const others = kept.vmStates.filter((state) => state !== VmState.VM_STATE_DELETED);
  return others.length > 0
    ? { ...kept, vmStates: others }
    : { ...kept, vmStates: [], deleted: true, softDeleted: false };
}

/** What `host_info` shows, and policy hides from tenants. */
const PRIVILEGED: ReadonlySet<ServerText> = new Set([
  ServerText.SERVER_TEXT_NODE,
  ServerText.SERVER_TEXT_KERNEL_ID,
  ServerText.SERVER_TEXT_RAMDISK_ID,
  ServerText.SERVER_TEXT_ROOT_DEVICE_NAME,
]);

function withoutPrivileged(
  filter: ServerFilter,
  { dropSilently }: FilterRights,
  refuse: () => never,
): ServerFilter {
  const textMatches = filter.textMatches.filter(({ field }) => !PRIVILEGED.has(field));
  const privileged =
    filter.host !== undefined ||
    filter.node !== undefined ||
    filter.deleted !== undefined ||
    textMatches.length < filter.textMatches.length;
  if (privileged && !dropSilently) refuse();
  return { ...filter, host: undefined, node: undefined, deleted: undefined, textMatches };
}
