import { buildConductor } from "../../pkg/conductor/index.js";
import { systemClock } from "../../pkg/platform/process/index.js";
import { joinCluster, runProcess } from "../../pkg/platform/service/index.js";
import { announceBinary } from "../shared/announce.js";
import { openStackClients } from "../shared/openstack.js";
import { sections } from "./config.js";

await runProcess("conductor", sections, async (service) => {
  const { config, log, tracer, id } = service;
  const cluster = await joinCluster(service);
  const { neutron, glance, cinder } = openStackClients(config.identity);
  await cluster.serve(
    buildConductor({
      cells: cluster.connect("cells"),
      scheduler: cluster.connect("scheduler"),
      placement: cluster.connect("placement"),
      connectAgent: (host, address) => cluster.agent(host, address),
      neutron,
      cinder,
      glance,
      clock: systemClock,
      log,
      config: config.conductor,
      owner: id,
      startSpan: (name, traceparent, attributes) => tracer.start(name, traceparent, attributes, "internal"),
    }),
  );
  announceBinary(service, cluster);
});
