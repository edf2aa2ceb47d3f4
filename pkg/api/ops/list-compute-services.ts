import { ComputeService } from "../../../gen/kilonova/api/v1/hosts_service.js";
import type {
  ListComputeServicesRequest,
  ListComputeServicesResponse,
} from "../../../gen/kilonova/api/v1/hosts_service.js";
import { rowsOf } from "../domain/page.js";
import { fittingRows } from "../../model/page-bytes.js";
import { decodePageToken, encodePageToken } from "../crypto/page-tokens.js";
import { pageSize, pageToken } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import { given, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { presentService } from "../view/service-view.js";
import { COMPUTE_BINARY } from "../../model/service-names.js";

/** Lists service records of all cells by number and cell. */
export const listComputeServices = (
  parts: Parts,
): Guarded<ListComputeServicesRequest, ListComputeServicesResponse> =>
  guarded({ host: given(text()), binary: given(text()), pageSize, pageToken }, own, async (ctx, request) => {
    const { host, binary } = request;
    const binding = JSON.stringify(["services", host, binary]);
    const [number, cell = ""] =
      request.pageToken === "" ? [] : decodePageToken(parts.tokens, binding, request.pageToken);
    const { cells, unreachable } = await parts.directory.now(
      ctx,
      await parts.databases.cells(ctx),
      "services",
    );
    const all = cells
      .flatMap(({ cell: database, services }) => services.map((service) => presentService(database, service)))
      .filter(
        (service) => service.host === (host ?? service.host) && service.binary === (binary ?? service.binary),
      )
      .sort(byNumberAndCell);
    const isSilent = (service: ComputeService): boolean => unreachable.includes(service.cell);
    const rest = all
      .filter((service) => !isSilent(service))
      .filter(
        (service) => number === undefined || byNumberAndCell(service, { number: BigInt(number), cell }) > 0,
      );
    const services = fittingRows(
      rest.slice(0, rowsOf(request.pageSize)),
      (service) => ComputeService.encode(service).finish().length,
    );
    const last = services.at(-1);
    return {
      services: [...services],
      unreachableCells: [...unreachable],
      downCellServices:
        request.pageToken === ""
          ? all.filter((service) => isSilent(service) && service.binary === COMPUTE_BINARY)
          : [],
      nextPageToken:
        rest.length > services.length && last !== undefined
          ? encodePageToken(parts.tokens, binding, [last.number.toString(), last.cell])
          : "",
    };
  });

type Place = Pick<ComputeService, "number" | "cell">;

function byNumberAndCell(a: Place, b: Place): number {
  if (a.number !== b.number) return a.number < b.number ? -1 : 1;
  return a.cell === b.cell ? 0 : a.cell < b.cell ? -1 : 1;
}
