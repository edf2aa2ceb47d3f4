import { ConductorServiceDefinition } from "../../gen/kilonova/conductor/v1/conductor_service.js";
import { PlacementServiceDefinition } from "../../gen/kilonova/placement/v1/placement_service.js";
import { buildCells } from "../../pkg/cells/index.js";
import { systemClock, systemIds } from "../../pkg/platform/process/index.js";
import { Pools, joinCluster, runProcess } from "../../pkg/platform/service/index.js";
import { sections } from "./config.js";
import { namedKeys } from "../shared/keys.js";
import { openStores } from "./stores.js";
import { COMPUTE_BINARY } from "../../pkg/model/service-names.js";

await runProcess("cells", sections, async (service) => {
  const { config, log, id } = service;
  const secretKeys = namedKeys("sealing.keys", config.sealing.keys);
  const cluster = await joinCluster(service);
  const conductor = cluster.connect("conductor").client(ConductorServiceDefinition);
  await cluster.serve(
    buildCells({
      ...(await openStores(new Pools(service), config.databases, config.cells)),
      clock: systemClock,
      ids: systemIds,
      log,
      config: config.cells,
      secretKeys,
      sequencerOwner: id,
      placement: cluster.connect("placement").client(PlacementServiceDefinition),
      waker: {
        wake: (ctx, database, name) => {
          // A hint: it outlives the request that gave it, but not for long.
          conductor
            .wakeOperation(
              { ...ctx, signal: service.ctx.signal, deadlineMs: Date.now() + 1_000 },
              { database, name },
            )
            .catch((error: unknown) => log.debug("wake.lost", { name, error }));
        },
      },
      liveness: {
        isAlive: (binary, host) =>
          binary === COMPUTE_BINARY
            ? cluster.hosts.isUp(host)
            : cluster.services.isUp(binary.replace(/^nova-/, ""), host),
      },
    }),
  );
});
