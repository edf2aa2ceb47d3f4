import type { ServerFilter } from "../../../gen/kilonova/api/v1/servers_service.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { ApiErrors } from "../errors.js";

/** Filters that would tell tenants about hosts or deleted servers. */
const ALWAYS_PRIVILEGED = ["host", "node", "deleted"] as const;

/** Who lists. */
export interface FilterRights {
  readonly allFilters: boolean;
  readonly admin: boolean;
  /** Drop what needs a right instead of refusing. */
  readonly dropSilently: boolean;
  /** More paths that need the right to all filters. */
  readonly privileged: readonly string[];
}

/**
 * The filter that is really applied.
 * @param refuse  called for a filter that needs a right which the caller lacks
 * @throws NOT_AUTHORIZED for deleted servers of others than administrators
 */
export function effectiveFilter(filter: ServerFilter, rights: FilterRights, refuse: () => never): ServerFilter {
  const kept = rights.allFilters ? filter : withoutPrivileged(filter, rights, refuse);
  if (!kept.vmStates.includes(VmState.VM_STATE_DELETED)) return kept;
  if (!rights.admin) throw ApiErrors.NOT_AUTHORIZED({ what: "Only administrators may list deleted instances" });
  const others = kept.vmStates.filter((state) => state !== VmState.VM_STATE_DELETED);
  return others.length > 0 ? { ...kept, vmStates: others } : { ...kept, vmStates: [], deleted: true };
}

function withoutPrivileged(filter: ServerFilter, { dropSilently, privileged }: FilterRights, refuse: () => never): ServerFilter {
  const entries: Record<string, unknown> = { ...filter };
  for (const path of new Set<string>([...ALWAYS_PRIVILEGED, ...privileged])) {
    const key = path.replace(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
    const value = entries[key];
    if (value === undefined || value === "" || (Array.isArray(value) && value.length === 0)) continue;
    if (!dropSilently) refuse();
    entries[key] = typeof value === "string" ? "" : Array.isArray(value) ? [] : undefined;
  }
  return entries as unknown as ServerFilter;
}
