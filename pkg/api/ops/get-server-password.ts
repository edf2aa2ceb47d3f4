import type {
  GetServerPasswordRequest,
  GetServerPasswordResponse,
} from "../../../gen/kilonova/api/v1/server_details.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";

/**
 * Reads what the guest posted to the metadata service; only the holder of the key can read the password in
 * it.
 */
export const getServerPassword = (parts: Parts): Unary<GetServerPasswordRequest, GetServerPasswordResponse> =>
  checked<GetServerPasswordRequest, GetServerPasswordResponse>(
    { serverId: id },
    async (ctx, { serverId }) => {
      const { record } = await parts.servers.loadFor(ctx, "os_compute_api:os-server-password:show", serverId);
      return { encryptedPassword: record.serverPassword };
    },
  );
