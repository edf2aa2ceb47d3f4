import type { Request, Response } from "express";
import type { PlacementServiceDefinition } from "../../gen/kilonova/placement/v1/placement_service.js";
import type { Ctx } from "../kernel/ctx.js";
import { parseUuid } from "../kernel/ids.js";
import type { Instant } from "../kernel/time.js";
import { queryOf } from "../platform/http/index.js";
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
  readonly body: unknown;
}

/** What a handler answers. */
export interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly location?: string;
  /** Newest change of what is shown; absent: now. Shown from 1.15. */
  readonly modified?: Instant | undefined;
}

export type Handler = (call: Call) => Promise<Answer>;

/** A method of a path and the interval of minor versions in which it lives. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly since: number;
  readonly until?: number;
  /** Below `since`: the path exists, the method does not. */
  readonly missingMeans?: "method";
  /** Who may: everything else is for administrators and services. */
  readonly policy?: "project-reader" | "service";
  readonly handler: Handler;
}

export const callOf = (
  req: Request,
  _res: Response,
  init: Pick<Call, "ctx" | "placement" | "minor">,
): Call => ({
  ...init,
  query: queryOf(req),
  body: req.body as unknown,
  params: Object.fromEntries(Object.entries(req.params).map(([name, value]) => [name, String(value)])),
});

/** The provider in the path. A malformed UUID names nothing that exists. */
export function providerIn({ params }: Call): string {
  const id = parseUuid(params["uuid"] ?? "");
  if (id === undefined) throw RestErrors.ROUTE_NOT_FOUND({});
  return id;
}

/** @throws QUERY_INVALID for keys that are not listed */
export function assertKeys(query: Query, allowed: readonly string[]): void {
  for (const key of query.keys())
    if (!allowed.includes(key)) throw RestErrors.QUERY_INVALID({ problem: `'${key}' was unexpected` });
}
