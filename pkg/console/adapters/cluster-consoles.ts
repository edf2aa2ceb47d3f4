import { createHash } from "node:crypto";
import type { ConsoleTokenServiceDefinition } from "../../../gen/kilonova/cells/v1/console_tokens_service.js";
import { AgentServiceDefinition, ConsoleKind } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { KilonovaError } from "../../kernel/index.js";
import type { Ids } from "../../kernel/index.js";
import type { Channel, Client } from "../../platform/rpc/index.js";
import type { ConsolesPort, FoundConsole } from "../ports.js";

export interface ClusterDeps {
  readonly tokens: Client<ConsoleTokenServiceDefinition>;
  /** To the agent of a host, as `console`. */
  agent(host: string, address: string): Channel;
  readonly ids: Ids;
}

const kinds = {
  vnc: ConsoleKind.CONSOLE_KIND_VNC,
  serial: ConsoleKind.CONSOLE_KIND_SERIAL,
} satisfies Record<FoundConsole["kind"], ConsoleKind>;

/** Tokens as `cells` keeps them, consoles as the agents of their hosts open them. */
export function clusterConsoles({ tokens, agent, ids }: ClusterDeps): ConsolesPort {
  return {
    async find(ctx, token) {
      try {
        const tokenHash = createHash("sha256").update(token).digest();
        const { token: found, agentAddress } = await tokens.getConsoleToken(ctx, { tokenHash });
        if (found === undefined) return undefined;
        const { serverId, projectId, host, run } = found;
        const kind = found.type === "serial" ? "serial" : "vnc";
        const expiresAtMs = Number(found.expiresAt?.seconds ?? 0n) * 1_000;
        return { serverId, projectId, host, run, kind, agentAddress, expiresAtMs };
      } catch (error) {
        if (error instanceof KilonovaError && error.reason === "CONSOLE_TOKEN_NOT_FOUND") return undefined;
        throw error;
      }
    },
    open(ctx, { host, agentAddress, serverId, kind, run }) {
      const client = agent(host, agentAddress).client(AgentServiceDefinition);
      const sessionId = ids.uuid();
      const asked = { host, serverId, kind: kinds[kind], run, sessionId };
      return {
        output: saidBy(client.openConsole(ctx, asked)),
        write: async (c, input) => {
          await client.writeConsole(c, { host, sessionId, input: Buffer.from(input) });
        },
      };
    },
  };
}

async function* saidBy(messages: AsyncIterable<{ readonly output: Uint8Array }>): AsyncGenerator<Uint8Array> {
  for await (const { output } of messages) yield output;
}
