import type { Request, Response } from "express";
import type { TokenValidator } from "../../clients/keystone/ports.js";
import type { Ctx } from "../../kernel/index.js";
import { KilonovaError } from "../../kernel/index.js";
import { baseUrlOf, ctxOf, replaceCtx } from "../../platform/http/index.js";
import { GatewayErrors } from "../errors.js";
import { negotiate } from "../microversion/negotiate.js";
import type { Microversion } from "../microversion/version.js";
import { inSpan, MAX_VERSION, MIN_VERSION, versionText } from "../microversion/version.js";
import type { RuleName } from "../../policy/index.js";
import type { GatewayPolicy } from "../ports.js";
import type { Endpoint, Endpoints, Target } from "../routing/endpoints.js";
import { successOf } from "../routing/routes.js";
import type { SchemaCompiler } from "../schema/compiler.js";
import { ApiRequest } from "./api-request.js";
import type { May, Reply } from "./api-request.js";
import { authenticate } from "./authenticate.js";
import { assertAnnouncedSize, assertContentType, readBody } from "./body.js";
import type { Json } from "./json.js";
import { isObject, parseJson } from "./json.js";
import { Links } from "./links.js";
import type { Located } from "./path.js";
import { splitProject } from "./path.js";
import { parseQuery } from "./query.js";
import { sendReply, setVersion, setVersionHeaders } from "./respond.js";
import type { Mount } from "./version-documents.js";

export interface PipelineDeps {
  readonly endpoints: Endpoints;
  readonly schemas: SchemaCompiler;
  readonly tokens: TokenValidator;
  readonly policy: GatewayPolicy;
  readonly maxBodyBytes: number;
  /** Replaces scheme, host and port in links; "" takes them from the request. */
  readonly linkPrefix: string;
}

/** Notes the route of a request for its fault, should it end in one. */
export type NoteRoute = (key: string) => void;

/**
 * One request to the API proper. The order of the checks is part of the contract: token, route, version,
 * content type, action, JSON, project id, version range, query, body; only then the handler, which asks
 * `api`, which asks policy.
 * @source the reference's WSGI stack, observed
 */
export async function runApi(
  deps: PipelineDeps,
  req: Request,
  res: Response,
  at: Located & { mount: Mount },
  noteRoute: NoteRoute,
): Promise<void> {
  const ctx = await authenticate(req, ctxOf(req), deps.tokens);
  replaceCtx(req, ctx);
  const { projectId, rest } = splitProject(at.segments);
  const found = deps.endpoints.find(rest, req.method);
  if (!found) throw GatewayErrors.ROUTE_NOT_FOUND({});
  const legacy = at.mount === "v2";
  const version = legacy ? MIN_VERSION : agreeOnVersion(req, res);
  assertContentType(req.headers["content-type"]);
  const { endpoint, body } = await receive(found.target, req, deps.maxBodyBytes);
  noteRoute(endpoint.route.key);
  if (projectId !== "" && projectId !== ctx.actor.projectId)
    throw GatewayErrors.PROJECT_MISMATCH({ url: projectId, token: ctx.actor.projectId });
  if (!inSpan(version, endpoint.route.span)) throw GatewayErrors.NOT_IN_VERSION({});
  const [id = "", sub = ""] = found.parameters;
  const links = new Links(baseUrlOf(req, deps.linkPrefix), at.mount, projectId);
  const form = checkForm(deps.schemas, endpoint, { version, legacy }, at.queryText, body);
  const request = new ApiRequest({
    ctx,
    version,
    legacy,
    id,
    sub,
    links,
    may: mayOf(deps.policy, ctx),
    ...form,
  });
  sendReply(req, res, successOf(endpoint.route, version), await handle(endpoint, request));
}

/** Longer than the name of anything. */
const MAX_ID = 255;

/**
 * `api` refuses names that are too long as bad input; in a path they are the names of nothing, like any other
 * that nobody has.
 */
async function handle(endpoint: Endpoint, request: ApiRequest): Promise<Reply> {
  try {
    return await endpoint.handle(request);
  } catch (error) {
    const isNobodys = [request.id, request.sub].some((name) => name.length > MAX_ID);
    if (isNobodys && error instanceof KilonovaError && error.reason === "INVALID_REQUEST")
      throw GatewayErrors.NOT_IN_VERSION({}, { cause: error });
    throw error;
  }
}

/** Negotiates, and sets the headers that tell the result. @throws VERSION_MALFORMED, VERSION_UNSUPPORTED */
export function agreeOnVersion(req: Request, res: Response): Microversion {
  const result = negotiate(req.get("openstack-api-version"), req.get("x-openstack-nova-api-version"));
  if (result.kind === "malformed") throw GatewayErrors.VERSION_MALFORMED({ asked: result.asked });
  if (result.kind === "unsupported") {
    setVersionHeaders(res, result.asked);
    throw GatewayErrors.VERSION_UNSUPPORTED({
      asked: result.asked,
      min: versionText(MIN_VERSION),
      max: versionText(MAX_VERSION),
    });
  }
  setVersion(res, result.version);
  return result.version;
}

interface Received {
  readonly endpoint: Endpoint;
  readonly body: Json;
}

/** Only POST and PUT have bodies; what others send stays unread. */
async function receive(target: Target, req: Request, maxBytes: number): Promise<Received> {
  const hasBody = req.method === "POST" || req.method === "PUT";
  const limitBytes = Math.min(maxBytes, target.maxBodyBytes);
  if (hasBody) assertAnnouncedSize(req, limitBytes);
  const body = hasBody ? parseJson(await readBody(req, limitBytes)) : undefined;
  return target.kind === "plain"
    ? { endpoint: target.endpoint, body: body ?? null }
    : dispatchAction(target.actions, body);
}

/**
 * Finds the action by the body's single key. The reference counts the parts of whatever the body is before it
 * asks for keys: other than one part is 400, one part without a key 404.
 * @source nova wsgi.action_peek
 */
function dispatchAction(actions: ReadonlyMap<string, Endpoint>, body: Json | undefined): Received {
  if (body === undefined) throw GatewayErrors.MALFORMED_BODY({});
  if (partsOf(body) !== 1) throw GatewayErrors.MALFORMED_BODY({});
  if (!isObject(body)) throw GatewayErrors.NOT_IN_VERSION({});
  const [action = ""] = Object.keys(body);
  const endpoint = actions.get(action);
  if (!endpoint) throw GatewayErrors.UNKNOWN_ACTION({ action });
  return { endpoint, body };
}

/** What Python's `len` says; what has no length counts as one. */
function partsOf(body: Json): number {
  if (typeof body === "string") return [...body].length;
  if (Array.isArray(body)) return body.length;
  return isObject(body) ? Object.keys(body).length : 1;
}

function checkForm(
  schemas: SchemaCompiler,
  endpoint: Endpoint,
  env: { version: Microversion; legacy: boolean },
  queryText: string,
  body: Json,
) {
  const parsed = parseQuery(queryText);
  const query = endpoint.query ? schemas.checkQuery(endpoint.query, env, parsed) : parsed;
  const checked =
    endpoint.body && (!env.legacy || endpoint.legacyBody)
      ? schemas.checkBody(endpoint.body, env, body)
      : body;
  return { query, body: checked };
}

/** Remembers the answers for one request: a list asks the same few rules for each of its items. */
function mayOf(policy: GatewayPolicy, ctx: Ctx): May {
  const known = new Map<RuleName, boolean>();
  return (rule) => {
    let allowed = known.get(rule);
    if (allowed === undefined) known.set(rule, (allowed = policy.allows(ctx.actor, rule)));
    return allowed;
  };
}
