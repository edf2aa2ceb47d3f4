import { Command } from "commander";
import { AgentServiceDefinition } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { GlobalServiceDefinition } from "../../../gen/kilonova/cells/v1/global_service.js";
import type { Ctx } from "../../../pkg/kernel/index.js";
import { mapLimit } from "../../../pkg/kernel/index.js";
import type { Channel } from "../../../pkg/platform/rpc/index.js";
import { isolationLines } from "../../../pkg/compute/index.js";
import { asOperator } from "../operator-socket.js";
import { printTable } from "../table.js";

/** `kilonova status`: the hosts and services of every cell at a glance. */
export function statusCommand(): Command {
  return new Command("status")
    .description("hosts and services of a running cloud")
    .option("--home <dir>", "state directory of the cloud")
    .action((o: { home?: string }) =>
      asOperator(o.home, async (ctx, channel) => {
        const { cells } = await channel.client(GlobalServiceDefinition).listCells(ctx, {});
        const rows: string[][] = [];
        const hosts: string[] = [];
        for (const cell of cells) {
          const { services, nodes } = await channel
            .client(HostsServiceDefinition)
            .listHosts(ctx, { cell: cell.name });
          for (const s of services) {
            if (s.binary === "nova-compute" && s.up) hosts.push(s.host);
            const node = nodes.find((n) => n.host === s.host);
            rows.push([
              cell.name,
              s.host,
              s.binary,
              s.up ? "up" : "down",
              s.disabled ? "disabled" : "enabled",
              node && s.binary === "nova-compute"
                ? `${node.runningServers} servers, ${node.vcpusUsed}/${node.vcpus} vCPUs, ${node.memoryMibUsed}/${node.memoryMib} MiB`
                : "",
            ]);
          }
        }
        const isolation = await guestIsolation(ctx, channel, hosts);
        printTable(["CELL", "HOST", "SERVICE", "STATE", "STATUS", "USE"], rows);
        for (const line of isolation) process.stdout.write(`\n${line}\n`);
      }),
    );
}

const ASKED_AT_ONCE = 16;

/**
 * How guests are shut in, in the hosts' own words: one line for all that say the same. Hosts that cannot be
 * asked from here say nothing.
 */
async function guestIsolation(
  ctx: Ctx,
  channel: Channel,
  hosts: readonly string[],
): Promise<readonly string[]> {
  const agents = channel.client(AgentServiceDefinition);
  const told = await mapLimit(hosts, ASKED_AT_ONCE, async (host) => ({
    host,
    text: await agents.getHost(ctx, { host }).then(
      (answer) => answer.guestIsolation,
      () => "",
    ),
  }));
  return isolationLines(told);
}
