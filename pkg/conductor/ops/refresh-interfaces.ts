import refreshCommand from "../../compute/commands/refresh-interfaces.js";
import refreshInterfaces from "../../model/operations/refresh-interfaces.js";
import { defineKind, done } from "../engine/kind.js";
import type { StepCall } from "../engine/kind.js";
import type { KindDeps } from "../kind-factory.js";
import { agentReports } from "../steps/agent-command.js";
import { agentStep, commandFailed } from "../steps/agent-step.js";
import { hostOf } from "../steps/host-of.js";
import { portNews, readPorts } from "../steps/read-ports.js";

/** Whether there is anything that the host should know. */
const isNews = ({ outputs }: StepCall): boolean => {
  const { changed, gone } = outputs.get(portNews);
  return changed.length + gone.length > 0;
};

export default ({ ports, factsOf }: KindDeps) => {
  const tell = agentStep(ports, {
    name: "refresh",
    event: "compute_refresh_interfaces",
    timeoutMs: 600_000,
    command: refreshCommand,
    host: hostOf,
    input: ({ server, instance, outputs }) => {
      const { changed, gone } = outputs.get(portNews);
      const { hostname } = server;
      return { hostname, ports: instance.ports.filter(({ portId }) => changed.includes(portId)), gone };
    },
    done: (call, _output, host) =>
      done({}, { removePorts: call.outputs.get(portNews).gone }, { host, consumed: agentReports(call) }),
    failed: commandFailed,
  });
  return defineKind(refreshInterfaces, {
    steps: [
      readPorts({ neutron: ports.neutron, factsOf }),
      { ...tell, run: async (call) => (isNews(call) ? tell.run(call) : done()) },
    ],
    failed: () => ({}),
  });
};
