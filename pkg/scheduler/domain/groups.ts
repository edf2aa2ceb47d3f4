import type { HostView } from "./host-view.js";
import type { GroupSpec } from "./request-spec.js";

/** How many members of a group are on a host. */
export function membersOn(host: HostView, group: GroupSpec): number {
  // Walk the smaller side: groups are small, hosts may be full, or the other way round.
  if (group.members.size <= host.instances.size)
    return [...group.members].filter((id) => host.instances.has(id)).length;
  return [...host.instances.keys()].filter((id) => group.members.has(id)).length;
}
