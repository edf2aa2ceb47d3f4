import { createHash } from "node:crypto";

/**
 * A stable UUID for a host's hypervisor, so that a host that is registered anew finds its resource provider
 * again. Made here: an agent that chose it could name another host's.
 */
export function computeNodeId(host: string, hypervisorHostname: string): string {
  const hex = createHash("sha256")
    .update(`kilonova compute node\0${host}\0${hypervisorHostname}`)
    .digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
