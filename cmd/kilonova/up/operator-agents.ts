import { AgentServiceDefinition } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { Client, ServiceBinding } from "../../../pkg/platform/rpc/index.js";
import { bindService } from "../../../pkg/platform/rpc/index.js";
import { agentAddress } from "./hosts.js";
import type { Runtime } from "./runtime.js";

const { getHost, scriptFakeDriver } = AgentServiceDefinition.methods;
const ForOperators = { ...AgentServiceDefinition, methods: { getHost, scriptFakeDriver } };

/**
 * What operators may ask of agents. Agents are many and the operator's socket is one: each call goes on to
 * the host that it names; no name is enough where there is only one host. Commands to guests are not among
 * it: they belong to operations.
 */
export function agentsForOperators({
  network,
  options: { hosts },
}: Pick<Runtime, "network" | "options">): ServiceBinding {
  const agentOf = (host: string): Client<typeof ForOperators> =>
    network
      .connect(agentAddress(host === "" && hosts[0] !== undefined && hosts.length === 1 ? hosts[0] : host), {
        service: "operator",
        host: "",
      })
      .client(ForOperators);
  return bindService(ForOperators, {
    getHost: (ctx, request) => agentOf(request.host).getHost(ctx, request),
    scriptFakeDriver: (ctx, request) => agentOf(request.host).scriptFakeDriver(ctx, request),
  });
}
