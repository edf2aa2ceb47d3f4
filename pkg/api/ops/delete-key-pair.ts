import type {
  DeleteKeyPairRequest,
  DeleteKeyPairResponse,
} from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import { id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { given, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { theUser, withKeyPairErrors } from "./get-key-pair.js";

/** Deletes a key pair; servers keep the key they were built with. */
export const deleteKeyPair = (parts: Parts): Guarded<DeleteKeyPairRequest, DeleteKeyPairResponse> =>
  guarded({ name: id, userId: given(text()) }, theUser, async (ctx, { name }, { userId }) => {
    return withKeyPairErrors(name, userId, () => parts.global.deleteStoredKeyPair(ctx, { userId, name }));
  });
