import { isMadeBy } from "../domain/ports.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { dropShelvedImage } from "./shelved-image.js";
import { removeUnfinishedImages } from "./unfinished-images.js";
import { releaseBootVolumes } from "./release-boot-volumes.js";
import { releaseVolumes } from "./release-volumes.js";
import { releasePorts } from "./release-ports.js";
import { restSignals, untilVictimsRest, victimIds } from "./victim.js";

/**
 * Deletes the ports that came with the server and unbinds those that its user had made; the images that
 * pre-empted operations were just making, and that of its shelving; and lets go of volumes.
 */
export const releaseNetworks = (
  ports: Pick<Ports, "neutron" | "operations" | "images" | "cinder" | "records">,
): Step => ({
  name: "release-networks",
  event: "conductor_release_networks",
  timeoutMs: 600_000,
  async run(call) {
    const waiting = await untilVictimsRest(call, ports);
    if (waiting !== undefined) return waiting;
    const ours = new Set(
      call.instance.ports.filter(({ createdByUs }) => createdByUs).map(({ portId }) => portId),
    );
    const victims = victimIds(call);
    await releasePorts(
      call.ctx,
      ports.neutron,
      call.server.id,
      (port) => ours.has(port.id) || victims.some((victim) => isMadeBy(port, victim)),
    );
    await removeUnfinishedImages(call, ports);
    await dropShelvedImage(call, ports);
    await releaseBootVolumes(call, ports);
    await releaseVolumes(call, ports);
    return done({}, undefined, { consumed: restSignals(call) });
  },
});
