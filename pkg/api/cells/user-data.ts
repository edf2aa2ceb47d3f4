import type { Call } from "../rights/rights.js";
import type { LoadedServer, Servers } from "./servers.js";

/**
 * A server's user data for a config drive that is made anew; base64. "" without such a drive.
 * @throws what loading a server does
 */
export async function userDataOf(
  { servers }: { readonly servers: Pick<Servers, "load"> },
  ctx: Call,
  { server }: LoadedServer,
): Promise<string> {
  if (!server.configDrive) return "";
  return (await servers.load(ctx, server.id, { withUserData: true })).server.userData;
}
