import { sql } from "../../store/sql.js";
import type {
  ClearServerPasswordRequest,
  SaveServerPasswordRequest,
} from "../../../../gen/kilonova/cells/v1/instances_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { firstPassword, requirePassword, withServerPassword } from "../domain/server-password.js";
import { instanceColumns } from "../domain/instance-columns.js";
import { CellsErrors } from "../../errors.js";
import { instanceChanged } from "./changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, assignments } from "../../store/fragments.js";
import { outboxPart } from "../../store/outbox.js";
import { lockInstance } from "./read-instances.js";
import type { Store } from "../../store/tables.js";

/**
 * Keeps the password that a guest posted: the first one, whoever asks at the same time.
 * @param host  where the guest must be; undefined for any
 * @throws SERVER_NOT_FOUND, SERVER_MOVED, SERVER_PASSWORD_EXISTS, INVALID_ARGUMENT
 */
export async function saveServerPassword(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: SaveServerPasswordRequest,
  host: string | undefined,
): Promise<void> {
  const { serverId, serverPassword } = request;
  requirePassword(serverPassword);
  await change(store, deps, ctx, { serverId, projectId: "", host }, (before) =>
    firstPassword(serverId, before, serverPassword),
  );
}

/** Forgets it. @throws SERVER_NOT_FOUND, SERVER_MOVED */
export const clearServerPassword = (
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  { serverId, projectId }: ClearServerPasswordRequest,
): Promise<void> => change(store, deps, ctx, { serverId, projectId, host: undefined }, () => "");

interface Asked {
  readonly serverId: string;
  readonly projectId: string;
  readonly host: string | undefined;
}

async function change(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  asked: Asked,
  next: (before: string) => string,
): Promise<void> {
  await store.db.write(ctx, "instances.server-password", async (tx) => {
    const before = await lockInstance(store, tx, asked);
    if (asked.host !== undefined && before.server?.hostInfo?.host !== asked.host)
      throw CellsErrors.SERVER_NOT_FOUND({ server: asked.serverId });
    const password = next(before.serverPassword);
    if (password === before.serverPassword) return;
    const record = withServerPassword(before, password);
    const columns = instanceColumns(record);
    await allTogether([
      {
        name: "inst",
        body: sql`UPDATE ${store.t.instance} SET ${assignments(columns)} WHERE id = ${asked.serverId}`,
      },
      outboxPart(store.t, deps.ids, [instanceChanged(record, columns, "changed")], deps.clock.now()),
    ]).execute(tx);
  });
}
