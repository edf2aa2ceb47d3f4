import { parseOperationName } from "../../model/operation-name.js";
import bootServer from "../../model/operations/boot-server.js";
import { isVolume } from "../../model/boot-devices.js";
import type { StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { endAttachments } from "./attachments.js";
import { removeMadeVolumes } from "./boot-volumes.js";
import { victimsOf } from "./victim.js";
import { devicesOf } from "./volume-devices.js";

/**
 * Takes back what a pre-empted boot has made: attachments, and the volumes that are not in the record. Those
 * that are go or stay as the user has said. The boot's own steps have come to rest.
 */
export async function releaseBootVolumes(
  call: StepCall,
  ports: Pick<Ports, "cinder" | "records">,
): Promise<void> {
  const boot = victimsOf(call).find(({ kind }) => kind === bootServer.kind);
  if (boot === undefined || call.instance.spec?.blockDevices.some(isVolume) !== true) return;
  await endAttachments(call, ports);
  const keeps = new Set((await devicesOf(call, ports)).map(({ volumeId }) => volumeId));
  const operationId = parseOperationName(boot.name)?.operationId ?? "";
  await removeMadeVolumes(call, ports.cinder, { operationId, keeps });
}
