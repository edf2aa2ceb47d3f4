import { anonymous, defineErrors, silentLogger } from "../../kernel/index.js";
import type { Actor } from "../../kernel/index.js";
import { listen } from "../../platform/http/index.js";
import { systemClock } from "../../platform/process/clock.js";
import { systemIds } from "../../platform/process/ids.js";
import { placementGateway } from "../app.js";
import type { PlacementClient } from "../call.js";
import { placementCorsConfig } from "../config.js";

const E = defineErrors("test", {
  TOKEN_INVALID: ["unauthenticated", (_p: Record<string, never>) => "The token is not valid."],
  PROVIDER_NOT_FOUND: ["missing", (_p: Record<string, never>) => "There is no such provider."],
});

const actors: Readonly<Record<string, Partial<Actor>>> = {
  admin: { projectId: "p1", roles: ["admin"] },
  service: { projectId: "p1", roles: ["service"] },
  reader: { projectId: "p1", roles: ["reader"] },
};

export const KNOWN = "11111111-1111-4111-8111-111111111111";
export const UNKNOWN = "22222222-2222-4222-8222-222222222222";

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/**
 * The gateway over a placement that knows one provider, has one usage group and remembers what it was asked.
 * @param callers  who calls, by token
 */
export async function aGateway(callers: Readonly<Record<string, Partial<Actor>>> = actors) {
  const asked: { readonly method: string; readonly request: Record<string, unknown> }[] = [];
  const provider = { id: KNOWN, name: "p", generation: 0n, parentId: "", rootId: KNOWN };
  const answers: Record<string, unknown> = {
    listUsages: { groups: [], providerGeneration: 0n },
    listAllocationCandidates: { candidates: [], summaries: [] },
    listProviders: { providers: [] },
    listResourceClasses: { resourceClasses: ["CUSTOM_C"] },
    getAllocations: { consumers: [], providerGeneration: 0n },
    listTraits: { traits: ["CUSTOM_T"] },
    ensureTrait: { created: false },
    ensureResourceClass: { created: true },
    renameResourceClass: {},
    setAllocations: {},
    releaseAllocations: { released: true },
  };
  const placement = new Proxy({} as PlacementClient, {
    get: (_target, method: string) => async (_ctx: unknown, request: Record<string, unknown>) => {
      asked.push({ method, request });
      if ([request["id"], request["providerId"]].includes(UNKNOWN)) throw E.PROVIDER_NOT_FOUND({});
      const inventory = {
        resourceClass: "VCPU",
        total: 1n,
        reserved: 0n,
        minUnit: 1n,
        maxUnit: 1n,
        stepSize: 1n,
        allocationRatio: 1,
      };
      return (
        answers[method] ?? { provider: { ...provider, inventories: [inventory], traits: [], aggregates: [] } }
      );
    },
  });
  const app = placementGateway({
    env: { log: silentLogger, ids: systemIds, requestTimeoutMs: 10_000 },
    clock: systemClock,
    cors: placementCorsConfig.parse({
      allowedOrigin: ["http://page.example"],
      allowHeaders: ["X-Auth-Token", "OpenStack-API-Version"],
      exposeHeaders: ["X-OpenStack-Request-ID"],
    }),
    placement,
    authenticate: async (_ctx, token) => {
      const actor = callers[token];
      if (actor === undefined) throw E.TOKEN_INVALID({});
      return { actor: { ...anonymous, kind: "user", userId: "u1", ...actor } };
    },
  });
  const server = await listen(app, { host: "127.0.0.1", port: 0, log: silentLogger });
  return {
    app,
    asked,
    url: server.url,
    close: () => server.close(100),
    /** @param version  minor, or the whole header */
    call: async (
      method: string,
      path: string,
      version: number | string,
      more: { body?: string; token?: string; headers?: Record<string, string> } = {},
    ): Promise<Reply> => {
      const { body, token = "admin", headers = {} } = more;
      const response = await fetch(`${server.url}${path}`, {
        method,
        headers: {
          ...(token === "" ? {} : { "X-Auth-Token": token }),
          "OpenStack-API-Version": typeof version === "number" ? `placement 1.${version}` : version,
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    },
  };
}

export type TestGateway = Awaited<ReturnType<typeof aGateway>>;
