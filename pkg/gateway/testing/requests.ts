import { rootCtx } from "../../kernel/index.js";
import { createPolicy } from "../../policy/index.js";
import { ApiRequest } from "../http/api-request.js";
import type { Json } from "../http/json.js";
import { Links } from "../http/links.js";
import { parseQuery } from "../http/query.js";
import { actorOf } from "./test-tokens.js";

interface Init {
  readonly minor?: number;
  readonly query?: string;
  readonly body?: Json;
  readonly id?: string;
  readonly who?: "admin" | "member";
}

const policy = createPolicy();

/** A request as a handler gets it, without any HTTP around. */
export function someRequest({
  minor = 1,
  query = "",
  body = null,
  id = "",
  who = "member",
}: Init): ApiRequest {
  const actor = actorOf(who);
  return new ApiRequest({
    ctx: rootCtx({ requestId: "req-test", actor }),
    version: minor,
    legacy: false,
    id,
    sub: "",
    query: parseQuery(query),
    body,
    links: new Links("http://openstack.example.com", "v2.1", ""),
    may: (rule) => policy.allows(actor, rule),
  });
}
