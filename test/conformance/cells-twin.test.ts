import { defaultLimitsOf, cellsConfig } from "../../pkg/cells/config.js";
import { CellsTwin } from "../../pkg/cells/testing/twin/twin.js";
import { silentLogger } from "../../pkg/kernel/index.js";
import { LocalNetwork } from "../../pkg/platform/rpc/index.js";
import { Metrics, noTracer } from "../../pkg/platform/telemetry/index.js";
import { cellsConformance } from "./cells/suite.js";
import { KINDS, LIMITS } from "./cells/world.js";

cellsConformance("the twin in memory", async () => {
  const twin = new CellsTwin({
    cells: ["cell1"],
    operations: KINDS,
    limits: defaultLimitsOf(cellsConfig.parse(LIMITS)),
    reclaimIntervalS: LIMITS.reclaimInstanceIntervalS,
  });
  const network = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() });
  network.listen("cells", twin.bindings);
  let lives = 0;
  return {
    as: (service, host = "") => network.connect("cells", { service, host, cell: "cell1" }),
    put: async (database, server, ports = []) => {
      twin.put(database, server, { ports: [...ports] });
    },
    compact: async (database) => twin.feed(database).compact(twin.feed(database).revision),
    renew: async (database) => {
      twin.feed(database).incarnation = `another-life-${++lives}`;
    },
    alive: twin.alive,
    close: async () => {},
  };
});
