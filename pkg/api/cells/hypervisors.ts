import type { Hypervisor } from "../../../gen/kilonova/api/v1/hosts_service.js";
import { ServerFilter } from "../../../gen/kilonova/api/v1/servers_service.js";
import { SortDirection } from "../../../gen/kilonova/type/v1/page.js";
import { Server } from "../../../gen/kilonova/type/v1/server.js";
import type { Ctx } from "../../kernel/index.js";
import { mapLimit } from "../../kernel/index.js";
import type { Parts } from "../parts.js";
import { presentHypervisor } from "../view/service-view.js";
import { COMPUTE_BINARY } from "./host-directory.js";

/** A hypervisor and where its host is. */
export interface FoundHypervisor {
  readonly cell: string;
  readonly host: string;
  readonly hypervisor: Hypervisor;
}

const SERVERS_PER_HOST = 1000;
const LISTS_AT_ONCE = 8;

/** All hypervisors of the cells that answer, ordered by cell and number. Usage is as of now. */
export async function allHypervisors(parts: Parts, ctx: Ctx): Promise<FoundHypervisor[]> {
  const { answers } = await parts.guard.fanOut(ctx, await parts.databases.hostingCells(ctx), (inner, cell) =>
    parts.hosts.listHosts(inner, { cell }),
  );
  return answers
    .flatMap(({ database: cell, value: { services, nodes } }) => {
      const byHost = new Map(
        services
          .filter((service) => service.binary === COMPUTE_BINARY)
          .map((service) => [service.host, service]),
      );
      return nodes.map((node) => ({
        cell,
        host: node.host,
        hypervisor: presentHypervisor({ cell, services, nodes, byHost }, node),
      }));
    })
    .sort((a, b) =>
      a.cell < b.cell ? -1 : a.cell > b.cell ? 1 : Number(a.hypervisor.number - b.hypervisor.number),
    );
}

/** Adds the servers on each. */
export const withServers = (
  parts: Parts,
  ctx: Ctx,
  found: readonly FoundHypervisor[],
): Promise<Hypervisor[]> =>
  mapLimit(found, LISTS_AT_ONCE, async ({ cell, host, hypervisor }) => {
    const { rows } = await parts.instances.listInstances(ctx, {
      database: cell,
      filter: ServerFilter.fromPartial({ host }),
      projectId: "",
      pageSize: SERVERS_PER_HOST,
      after: [],
      sort: [{ field: "id", direction: SortDirection.SORT_DIRECTION_ASC }],
    });
    return {
      ...hypervisor,
      servers: rows.map((row) => ({
        id: row.serverId,
        instanceName: Server.decode(row.server).hostInfo?.instanceName ?? "",
      })),
    };
  });
