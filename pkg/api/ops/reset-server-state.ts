import type {
  ResetServerStateRequest,
  ResetServerStateResponse,
} from "../../../gen/kilonova/api/v1/server_actions.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { anyOperation } from "../../model/operation-declaration.js";
import resetState from "../../model/operations/reset-server-state.js";
import type { Parts } from "../parts.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { id } from "../shape/common.js";
import { oneOf } from "../shape/shape.js";
import { hiddenFields, maskOf, presentServers } from "../view/server-view.js";
import { acceptOn } from "./begin-operation.js";

const { VM_STATE_UNSPECIFIED, VM_STATE_ACTIVE, VM_STATE_ERROR } = VmState;

/** Sets a server's state by an operator's word, and answers the server as it is then. */
export const resetServerState = (parts: Parts): Guarded<ResetServerStateRequest, ResetServerStateResponse> =>
  guarded(
    {
      serverId: id,
      vmState: oneOf<VmState>({ VM_STATE_UNSPECIFIED, VM_STATE_ACTIVE, VM_STATE_ERROR }, { unset: false }),
    },
    parts.servers.about(),
    async (ctx, { serverId, vmState }) => {
      await acceptOn(
        parts,
        ctx,
        anyOperation(resetState),
        { serverId, clientToken: "" },
        { method: "ResetServerState", body: new Uint8Array(), input: { vmState } },
      );
      const mask = maskOf(ctx, { hostInfo: true, userData: false });
      const [server] = await presentServers(ctx, parts.directory, mask, [
        await parts.servers.load(ctx, serverId),
      ]);
      return { server, hiddenFields: hiddenFields(mask) };
    },
  );
