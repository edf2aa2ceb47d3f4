import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { Session } from "../auth/session.js";
import { Client } from "../client.js";
import { ErrorInfoSchema, RequestInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.js";

/** Identity that counts logins: the tokens are "token-1", "token-2" and so on. */
export class CountingIdentity {
  logins = 0;
  readonly lifeMs = 3_600_000;
  status = 201;

  session(): Session {
    const auth = { authUrl: "http://identity/v3", username: "demo", password: "secret", projectName: "demo" };
    return new Session(auth, () => Promise.resolve(this.#logIn()));
  }

  #logIn(): Response {
    this.logins += 1;
    const now = Date.now();
    const times = {
      issued_at: new Date(now).toISOString(),
      expires_at: new Date(now + this.lifeMs).toISOString(),
    };
    const endpoints = [{ interface: "public", region: "RegionOne", url: "http://compute:8770/" }];
    return new Response(
      JSON.stringify({ token: { ...times, catalog: [{ type: "compute-rpc", endpoints }] } }),
      {
        status: this.status,
        headers: { "x-subject-token": `token-${this.logins}` },
      },
    );
  }
}

/** A client whose cloud is these handlers, called through the whole of Connect but for the network. */
export function clientOf(routes: (router: ConnectRouter) => void, identity = new CountingIdentity()): Client {
  const backoff = { firstMs: 1, mostMs: 4 };
  return new Client(identity.session(), createRouterTransport(routes), { backoff });
}

/** A refusal as the cloud gives it. */
export function refusal(
  code: Code,
  reason: string,
  more: { retryMs?: number; metadata?: Record<string, string> } = {},
) {
  const details: { desc: typeof ErrorInfoSchema; value: MessageInitShape<typeof ErrorInfoSchema> }[] = [
    { desc: ErrorInfoSchema, value: { reason, domain: "kilonova.dev", metadata: more.metadata ?? {} } },
  ];
  const retry =
    more.retryMs === undefined
      ? []
      : [{ desc: RetryInfoSchema, value: { retryDelay: { seconds: 0n, nanos: more.retryMs * 1e6 } } }];
  const request = [{ desc: RequestInfoSchema, value: { requestId: "req-1" } }];
  return new ConnectError(`refused: ${reason}`, code, undefined, [...details, ...retry, ...request]);
}

export const tokenOf = ({ requestHeader }: HandlerContext): string => requestHeader.get("x-auth-token") ?? "";
export { Code };
