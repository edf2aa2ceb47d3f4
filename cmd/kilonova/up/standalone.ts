import { join } from "node:path";
import type { Ctx } from "../../../pkg/kernel/index.js";
import { systemClock, systemIds } from "../../../pkg/platform/process/index.js";
import { cagedPrograms } from "../../../pkg/compute/index.js";
import { startStandalone } from "../../../pkg/standalone/wire.js";
import { computeEvents } from "../../shared/compute-events.js";
import type { DemoImage } from "./guest-image.js";
import type { Runtime } from "./runtime.js";
import { schemas } from "./storage.js";

/** Identity, Image, Network and Block Storage for this one machine. */
export async function startEmbeddedServices(
  ctx: Ctx,
  runtime: Runtime,
  images: readonly DemoImage[],
): Promise<void> {
  const { options, config, secrets, pool, log, lifecycle, tracer } = runtime;
  const { ports, home } = options;
  if (!pool) throw new Error("the database is not up");
  await lifecycle.start("standalone", async () => {
    const standalone = await startStandalone(ctx, {
      pool,
      schema: schemas.standalone,
      clock: systemClock,
      ids: systemIds,
      random: Math.random,
      log,
      ports: { identity: ports.identity, image: ports.image, network: ports.network },
      imageDirectory: join(home, "images"),
      imageLimits: config.image,
      volume: {
        port: ports.volume,
        directory: join(home, "volumes"),
        programs: await cagedPrograms({
          // Nothing of a simulation needs a cage, and it runs where there is none.
          mode: options.driver === "fake" ? "best-effort" : config.compute.guestIsolation,
          uids: { first: config.compute.guestUidFirst, count: config.compute.guestUidCount },
        }),
        limits: config.volume,
        onVolumeEvents: computeEvents(() => runtime.clients?.keystone.session),
      },
      services: () => [
        { type: "compute", name: "nova", publicUrl: `http://127.0.0.1:${ports.compute}/v2.1` },
        { type: "placement", name: "placement", publicUrl: `http://127.0.0.1:${ports.placement}` },
        { type: "compute-rpc", name: "kilonova", publicUrl: `http://127.0.0.1:${ports.publicGrpc}` },
      ],
      seed: {
        passwords: {
          admin: secrets.adminPassword,
          demo: secrets.demoPassword,
          nova: secrets.servicePassword,
        },
        images,
      },
      corsOrigins: config.gateway.corsOrigins,
      logins: config.logins,
      rest: config.rest,
      // The clients are opened after this; until then they remember nothing.
      onRightsChange: (change) => runtime.clients?.keystone.forgetTokens(change),
      turns: () => runtime.sharing.gate(),
      startSpan: (name, traceparent, origin) => tracer.start(name, traceparent, {}, "server", origin),
    });
    return { value: standalone, stop: (budgetMs) => standalone.close(Math.min(budgetMs, 2000)) };
  });
}
