import type { Once } from "../../../../gen/kilonova/cells/v1/once.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { violates } from "../../../platform/db/index.js";
import type { TokenUse } from "../domain/token-use.js";
import { replayOf, tokenRow } from "./client-tokens.js";
import type { StoreDeps } from "../../store/deps.js";
import { insertInto } from "../../store/fragments.js";
import type { Store, Tx } from "../../store/tables.js";

/** What a creation made, or what an earlier one with the same client token had made. */
export interface Made {
  readonly id: string;
  readonly replayed: boolean;
}

/** The caller's token for a creation. */
export const tokenUseOf = (ctx: Ctx, once: Once | undefined): TokenUse => ({
  projectId: ctx.actor.projectId,
  userId: ctx.actor.userId,
  method: once?.method ?? "",
  token: once?.clientToken ?? "",
  bodyHash: once?.bodyHash ?? Buffer.alloc(0),
});

/**
 * Creates something once per client token, in one transaction with the token.
 * @param create  stores it and answers its id
 * @throws TOKEN_REUSED when the token was used for another request
 */
export async function createOnce(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  name: string,
  once: Once | undefined,
  create: (tx: Tx) => Promise<string>,
): Promise<Made> {
  const use = tokenUseOf(ctx, once);
  const attempt = (): Promise<Made> =>
    store.db.write(ctx, name, async (tx) => {
      const [made] = (await replayOf(store, tx, use)) ?? [];
      if (made !== undefined) return { id: made, replayed: true };
      const id = await create(tx);
      if (use.token !== "")
        await insertInto(store.t.client_token, [tokenRow(use, [id], deps.clock.now())]).execute(tx);
      return { id, replayed: false };
    });
  try {
    return await attempt();
  } catch (error) {
    // The same token came twice at once: now the other one is stored, and answers.
    if (violates(error, "client_token_once")) return attempt();
    throw error;
  }
}
