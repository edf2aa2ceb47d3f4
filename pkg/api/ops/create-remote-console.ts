import { createHash } from "node:crypto";
import { ConsoleProtocol, ConsoleType } from "../../../gen/kilonova/api/v1/consoles_service.js";
import type {
  CreateRemoteConsoleRequest,
  CreateRemoteConsoleResponse,
} from "../../../gen/kilonova/api/v1/consoles_service.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { AgentServiceDefinition, ConsoleKind } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { Ctx } from "../../kernel/index.js";
import { CommonErrors, KilonovaError } from "../../kernel/index.js";
import { toTimestamp } from "../../model/wire-time.js";
import { chooseConsole, consoleUrl, protocolWords } from "../domain/console-types.js";
import type { GivenConsole } from "../domain/console-types.js";
import { ApiErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { id } from "../shape/common.js";
import { oneOf } from "../shape/shape.js";

const kinds = {
  novnc: ConsoleKind.CONSOLE_KIND_VNC,
  serial: ConsoleKind.CONSOLE_KIND_SERIAL,
} satisfies Record<GivenConsole, ConsoleKind>;

/** Makes a token for a console of a server whose guest runs, and keeps its hash. */
export const createRemoteConsole = (
  parts: Parts,
): Guarded<CreateRemoteConsoleRequest, CreateRemoteConsoleResponse> =>
  guarded(
    {
      serverId: id,
      protocol: oneOf(ConsoleProtocol, { unset: false }),
      type: oneOf(ConsoleType, { unset: false }),
    },
    parts.servers.about(),
    async (ctx, { protocol, type }, { server, database }) => {
      // What is gone altogether is refused whatever the server does.
      if (protocol === ConsoleProtocol.CONSOLE_PROTOCOL_RDP)
        throw ApiErrors.CONSOLE_TYPE_UNAVAILABLE({ type: "rdp" });
      requireReachable(server, protocol);
      const choice = chooseConsole(protocol, type);
      if ("refused" in choice)
        throw choice.refused === "invalid"
          ? ApiErrors.CONSOLE_TYPE_INVALID({ type: choice.type })
          : ApiErrors.CONSOLE_TYPE_UNAVAILABLE({ type: choice.type });
      const { config, clock } = parts;
      const base = choice.given === "novnc" ? config.novncBaseUrl : config.serialBaseUrl;
      if (base === "") throw ApiErrors.CONSOLE_TYPE_UNAVAILABLE({ type: choice.given });
      const { host, run } = await findRun(parts, ctx, server, database, choice.given);
      const token = parts.ids.uuid();
      const expiresAt = toTimestamp(clock.now() + BigInt(config.consoleTokenTtlMs) * 1_000n);
      await parts.consoleTokens.storeConsoleToken(ctx, {
        token: {
          tokenHash: tokenHash(token),
          serverId: server.id,
          projectId: server.projectId,
          type: choice.given,
          host,
          run,
          expiresAt,
          database,
        },
      });
      return { protocol, type, url: consoleUrl(base, choice.given, token), expiresAt };
    },
  );

export const tokenHash = (token: string): Buffer => createHash("sha256").update(token).digest();

/** @throws INVALID_STATE, CONSOLE_NOT_READY */
function requireReachable({ id: server, taskState, hostInfo }: Server, protocol: ConsoleProtocol): void {
  if ((hostInfo?.host ?? "") === "") throw ApiErrors.CONSOLE_NOT_READY({ server });
  if (taskState === "deleting" || taskState === "migrating")
    throw ApiErrors.INVALID_STATE({
      server,
      method: `get_${protocolWords[protocol]}_console`,
      attr: "task_state",
      state: taskState,
    });
}

/** Where the guest runs, and which run of it that is. @throws CONSOLE_NOT_READY, CONSOLE_TYPE_UNAVAILABLE */
async function findRun(
  { directory, agent }: Parts,
  ctx: Ctx,
  { id: serverId, hostInfo }: Server,
  database: string,
  given: GivenConsole,
): Promise<{ readonly host: string; readonly run: string }> {
  const host = hostInfo?.host ?? "";
  const address = (await directory.of(ctx, database)).byHost.get(host)?.address ?? "";
  if (address === "") throw CommonErrors.UNAVAILABLE({ what: "The server's console" });
  const client = agent(address, host).client(AgentServiceDefinition);
  const { offered, run } = await client.getConsole(ctx, { host, serverId, kind: kinds[given] }).catch(notYet);
  if (!offered) throw ApiErrors.CONSOLE_TYPE_UNAVAILABLE({ type: given });
  if (run === undefined) throw ApiErrors.CONSOLE_NOT_READY({ server: serverId });
  return { host, run };
}

/** A guest that is not made yet does not run. */
function notYet(error: unknown): { readonly offered: true; readonly run: undefined } {
  if (!(error instanceof KilonovaError) || error.reason !== "GUEST_NOT_DEFINED") throw error;
  return { offered: true, run: undefined };
}
