import {
  ConsoleToken,
  StoreConsoleTokenResponse,
} from "../../../../gen/kilonova/cells/v1/console_tokens_service.js";
import type { ConsoleTokenServiceDefinition } from "../../../../gen/kilonova/cells/v1/console_tokens_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { KilonovaError } from "../../../kernel/errors.js";
import { COMPUTE_BINARY } from "../../../model/service-names.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import { CellsErrors } from "../../errors.js";
import { listHosts } from "../../hosts/store/hosts.js";
import { getInstance } from "../../servers/store/read-instances.js";
import type { StoreDeps } from "../../store/deps.js";
import { byName } from "../../stores.js";
import type { Stores } from "../../stores.js";
import { findConsoleToken, storeConsoleToken } from "../store/console-tokens.js";

/** Serves the tokens of consoles: they lie in the global database, their servers in the cells. */
export const consoleTokenHandlers = (
  stores: Stores,
  deps: StoreDeps,
): Handlers<ConsoleTokenServiceDefinition> => ({
  storeConsoleToken: async (ctx, { token = ConsoleToken.fromPartial({}) }) => {
    await storeConsoleToken(stores.global, deps, ctx, token);
    return StoreConsoleTokenResponse.fromPartial({});
  },
  getConsoleToken: async (ctx, { tokenHash }) => {
    const token = await findConsoleToken(stores.global, deps, ctx, tokenHash);
    return { token, agentAddress: await whereStillGood(stores, deps, ctx, token) };
  },
});

/** Address of the agent of the token's host. @throws CONSOLE_TOKEN_NOT_FOUND when its server is not there */
async function whereStillGood(
  stores: Stores,
  deps: StoreDeps,
  ctx: Ctx,
  { serverId, host, database }: ConsoleToken,
): Promise<string> {
  try {
    return await byName(stores.cell(database), async (store) => {
      const request = {
        database,
        serverId,
        projectId: "",
        withDeleted: false,
        withUserData: false,
      };
      const { server } = await getInstance(store, deps, ctx, request);
      if (server?.hostInfo?.host !== host) throw CellsErrors.CONSOLE_TOKEN_NOT_FOUND({});
      const asked = {
        host,
        binary: COMPUTE_BINARY,
        computeNodeId: "",
        servicesOnly: true,
        recordsOnly: false,
      };
      const { services } = await listHosts(store, ctx, asked);
      return services[0]?.address ?? "";
    });
  } catch (error) {
    if (isGone(error)) throw CellsErrors.CONSOLE_TOKEN_NOT_FOUND({}, { cause: error });
    throw error;
  }
}

const isGone = (error: unknown): boolean =>
  error instanceof KilonovaError &&
  error.domain === "cells" &&
  (error.reason === "SERVER_NOT_FOUND" || error.reason === "SERVER_MOVED");
