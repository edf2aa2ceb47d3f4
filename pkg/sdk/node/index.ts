import type { Auth } from "../auth/auth.js";
import type { Place } from "../auth/session.js";
import { Session } from "../auth/session.js";
import type { ClientOptions } from "../client.js";
import { Client } from "../client.js";
import type { CloudsYamlOptions, TlsConfig } from "./clouds-yaml.js";
import { readCloudsYaml } from "./clouds-yaml.js";
import { createGrpcTransport } from "./grpc-transport.js";
import { channelCredentials, fetchWith } from "./tls.js";

export * from "../public.js";
export * from "../messages.gen.js";
export type { CloudsYamlOptions, TlsConfig } from "./clouds-yaml.js";

/** The type by which the catalog knows the port for gRPC and Connect. */
const SERVICE = "compute-rpc";

/** A cloud, over gRPC. */
export class Kilonova extends Client {
  /**
   * Logs in to a cloud of clouds.yaml.
   *
   * @throws TypeError when the configuration lacks something; KilonovaError when the login fails
   */
  static async fromCloudsYaml(options: CloudsYamlOptions & ClientOptions = {}): Promise<Kilonova> {
    const { auth, place, tls } = readCloudsYaml(options);
    return Kilonova.connect({ ...options, auth, ...place, tls });
  }

  /** Logs in with what is given here. @throws KilonovaError when the login fails */
  static async connect(
    options: ClientOptions & Place & { readonly auth: Auth; readonly tls?: TlsConfig | undefined },
  ): Promise<Kilonova> {
    const tls = options.tls ?? { verify: true };
    const session = new Session(options.auth, fetchWith(tls), options);
    const url = new URL(await session.endpoint(SERVICE));
    const address = `${url.hostname}:${url.port || (url.protocol === "https:" ? 443 : 80)}`;
    return new Kilonova(session, createGrpcTransport(address, channelCredentials(url, tls)), options);
  }
}
