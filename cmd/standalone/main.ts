import { ConfigErrors } from "../../pkg/platform/config/index.js";
import { warnOfFewDescriptors } from "../../pkg/platform/http/index.js";
import { systemClock, systemIds } from "../../pkg/platform/process/index.js";
import { Pools, runProcess } from "../../pkg/platform/service/index.js";
import { keystoneClient } from "../../pkg/clients/keystone/index.js";
import type { ServiceSession } from "../../pkg/clients/keystone/index.js";
import { cagedPrograms } from "../../pkg/compute/index.js";
import { startStandalone } from "../../pkg/standalone/wire.js";
import { computeEvents } from "../shared/compute-events.js";
import { sections } from "./config.js";

await runProcess("standalone", sections, async (service) => {
  const {
    config: { database, standalone, logins, image, volume, rest },
    ctx,
    log,
    lifecycle,
    tracer,
  } = service;
  const { adminPassword: admin, demoPassword: demo, servicePassword: nova } = standalone;
  const unset = Object.entries({ admin, demo, service: nova })
    .filter(([, password]) => !password)
    .map(([name]) => `- standalone.${name}Password: must be set`);
  if (unset.length > 0) throw ConfigErrors.CONFIG_INVALID({ problems: unset.join("\n") });
  warnOfFewDescriptors(
    log,
    Array.from({ length: 4 }, () => rest.maxConnections),
  );
  const pool = await new Pools(service).open("database.url", database.url, database.maxConnections);
  let session: ServiceSession | undefined;
  await lifecycle.start("standalone", async () => {
    const running = await startStandalone(ctx, {
      pool,
      schema: database.schema || "standalone",
      clock: systemClock,
      ids: systemIds,
      random: Math.random,
      log,
      host: standalone.host,
      region: standalone.region,
      ports: {
        identity: standalone.identityPort,
        image: standalone.imagePort,
        network: standalone.networkPort,
      },
      imageDirectory: standalone.imageDir,
      imageLimits: image,
      volume: {
        port: standalone.volumePort,
        directory: standalone.volumeDir,
        programs: await cagedPrograms({
          mode: standalone.volumeIsolation,
          uids: { first: 0, count: 10_000 },
        }),
        limits: volume,
        onVolumeEvents: computeEvents(() => session),
      },
      services: () => [
        { type: "compute", name: "nova", publicUrl: standalone.computeUrl },
        { type: "placement", name: "placement", publicUrl: standalone.placementUrl },
      ],
      seed: {
        passwords: { admin, demo, nova },
        privateCidr: standalone.privateCidr,
        dnsNameservers: standalone.dnsNameservers,
      },
      logins,
      rest,
      startSpan: (name, traceparent, origin) => tracer.start(name, traceparent, {}, "server", origin),
    });
    // As our own service user, through the Identity that runs now.
    ({ session } = keystoneClient({
      authUrl: `${running.urls.identity}/v3`,
      region: standalone.region,
      clock: systemClock,
      random: Math.random,
      credentials: {
        username: "nova",
        userDomainName: "Default",
        password: nova,
        projectName: "service",
        projectDomainName: "Default",
      },
    }));
    return { value: running, stop: (budgetMs) => running.close(budgetMs) };
  });
});
