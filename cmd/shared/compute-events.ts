import { serviceCaller } from "../../pkg/clients/keystone/index.js";
import type { ServiceSession } from "../../pkg/clients/keystone/index.js";
import type { Ctx } from "../../pkg/kernel/index.js";
import { httpClient } from "../../pkg/platform/http/index.js";
import { systemClock } from "../../pkg/platform/process/index.js";
import type { VolumeEvent } from "../../pkg/standalone/volume/index.js";

/** In which `volume-reimaged` came; `volume-extended` is older. */
const MICROVERSION = "2.93";

/**
 * Tells Compute what happened to volumes of its servers, as Block Storage does: by its external events.
 * @param session  asked at each use; undefined while nobody can be told
 */
export function computeEvents(
  session: () => ServiceSession | undefined,
): (ctx: Ctx, events: readonly VolumeEvent[]) => Promise<void> {
  const http = httpClient({ what: "The Compute service", clock: systemClock, random: Math.random });
  return async (ctx, events) => {
    const found = session();
    if (!found) throw new Error("the clients are not open yet");
    const answer = await serviceCaller(http, found, "compute", /$^/).call(ctx, {
      method: "POST",
      path: "/os-server-external-events",
      headers: { "OpenStack-API-Version": `compute ${MICROVERSION}` },
      json: {
        events: events.map(({ name, serverUuid, volumeId }) => ({
          name,
          server_uuid: serverUuid,
          tag: volumeId,
          status: "completed",
        })),
      },
    });
    // 207: some server is gone, or on no host; that is its own affair.
    if (answer.status !== 200 && answer.status !== 207)
      throw new Error(`Compute answered ${answer.status} to events of volumes`);
  };
}
