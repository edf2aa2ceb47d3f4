import injectNmi from "../../compute/commands/inject-nmi.js";
import triggerCrashDump from "../../model/operations/trigger-crash-dump.js";
import { defineKind, done } from "../engine/kind.js";
import { agentReports } from "../steps/agent-command.js";
import { agentStep, commandFailed } from "../steps/agent-step.js";
import { hostOf } from "../steps/host-of.js";
import type { KindDeps } from "../kind-factory.js";

/** The server stays in its state, also in ERROR: what the interrupt does depends on the guest. */
export default ({ ports }: KindDeps) =>
  defineKind(triggerCrashDump, {
    steps: [
      {
        ...agentStep(ports, {
          name: "inject-nmi",
          event: "compute_trigger_crash_dump",
          timeoutMs: 120_000,
          command: injectNmi,
          host: hostOf,
          input: () => ({}),
          done: (call, _output, host) => done({}, {}, { host, consumed: agentReports(call) }),
          failed: commandFailed,
        }),
        needs: "inject-nmi",
      },
    ],
    failed: () => ({}),
  });
