import type {
  GetServerAddressesRequest,
  GetServerAddressesResponse,
} from "../../../gen/kilonova/api/v1/server_details.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Parts } from "../parts.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { id } from "../shape/common.js";
import { given, text } from "../shape/shape.js";
import { presentAddress } from "../view/server-view.js";

/** Reads a server's addresses, or those on one network. */
export const getServerAddresses = (
  parts: Parts,
): Guarded<GetServerAddressesRequest, GetServerAddressesResponse> =>
  guarded(
    { serverId: id, networkLabel: given(text()) },
    async (ctx, request) => ({
      ...(await parts.servers.about()(ctx, request)),
      decides: request.networkLabel === undefined ? "os_compute_api:ips:index" : "os_compute_api:ips:show",
    }),
    async (_ctx, { networkLabel }, { server: { vmState, addresses } }) => ({
      addresses: (vmState === VmState.VM_STATE_BUILDING ? [] : addresses)
        .filter((one) => networkLabel === undefined || one.networkLabel === networkLabel)
        .map(presentAddress),
    }),
  );
