import type {
  GetServerPasswordRequest,
  GetServerPasswordResponse,
} from "../../../gen/kilonova/api/v1/server_details.js";
import { orNone } from "../../model/presence.js";
import { id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Parts } from "../parts.js";

/**
 * Reads what the guest posted to the metadata service; only the holder of the key can read the password in
 * it.
 */
export const getServerPassword = (
  parts: Parts,
): Guarded<GetServerPasswordRequest, GetServerPasswordResponse> =>
  guarded({ serverId: id }, parts.servers.about(), async (_ctx, _request, { record }) => {
    return { encryptedPassword: orNone(record.serverPassword) };
  });
