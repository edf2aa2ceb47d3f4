import {
  ConsoleToken,
  StoreConsoleTokenResponse,
} from "../../../../gen/kilonova/cells/v1/console_tokens_service.js";
import type { ConsoleTokenServiceDefinition } from "../../../../gen/kilonova/cells/v1/console_tokens_service.js";
import type { Instant } from "../../../kernel/time.js";
import { fromTimestampOrNull } from "../../../model/wire-time.js";
import { COMPUTE_BINARY } from "../../../model/service-names.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import { tokenBounds } from "../../consoles/domain/token-bounds.js";
import { CellsErrors } from "../../errors.js";
import { byValue, bytewise } from "./order.js";
import { readRecord } from "./servers.js";
import type { TwinState } from "./state.js";

/** Tokens of consoles. */
export const consoleTokenHandlers = (twin: TwinState): Handlers<ConsoleTokenServiceDefinition> => ({
  storeConsoleToken: async (_ctx, { token = ConsoleToken.fromPartial({}) }) => {
    const now = twin.deps.clock.now();
    for (const [key, one] of twin.consoleTokens) if (endOf(one) <= now) twin.consoleTokens.delete(key);
    giveWay(twin, ({ serverId }) => serverId === token.serverId, tokenBounds.perServer - 1);
    giveWay(twin, ({ projectId }) => projectId === token.projectId, tokenBounds.perProject - 1);
    const key = keyOf(token.tokenHash);
    if (!twin.consoleTokens.has(key)) twin.consoleTokens.set(key, token);
    return StoreConsoleTokenResponse.fromPartial({});
  },
  getConsoleToken: async (_ctx, { tokenHash }) => {
    const token = twin.consoleTokens.get(keyOf(tokenHash));
    if (token === undefined || endOf(token) <= twin.deps.clock.now())
      throw CellsErrors.CONSOLE_TOKEN_NOT_FOUND({});
    const database = twin.cell(token.database);
    if (!database.instances.has(token.serverId)) throw CellsErrors.CONSOLE_TOKEN_NOT_FOUND({});
    const { server } = readRecord(database, { serverId: token.serverId, projectId: "", withDeleted: true });
    if (server?.deletedAt !== undefined || server?.hostInfo?.host !== token.host)
      throw CellsErrors.CONSOLE_TOKEN_NOT_FOUND({});
    const service = [...database.services.values()].find(
      ({ binary, host }) => binary === COMPUTE_BINARY && host === token.host,
    );
    return { token, agentAddress: service?.address ?? "" };
  },
});

const keyOf = (hash: Uint8Array): string => Buffer.from(hash).toString("hex");
const endOf = ({ expiresAt }: ConsoleToken): Instant => fromTimestampOrNull(expiresAt) ?? 0n;

/** Forgets those of somebody that end first, but so many. */
function giveWay(twin: TwinState, isTheirs: (token: ConsoleToken) => boolean, kept: number): void {
  const theirs = [...twin.consoleTokens].filter(([, token]) => isTheirs(token));
  theirs.sort(([a, one], [b, other]) => byValue(endOf(other), endOf(one)) || bytewise(a, b));
  for (const [key] of theirs.slice(kept)) twin.consoleTokens.delete(key);
}
