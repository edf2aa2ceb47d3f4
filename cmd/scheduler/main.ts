import { systemClock } from "../../pkg/platform/process/index.js";
import { joinCluster, runProcess } from "../../pkg/platform/service/index.js";
import { buildScheduler } from "../../pkg/scheduler/index.js";
import { announceBinary } from "../shared/announce.js";
import { sections } from "./config.js";

await runProcess("scheduler", sections, async (service) => {
  const cluster = await joinCluster(service);
  await cluster.serve(
    buildScheduler({
      placement: cluster.connect("placement"),
      cells: cluster.connect("cells"),
      liveness: cluster.hosts,
      clock: systemClock,
      config: service.config.scheduler,
    }),
  );
  announceBinary(service, cluster);
});
