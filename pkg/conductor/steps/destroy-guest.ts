import type { MigrationRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import destroyGuestThere from "../../compute/commands/destroy-guest.js";
import { done } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import { Outputs } from "../engine/outputs.js";
import type { HostRef, Ports } from "../ports.js";
import { sendCommand } from "./agent-command.js";
import { claimedHost, selectedHosts } from "./destinations.js";
import { hostOf } from "./host-of.js";
import { insist } from "./insist.js";
import { unclearedMoves } from "./moves.js";
import { victimsOf } from "./victim.js";
import { orNone } from "../../model/presence.js";

/**
 * Hosts where the server's guest may be: its record's, those that pre-empted operations had chosen, and both
 * ends of moves that nobody has confirmed or reverted.
 */
export function hostsTouched(
  call: Pick<StepCall, "server" | "database" | "operation">,
  moves: readonly MigrationRecord[] = [],
): HostRef[] {
  const names = new Map<string, HostRef>();
  const add = (cell: string, host: string): void => {
    if (host !== "") names.set(`${cell}/${host}`, { cell, host });
  };
  add(orNone(call.server.hostInfo?.cell) ?? call.database, hostOf(call));
  for (const { steps } of victimsOf(call)) {
    const victim = new Outputs(steps);
    // Alternates that were never claimed were never told to build anything.
    for (const { host } of victim.all(claimedHost)) add(host.cell, host.host);
    for (const { hosts } of victim.all(selectedHosts))
      if (hosts[0] !== undefined) add(hosts[0].cell, hosts[0].host);
  }
  for (const { source, target } of moves)
    for (const end of [source, target])
      if (end !== undefined) add(end.cell === "" ? call.database : end.cell, end.host);
  return [...names.values()];
}

/**
 * Removes the guest wherever it may be. Higher fences than its victim's make sure that nothing comes to life
 * later.
 */
export const destroyGuest = (ports: Ports): Step => ({
  name: "destroy-guest",
  event: "compute_terminate_instance",
  taskState: "deleting",
  timeoutMs: 600_000,
  async run(call) {
    const hosts = hostsTouched(call, await unclearedMoves(call, ports));
    const removed = await Promise.all(
      hosts.map((host) =>
        insist(call, ports, host, async () => {
          const commandId = `${call.stepId}/${host.host}`;
          return (await sendCommand(call, ports, host, destroyGuestThere, {}, { commandId })).result;
        }),
      ),
    );
    return done(
      { hosts: hosts.map(({ host }) => host), removed: removed.filter(Boolean).length },
      undefined,
      { host: hosts[0]?.host ?? "" },
    );
  },
});
