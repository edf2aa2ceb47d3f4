import type {
  GetKeyPairRequest,
  GetKeyPairResponse,
} from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import { KilonovaError } from "../../kernel/index.js";
import { ApiErrors } from "../errors.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";

/** Reads a key pair of the caller, or with the right to of another user. */
export const getKeyPair = (parts: Parts): Unary<GetKeyPairRequest, GetKeyPairResponse> =>
  checked<GetKeyPairRequest, GetKeyPairResponse>(
    { name: id, userId: text() },
    async (ctx, { name, userId: asked }) => {
      const userId = asked || ctx.actor.userId;
      parts.policy.enforce(ctx.actor, "os_compute_api:os-keypairs:show", { user_id: userId });
      return withKeyPairErrors(name, userId, () => parts.global.getStoredKeyPair(ctx, { userId, name }));
    },
  );

/** Gives a stored key pair's absence the words of the public contract. */
export async function withKeyPairErrors<T>(name: string, user: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof KilonovaError && error.kind === "missing")
      throw ApiErrors.KEY_PAIR_NOT_FOUND({ name, user }, { cause: error });
    throw error;
  }
}
