import type { Ctx } from "../../kernel/index.js";
import { GatewayErrors } from "../errors.js";
import type { RuleName } from "../../policy/index.js";
import type { Microversion, Span } from "../microversion/version.js";
import { inSpan } from "../microversion/version.js";
import type { Json, JsonObject } from "./json.js";
import { isObject } from "./json.js";
import type { Links } from "./links.js";
import type { Query } from "./query.js";

/** Answers whether the caller has a policy rule on what belongs to its own project. */
export type May = (rule: RuleName) => boolean;

interface ApiRequestInit {
  readonly ctx: Ctx;
  readonly version: Microversion;
  readonly legacy: boolean;
  readonly id: string;
  readonly sub: string;
  readonly query: Query;
  readonly body: Json;
  readonly links: Links;
  readonly may: May;
}

/** A request that passed every check of form: what a resource's handler works from. */
export class ApiRequest {
  readonly ctx: Ctx;
  /** For views and schemas only: handlers ask `has`. */
  readonly version: Microversion;
  /** Whether it came in under `/v2`. */
  readonly legacy: boolean;
  /** First path parameter, or "". */
  readonly id: string;
  /** Second path parameter, or "". */
  readonly sub: string;
  /** Known parameters only. */
  readonly query: Query;
  readonly body: Json;
  readonly links: Links;
  readonly may: May;

  constructor(init: ApiRequestInit) {
    ({ ctx: this.ctx, version: this.version, legacy: this.legacy, id: this.id, sub: this.sub } = init);
    ({ query: this.query, body: this.body, links: this.links, may: this.may } = init);
  }

  /** Whether a behaviour that lives in the span is in force. */
  has(feature: Span): boolean {
    return inSpan(this.version, feature);
  }

  /** Whether the caller is an administrator in the sense of filters and views. */
  get isAdmin(): boolean {
    return this.may("context_is_admin");
  }

  /** For what only views decide: everything else is refused by `api`. @throws FORBIDDEN */
  need(rule: RuleName): void {
    if (!this.may(rule)) throw GatewayErrors.FORBIDDEN({ rule });
  }

  /** The object under `key` of the body; the schema has made sure that it is one. */
  member(key: string): JsonObject {
    const value = isObject(this.body) ? this.body[key] : undefined;
    return isObject(value) ? value : {};
  }
}

/**
 * What a handler answers. The status comes from the route table unless given; without `json` there is no body
 * at all.
 */
export interface Reply {
  readonly status?: number;
  /** Finished JSON. */
  readonly json?: string | Buffer;
  readonly location?: string;
  /** How many cells did not answer, so that what is listed may be old or incomplete. */
  readonly unreachableCells?: number;
}

export const replyJson = (value: Json, extra: Omit<Reply, "json"> = {}): Reply => ({
  ...extra,
  json: JSON.stringify(value),
});
export const replyEmpty: Reply = Object.freeze({});
