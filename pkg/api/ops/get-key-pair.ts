import type {
  GetKeyPairRequest,
  GetKeyPairResponse,
} from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import { KilonovaError } from "../../kernel/index.js";
import { ApiErrors } from "../errors.js";
import { id } from "../shape/common.js";
import type { About, Guarded, Subject } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { given, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";

/** Key pairs belong to a user: the caller, or with the right to another one. */
export const theUser: About<
  { readonly userId?: string | undefined },
  Subject & { readonly userId: string }
> = ({ actor }, { userId: asked }) => {
  const userId = asked ?? actor.userId;
  return { userId, owner: { user_id: userId } };
};

/** Reads a key pair of the caller, or with the right to of another user. */
export const getKeyPair = (parts: Parts): Guarded<GetKeyPairRequest, GetKeyPairResponse> =>
  guarded({ name: id, userId: given(text()) }, theUser, async (ctx, { name }, { userId }) => {
    return withKeyPairErrors(name, userId, () => parts.global.getStoredKeyPair(ctx, { userId, name }));
  });

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
