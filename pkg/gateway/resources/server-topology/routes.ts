import type { ServerNumaNode } from "../../../../gen/kilonova/api/v1/server_details.js";
import { replyJson } from "../../http/api-request.js";
import type { Json } from "../../http/json.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import type { Field } from "../../view/view.js";
import { View } from "../../view/view.js";
import { noParameters } from "../servers/schemas.js";

const fields: readonly Field<ServerNumaNode, null>[] = [
  { name: "memory_mb", value: (node) => Number(node.memoryMib) },
  { name: "vcpu_set", value: (node) => node.vcpus },
  { name: "siblings", value: (node) => node.siblings.map(({ vcpus }): Json => vcpus) },
  { name: "host_node", hiddenAs: "nodes.host_node", value: (node) => node.hostNode },
  {
    name: "cpu_pinning",
    hiddenAs: "nodes.cpu_pinning",
    value: (node) => Object.fromEntries([...node.cpuPinning].map(([cpu, on]) => [String(cpu), on])),
  },
];

export function serverTopologyRoutes({ servers }: Pick<ApiClients, "servers">): Operation[] {
  const view = new View<ServerNumaNode, null>("node", fields);
  return [
    {
      route: "GET /servers/{id}/topology",
      query: noParameters,
      handle: async (request) => {
        const found = await servers.getServerTopology(request.ctx, { serverId: request.id });
        const shape = view.shape(request.version, found.hiddenFields);
        return replyJson({
          nodes: found.nodes.map((node) => shape.render(node, null)),
          pagesize_kb: found.pageSizeKib === undefined ? null : Number(found.pageSizeKib),
        });
      },
    },
  ];
}
