import type { Hypervisor } from "../../../gen/kilonova/api/v1/hosts_service.js";
import { ServerFilter } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { InstanceRow } from "../../../gen/kilonova/cells/v1/instances_service.js";
import { SortDirection } from "../../../gen/kilonova/type/v1/page.js";
import { Server } from "../../../gen/kilonova/cells/v1/server.js";
import type { Ctx } from "../../kernel/index.js";
import { mapLimit } from "../../kernel/index.js";
import type { Parts } from "../parts.js";
import { presentHypervisor } from "../view/service-view.js";

/** A hypervisor and where its host is. */
export interface FoundHypervisor {
  readonly cell: string;
  readonly host: string;
  readonly hypervisor: Hypervisor;
}

const SERVERS_PER_HOST = 1000;
const LISTS_AT_ONCE = 8;

/** All hypervisors, and the cells of which they are not as of now. */
export interface AllHypervisors {
  readonly found: readonly FoundHypervisor[];
  readonly unreachable: readonly string[];
}

/** All hypervisors, ordered by cell and number: usage as of now, of silent cells as it was last seen. */
export async function allHypervisors(parts: Parts, ctx: Ctx): Promise<AllHypervisors> {
  const { cells, unreachable } = await parts.directory.now(
    ctx,
    await parts.databases.hostingCells(ctx),
    "use",
  );
  const found = cells
    .flatMap((hosts) =>
      hosts.nodes.map((node) => ({
        cell: hosts.cell,
        host: node.host,
        hypervisor: presentHypervisor(hosts, node),
      })),
    )
    .sort((a, b) =>
      a.cell < b.cell ? -1 : a.cell > b.cell ? 1 : Number(a.hypervisor.number - b.hypervisor.number),
    );
  return { found, unreachable };
}

/** Adds the servers on each, as far as its cell answers. */
export const withServers = (
  parts: Parts,
  ctx: Ctx,
  found: readonly FoundHypervisor[],
  unreachable: readonly string[],
): Promise<Hypervisor[]> =>
  mapLimit(found, LISTS_AT_ONCE, async ({ cell, host, hypervisor }) => {
    if (unreachable.includes(cell)) return hypervisor;
    const rows: InstanceRow[] = [];
    for (let more = true; more && rows.length < SERVERS_PER_HOST;) {
      const page = await parts.instances.listInstances(ctx, {
        database: cell,
        filter: ServerFilter.fromPartial({ host, softDeleted: true }),
        projectId: "",
        pageSize: SERVERS_PER_HOST - rows.length,
        after: rows.at(-1)?.sortValues ?? [],
        sort: [{ field: "id", direction: SortDirection.SORT_DIRECTION_ASC }],
      });
      rows.push(...page.rows);
      ({ more } = page);
    }
    return {
      ...hypervisor,
      servers: rows.map((row) => ({
        id: row.serverId,
        instanceName: Server.decode(row.server).hostInfo?.instanceName ?? "",
      })),
    };
  });
