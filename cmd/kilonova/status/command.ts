import { Command } from "commander";
import { HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { GlobalServiceDefinition } from "../../../gen/kilonova/cells/v1/global_service.js";
import { isolationLines } from "../../../pkg/compute/index.js";
import { asOperator } from "../operator-socket.js";
import { printTable } from "../table.js";
import { COMPUTE_BINARY } from "../../../pkg/model/service-names.js";

/** `kilonova status`: the hosts and services of every cell at a glance. */
export function statusCommand(): Command {
  return new Command("status")
    .description("hosts and services of a running cloud")
    .option("--home <dir>", "state directory of the cloud")
    .action((o: { home?: string }) =>
      asOperator(o.home, async (ctx, channel) => {
        const { cells } = await channel.client(GlobalServiceDefinition).listCells(ctx, {});
        const rows: string[][] = [];
        const told: { readonly host: string; readonly text: string }[] = [];
        for (const cell of cells) {
          const { services, nodes } = await channel
            .client(HostsServiceDefinition)
            .listHosts(ctx, { cell: cell.name });
          for (const s of services) {
            const node = s.binary === COMPUTE_BINARY ? nodes.find((n) => n.host === s.host) : undefined;
            if (node && s.up) told.push({ host: s.host, text: node.guestIsolation });
            rows.push([
              cell.name,
              s.host,
              s.binary,
              s.up ? "up" : "down",
              s.disabled ? "disabled" : "enabled",
              node
                ? `${node.runningServers} servers, ${node.vcpusUsed}/${node.vcpus} vCPUs, ${node.memoryMibUsed}/${node.memoryMib} MiB`
                : "",
            ]);
          }
        }
        printTable(["CELL", "HOST", "SERVICE", "STATE", "STATUS", "USE"], rows);
        for (const line of isolationLines(told)) process.stdout.write(`\n${line}\n`);
      }),
    );
}
