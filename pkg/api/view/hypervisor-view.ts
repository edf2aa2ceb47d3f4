import type { ListHypervisorsRequest } from "../../../gen/kilonova/api/v1/hosts_service.js";
import { Hypervisor, HypervisorsView } from "../../../gen/kilonova/api/v1/hosts_service.js";

type View = HypervisorsView;

/** Whether a list shows servers: one view is about them, two show them when asked to. */
export function showsServers({
  view,
  withServers,
}: Pick<ListHypervisorsRequest, "view" | "withServers">): boolean {
  switch (view) {
    case HypervisorsView.HYPERVISORS_VIEW_SERVERS:
      return true;
    case HypervisorsView.HYPERVISORS_VIEW_STATISTICS:
    case HypervisorsView.HYPERVISORS_VIEW_SEARCH:
      return false;
    default:
      return withServers;
  }
}

/** A hypervisor as far as a view tells of it: the rule of one view is no way to what another one shows. */
export function hypervisorIn(view: View, hypervisor: Hypervisor): Hypervisor {
  switch (view) {
    case HypervisorsView.HYPERVISORS_VIEW_BRIEF:
    case HypervisorsView.HYPERVISORS_VIEW_SEARCH:
    case HypervisorsView.HYPERVISORS_VIEW_SERVERS:
      return briefly(hypervisor);
    case HypervisorsView.HYPERVISORS_VIEW_STATISTICS:
      return figuresOf(hypervisor);
    default:
      return hypervisor;
  }
}

/** @returns what `brief` tells, and how long the host has been up */
export const uptimeOf = (hypervisor: Hypervisor): Hypervisor => ({
  ...briefly(hypervisor),
  servers: [],
  uptime: hypervisor.uptime,
});

const briefly = ({ id, number, hypervisorHostname, service, servers }: Hypervisor): Hypervisor =>
  Hypervisor.fromPartial({ id, number, hypervisorHostname, service, servers });

const figuresOf = (hypervisor: Hypervisor): Hypervisor => ({
  ...hypervisor,
  id: "",
  number: 0n,
  hypervisorHostname: "",
  hypervisorType: "",
  hypervisorVersion: 0,
  hostIp: "",
  cpuInfoJson: "",
  service: undefined,
  uptime: undefined,
  servers: [],
});
