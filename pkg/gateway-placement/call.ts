import type { Request } from "express";
import type { PlacementServiceDefinition } from "../../gen/kilonova/placement/v1/placement_service.js";
import type { Ctx } from "../kernel/ctx.js";
import { parseUuid } from "../kernel/ids.js";
import type { Instant } from "../kernel/time.js";
import { assertStorable, queryOf } from "../platform/http/index.js";
import type { Query } from "../platform/http/index.js";
import type { Client } from "../platform/rpc/index.js";
import { RestErrors } from "./errors.js";

export type PlacementClient = Client<typeof PlacementServiceDefinition>;

/** One request, as handlers see it. */
export interface Call {
  readonly ctx: Ctx;
  readonly placement: PlacementClient;
  /** Minor microversion. */
  readonly minor: number;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  /** Parsed when read. @throws JSON_MALFORMED, and INVALID_ARGUMENT for what no database can hold */
  readonly body: unknown;
}

/** What a handler answers. */
export interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly location?: string;
  /** Newest change of what is shown; absent: now. Shown from 1.15. */
  readonly modified?: Instant | undefined;
  /** Shows it although nothing else is shown and it is no GET. */
  readonly dated?: boolean;
}

export type Handler = (call: Call) => Promise<Answer>;

/**
 * Who may call a route. `anyone` needs no token, all others need one of a project. `project-reader`:
 * administrators, services, and the readers of the project that is asked about.
 */
export type RouteRule = "anyone" | "admin-or-service" | "project-reader" | "service";

/** A method of a path and the interval of minor versions in which it lives. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly since: number;
  readonly until?: number;
  /** Below `since`: the path exists, the method does not. */
  readonly missingMeans?: "method";
  /** Who may call it. */
  readonly policy: RouteRule;
  /** PUT or POST that takes no body: whatever comes is not looked at. */
  readonly bodiless?: boolean;
  /** GET that does not look at Accept. */
  readonly anyAccept?: boolean;
  readonly handler: Handler;
}

export const callOf = (req: Request, init: Pick<Call, "ctx" | "placement" | "minor">): Call => ({
  ...init,
  query: queryOf(req),
  get body() {
    return parsed(req.body);
  },
  params: Object.fromEntries(Object.entries(req.params).map(([name, value]) => [name, String(value)])),
});

function parsed(bytes: unknown): unknown {
  let json: unknown;
  try {
    const text = Buffer.isBuffer(bytes) ? bytes : new Uint8Array();
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch (error) {
    throw RestErrors.JSON_MALFORMED({}, { cause: error });
  }
  assertStorable(json);
  return json;
}

/** The provider in the path. A malformed UUID names nothing that exists. */
export function providerIn({ params }: Call): string {
  const id = parseUuid(params["uuid"] ?? "");
  if (id === undefined) throw RestErrors.ROUTE_NOT_FOUND({});
  return id;
}

/**
 * The body of a request about the provider in the path. Who names one that does not exist hears that first,
 * whatever the body. Costs a call only where the body is refused.
 * @throws PROVIDER_NOT_FOUND, and what the check throws
 */
export async function bodyAbout<T>(call: Call, check: (body: unknown) => T): Promise<T> {
  const id = providerIn(call);
  try {
    return check(call.body);
  } catch (error) {
    await call.placement.getProvider(call.ctx, { id });
    throw error;
  }
}

/** @throws QUERY_INVALID for keys that are not listed */
export function assertKeys(query: Query, allowed: readonly string[]): void {
  for (const key of query.keys())
    if (!allowed.includes(key)) throw RestErrors.QUERY_INVALID({ problem: `'${key}' was unexpected` });
}
