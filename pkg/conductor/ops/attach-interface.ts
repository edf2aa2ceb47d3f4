import attachCommand from "../../compute/commands/attach-interface.js";
import attachInterface from "../../model/operations/attach-interface.js";
import { defineKind, done } from "../engine/kind.js";
import type { KindDeps } from "../kind-factory.js";
import { agentReports } from "../steps/agent-command.js";
import { agentStep, commandFailed } from "../steps/agent-step.js";
import { hostOf } from "../steps/host-of.js";
import { bindPort, boundPort, decodedPort } from "../steps/bind-port.js";

export default ({ ports, factsOf }: KindDeps) =>
  defineKind(attachInterface, {
    steps: [
      bindPort({ neutron: ports.neutron, factsOf }),
      {
        ...agentStep(ports, {
          name: "attach",
          event: "compute_attach_interface",
          timeoutMs: 300_000,
          command: attachCommand,
          host: hostOf,
          input: ({ server, outputs }) => ({
            hostname: server.hostname,
            port: decodedPort(outputs.get(boundPort)),
          }),
          done: (call, _output, host) =>
            done(
              {},
              { putPorts: [decodedPort(call.outputs.get(boundPort))] },
              { host, consumed: agentReports(call) },
            ),
          failed: commandFailed,
        }),
        needs: "attach-interface",
      },
    ],
    failed: () => ({}),
  });
