import type {
  GetConsoleConnectionRequest,
  GetConsoleConnectionResponse,
} from "../../../gen/kilonova/api/v1/consoles_service.js";
import { hostAndPort } from "../../model/agent-address.js";
import { typeOfWord } from "../domain/console-types.js";
import type { Parts } from "../parts.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import { text } from "../shape/shape.js";
import { tokenHash } from "./create-remote-console.js";

/**
 * Tells where a console is. Here that is the agent of the guest's host: it answers our proxies only, over
 * TLS of the cluster, and is asked by the server's id.
 */
export const getConsoleConnection = (
  parts: Parts,
): Guarded<GetConsoleConnectionRequest, GetConsoleConnectionResponse> =>
  guarded({ token: text({ min: 1, max: 255 }) }, own, async (ctx, { token }) => {
    const { token: found, agentAddress } = await parts.consoleTokens.getConsoleToken(ctx, {
      tokenHash: tokenHash(token),
    });
    const { host, port } = hostAndPort(agentAddress);
    return {
      serverId: found?.serverId ?? "",
      host: host === "" ? (found?.host ?? "") : host,
      port,
      type: typeOfWord(found?.type ?? ""),
    };
  });
