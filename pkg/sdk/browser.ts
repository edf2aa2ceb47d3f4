import { createConnectTransport } from "@connectrpc/connect-web";
import type { Auth } from "./auth/auth.js";
import type { Place } from "./auth/session.js";
import { Session } from "./auth/session.js";
import type { ClientOptions } from "./client.js";
import { Client } from "./client.js";

export * from "./public.js";
export * from "./messages.gen.js";

/** A cloud, over Connect. The page's origin must be allowed by Identity and by the cloud. */
export class Kilonova extends Client {
  /** Logs in. @throws KilonovaError when the login fails */
  static async connect(options: ClientOptions & Place & { readonly auth: Auth }): Promise<Kilonova> {
    const session = new Session(options.auth, (url, init) => fetch(url, init), options);
    const baseUrl = await session.endpoint("compute-rpc");
    return new Kilonova(session, createConnectTransport({ baseUrl, useBinaryFormat: true }), options);
  }
}
