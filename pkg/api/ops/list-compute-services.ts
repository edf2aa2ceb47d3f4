import type { ListComputeServicesRequest, ListComputeServicesResponse } from "../../../gen/kilonova/api/v1/hosts_service.js";
import type { Unary } from "../shape/shape.js";
import { checked, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { presentService } from "../view/service-view.js";

/** Lists service records of all cells by number. */
export const listComputeServices = (parts: Parts): Unary<ListComputeServicesRequest, ListComputeServicesResponse> =>
  checked<ListComputeServicesRequest, ListComputeServicesResponse>({ host: text(), binary: text() }, async (ctx, { host, binary }) => {
    parts.policy.enforce(ctx.actor, "os_compute_api:os-services:list");
    const { answers, unreachable } = await parts.guard.fanOut(ctx, await parts.databases.cells(ctx), (inner, cell) => parts.hosts.listHosts(inner, { cell, host, binary }));
    const services = answers.flatMap(({ database, value }) => value.services.map((service) => presentService(database, service)))
      .filter((service) => (host === "" || service.host === host) && (binary === "" || service.binary === binary))
      .sort((a, b) => Number(a.number - b.number) || (a.cell < b.cell ? -1 : 1));
    return { services, unreachableCells: [...unreachable] };
  });
