import { CellsErrors } from "../../errors.js";
import type { TokenUse } from "../../operations/domain/token-use.js";
import type { TwinDatabase } from "./database.js";

const keyOf = ({ projectId, userId, method, token }: TokenUse): string =>
  JSON.stringify([projectId, userId, method, token]);

/** What an earlier call with the token has made. @throws TOKEN_REUSED */
export function replayed({ tokens }: TwinDatabase, use: TokenUse): readonly string[] | undefined {
  if (use.token === "") return undefined;
  const known = tokens.get(keyOf(use));
  if (known?.bodyHash.equals(use.bodyHash) === false) throw CellsErrors.TOKEN_REUSED({ token: use.token });
  return known?.made;
}

/** Remembers what a call has made. */
export function remember({ tokens }: TwinDatabase, use: TokenUse, made: readonly string[]): void {
  if (use.token !== "") tokens.set(keyOf(use), { bodyHash: use.bodyHash, made });
}
