import type {
  GetServerTopologyRequest,
  GetServerTopologyResponse,
  ServerNumaNode,
} from "../../../gen/kilonova/api/v1/server_details.js";
import type { NumaNode } from "../../../gen/kilonova/type/v1/server.js";
import type { Parts } from "../parts.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { id } from "../shape/common.js";

/** What says where on the host the guest is. */
const HOST_FIELDS = ["nodes.host_node", "nodes.cpu_pinning"];

/** Reads on which NUMA nodes a guest lies: none for one that did not ask for a topology. */
export const getServerTopology = (
  parts: Parts,
): Guarded<GetServerTopologyRequest, GetServerTopologyResponse> =>
  guarded({ serverId: id }, parts.servers.about(), async (ctx, _request, { server: { numaTopology } }) => {
    const hosts = ctx.rights.allows("compute:server:topology:host:index");
    return {
      nodes: (numaTopology?.nodes ?? []).map((node) => present(node, hosts)),
      pageSizeKib: numaTopology?.pageSizeKib,
      hiddenFields: hosts ? [] : [...HOST_FIELDS],
    };
  });

const present = (node: NumaNode, hosts: boolean): ServerNumaNode => ({
  memoryMib: node.memoryMib,
  vcpus: node.vcpus,
  siblings: node.siblings.map(({ cpus }) => ({ vcpus: cpus })),
  hostNode: hosts ? node.hostNode : undefined,
  cpuPinning: hosts ? node.cpuPinning : new Map(),
});
