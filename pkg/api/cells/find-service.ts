import type { HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Ctx } from "../../kernel/index.js";
import { CommonErrors } from "../../kernel/index.js";
import { ApiErrors } from "../errors.js";
import type { Parts } from "../parts.js";

/** A service record and its cell. */
export interface FoundService {
  readonly cell: string;
  readonly service: HostService;
}

/**
 * Finds a service by UUID, or by number, which may repeat between cells.
 * @throws SERVICE_NOT_FOUND, SERVICE_AMBIGUOUS; unavailable when it may be in a silent cell
 */
export async function findService(parts: Parts, ctx: Ctx, id: string): Promise<FoundService> {
  const { found, silent } = await matching(
    parts,
    ctx,
    {},
    (service) => service.id === id || service.number.toString() === id,
  );
  const [first, second] = found;
  if (second !== undefined) throw ApiErrors.SERVICE_AMBIGUOUS({ service: id });
  if (first !== undefined) return first;
  if (silent) throw CommonErrors.UNAVAILABLE({ what: "A cell" });
  throw ApiErrors.SERVICE_NOT_FOUND({ service: id });
}

/** Finds a service by host and binary. @throws HOST_BINARY_NOT_FOUND */
export async function findServiceOn(
  parts: Parts,
  ctx: Ctx,
  host: string,
  binary: string,
): Promise<FoundService> {
  const { found } = await matching(
    parts,
    ctx,
    { host, binary },
    (service) => service.host === host && service.binary === binary,
  );
  const [first] = found;
  if (first === undefined) throw ApiErrors.HOST_BINARY_NOT_FOUND({ host, binary });
  return first;
}

async function matching(
  parts: Parts,
  ctx: Ctx,
  query: { readonly host?: string; readonly binary?: string },
  matches: (service: HostService) => boolean,
): Promise<{ found: FoundService[]; silent: boolean }> {
  const { answers, unreachable } = await parts.guard.fanOut(
    ctx,
    await parts.databases.cells(ctx),
    (inner, cell) => parts.hosts.listHosts(inner, { cell, servicesOnly: true, ...query }),
  );
  const found = answers.flatMap(({ database: cell, value }) =>
    value.services.filter(matches).map((service) => ({ cell, service })),
  );
  return { found, silent: unreachable.length > 0 };
}
