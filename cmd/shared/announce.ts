import { HostsServiceDefinition } from "../../gen/kilonova/cells/v1/hosts_service.js";
import type { Cluster, ServiceProcess } from "../../pkg/platform/service/index.js";
import { CELL0 } from "../../pkg/model/database-names.js";

/**
 * Shows a control service in operators' list of services (`nova-conductor` on this machine); tried until it
 * works.
 */
export function announceBinary(
  { name, host, tasks }: Pick<ServiceProcess, "name" | "host" | "tasks">,
  cluster: Cluster,
): void {
  const cells = cluster.connect("cells").client(HostsServiceDefinition);
  tasks.task("announce", async (ctx) => {
    await cells.registerService(
      { ...ctx, deadlineMs: Date.now() + 10_000 },
      // Services without hosts are listed in the cell that always exists.
      { cell: CELL0, service: { binary: `nova-${name}`, host, availabilityZone: "internal", address: "" } },
    );
  });
}
