import type { Ctx } from "../../kernel/index.js";
import type { HttpAnswer, HttpClient, HttpRequest, HttpStream } from "../../platform/http/index.js";
import type { ServiceSession } from "./ports.js";

/** A request to one service: the path below its address, and whose rights it uses. */
export interface ServiceRequest extends Omit<HttpRequest, "url"> {
  /** Begins with a slash. */
  readonly path: string;
  /** A user's token; without one the service's own rights are used. */
  readonly userToken?: string | undefined;
  /**
   * Whether our token goes along as `X-Service-Token` also without a user's: it says that a service calls.
   */
  readonly asService?: boolean;
}

/** Calls to one service of the catalog, with the right token. */
export interface ServiceCaller {
  call(ctx: Ctx, request: ServiceRequest): Promise<HttpAnswer>;
  open(ctx: Ctx, request: ServiceRequest): Promise<HttpStream>;
}

/**
 * Adds address and token. With a user's token ours goes along as `X-Service-Token`, so that long work
 * survives its end. A 401 may be about ours in either case: it is renewed and the request repeated once (a
 * streamed body cannot be sent twice, so there the 401 stands). The user's is the user's to renew.
 * @param trimVersion  cut a version off the address: some catalogs have one, some do not
 */
export function serviceCaller(
  http: HttpClient,
  session: ServiceSession,
  type: string,
  trimVersion: RegExp,
): ServiceCaller {
  const prepare = async (ctx: Ctx, request: ServiceRequest): Promise<{ own: string; http: HttpRequest }> => {
    const { path, userToken, asService = userToken !== undefined, ...rest } = request;
    const own = await session.token(ctx);
    const base = (await session.endpoint(ctx, type)).replace(trimVersion, "");
    const tokens: Record<string, string> = {
      "X-Auth-Token": userToken ?? own,
      ...(asService ? { "X-Service-Token": own } : {}),
    };
    return { own, http: { ...rest, url: `${base}${path}`, headers: { ...rest.headers, ...tokens } } };
  };
  const withRenewal = async <A extends { readonly status: number }>(
    ctx: Ctx,
    request: ServiceRequest,
    send: (prepared: HttpRequest) => Promise<A>,
    spare?: (refused: A) => Promise<void>,
  ): Promise<A> => {
    const first = await prepare(ctx, request);
    const answer = await send(first.http);
    if (answer.status !== 401 || request.stream) return answer;
    session.discard(first.own);
    await spare?.(answer);
    return send((await prepare(ctx, request)).http);
  };
  return {
    call: (ctx, request) => withRenewal(ctx, request, (prepared) => http.call(ctx, prepared)),
    open: (ctx, request) =>
      withRenewal(
        ctx,
        request,
        (prepared) => http.open(ctx, prepared),
        async ({ body }) => {
          for await (const _part of body) break; // Leaving the loop cancels the body.
        },
      ),
  };
}
