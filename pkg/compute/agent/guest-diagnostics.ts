import { GetServerDiagnosticsResponse } from "../../../gen/kilonova/api/v1/server_details.js";
import type { NicDiagnostics as NicMessage } from "../../../gen/kilonova/api/v1/server_details.js";
import type { GetGuestDiagnosticsResponse } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import type { Ctx } from "../../kernel/index.js";
import { asKilonovaError } from "../../kernel/index.js";
import type { Driver } from "../driver.js";
import { AgentErrors } from "../errors.js";
import type { GuestDiagnostics, NicDiagnostics } from "../guest-diagnostics.js";
import type { Plumbing, PortStats } from "./ports.js";
import { powerStateOf } from "./power-states.js";

/**
 * What hypervisor and switch know of a guest together; of one that does not run nothing but its power state.
 * @throws CAPABILITY_MISSING
 */
export async function guestDiagnostics(
  ctx: Ctx,
  driver: Driver,
  plumbing: Pick<Plumbing, "stats">,
  serverId: string,
): Promise<GetGuestDiagnosticsResponse> {
  if (!driver.diagnostics) throw AgentErrors.CAPABILITY_MISSING({ capability: "diagnostics" });
  const power = powerStateOf[(await driver.inspect(ctx, serverId))?.powerState ?? "NOSTATE"];
  if (power !== PowerState.POWER_STATE_RUNNING) return { powerState: power, diagnostics: undefined };
  try {
    const [known, traffic] = await Promise.all([
      driver.diagnostics(ctx, serverId),
      plumbing.stats(ctx, serverId),
    ]);
    return { powerState: power, diagnostics: toMessage(power, known, traffic) };
  } catch (error) {
    // It ended between the two questions.
    if (asKilonovaError(error).reason !== "GUEST_NOT_RUNNING") throw error;
    return { powerState: PowerState.POWER_STATE_SHUTDOWN, diagnostics: undefined };
  }
}

function toMessage(
  powerState: PowerState,
  known: GuestDiagnostics,
  traffic: readonly PortStats[],
): GetServerDiagnosticsResponse {
  const counted = new Map(traffic.map((port) => [port.portId, port]));
  return GetServerDiagnosticsResponse.fromPartial({
    powerState,
    driver: known.driver,
    hypervisor: known.hypervisor,
    hypervisorOs: known.hypervisorOs,
    uptimeSeconds: large(known.uptimeSeconds),
    configDrive: known.configDrive,
    cpus: known.cpus.map(({ id, timeNs, ...cpu }) => ({ ...cpu, id: small(id), timeNs: large(timeNs) })),
    nics: known.nics.map((nic) => toNic(nic, counted.get(nic.portId))),
    disks: known.disks.map((disk) => ({
      readBytes: large(disk.readBytes),
      readRequests: large(disk.readRequests),
      writeBytes: large(disk.writeBytes),
      writeRequests: large(disk.writeRequests),
      errors: large(disk.errors),
    })),
    memoryMaximumMib: large(known.memoryMaximumMib),
    memoryUsedMib: large(known.memoryUsedMib),
  });
}

/** The hypervisor's own word counts where it has one; errors are told by nobody else. */
const toNic = (nic: NicDiagnostics, port: PortStats | undefined): Partial<NicMessage> => ({
  macAddress: nic.macAddress,
  rxBytes: large(nic.rxBytes ?? port?.rxBytes),
  rxErrors: large(nic.rxErrors),
  rxDropped: large(nic.rxDropped ?? port?.rxDrops),
  rxPackets: large(nic.rxPackets ?? port?.rxPackets),
  txBytes: large(nic.txBytes ?? port?.txBytes),
  txErrors: large(nic.txErrors),
  txDropped: large(nic.txDropped ?? port?.txDrops),
  txPackets: large(nic.txPackets ?? port?.txPackets),
});

/** As fields of 32 bits have it. */
const small = (index: number): number | undefined =>
  Number.isInteger(index) && index >= 0 && index < 2 ** 32 ? index : undefined;

/** As fields of 64 bits have it. What is no count, whatever a guest's process makes of it, is not known. */
const large = (count = Number.NaN): bigint | undefined =>
  count >= 0 && count < 2 ** 63 ? BigInt(Math.floor(count)) : undefined;
