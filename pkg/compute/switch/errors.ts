import { defineErrors } from "../../kernel/index.js";

/** What can go wrong with the agent's switch. */
export const SwitchErrors = defineErrors("switch", {
  PORT_INVALID: [
    "invalid",
    (p: { portId: string; problem: string }) => `port ${p.portId} cannot be set: ${p.problem}`,
  ],
  CONFIG_INVALID: ["invalid", (p: { problem: string }) => `the switch cannot take this: ${p.problem}`],
  TUNNEL_UNAVAILABLE: [
    "unavailable",
    (p: { address: string; port: number; problem: string }) =>
      `cannot listen for tunnels on ${p.address}:${p.port}: ${p.problem}`,
  ],
  SWITCH_GONE: ["unavailable", (p: { doing: string }) => `the switch stopped during ${p.doing}`],
});
