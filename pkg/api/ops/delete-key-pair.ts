import type {
  DeleteKeyPairRequest,
  DeleteKeyPairResponse,
} from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { withKeyPairErrors } from "./get-key-pair.js";

/** Deletes a key pair; servers keep the key they were built with. */
export const deleteKeyPair = (parts: Parts): Unary<DeleteKeyPairRequest, DeleteKeyPairResponse> =>
  checked<DeleteKeyPairRequest, DeleteKeyPairResponse>(
    { name: id, userId: text() },
    async (ctx, { name, userId: asked }) => {
      const userId = asked || ctx.actor.userId;
      parts.policy.enforce(ctx.actor, "os_compute_api:os-keypairs:delete", { user_id: userId });
      return withKeyPairErrors(name, userId, () => parts.global.deleteStoredKeyPair(ctx, { userId, name }));
    },
  );
