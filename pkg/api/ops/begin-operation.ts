import type { AcceptOperationRequest } from "../../../gen/kilonova/cells/v1/instances_service.js";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import { catalogue } from "../../model/operation-catalogue.js";
import type { MessageType, OperationDeclaration } from "../../model/operation-declaration.js";
import { subjectOf, versionFor } from "../../model/operation-declaration.js";
import type { Action, ActionInput, ActionRequest, Begun } from "../actions/action.js";
import { actions } from "../actions/index.gen.js";
import { KilonovaError } from "../../kernel/index.js";
import type { LoadedServer } from "../cells/servers.js";
import { behindState, isAboutOthers } from "./behind-state.js";
import { bodyHash, sortedMap } from "../crypto/hashes.js";
import { ApiErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { About, Guarded, Subject } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Call } from "../rights/rights.js";
import { clientToken, id } from "../shape/common.js";

interface OperationAnswer {
  readonly operation: Operation | undefined;
}
type Begin = Guarded<ActionRequest, OperationAnswer>;

/** Methods with answers of their own, or of other services. */
const ELSEWHERE = new Set([
  "CreateServers",
  "RebuildServer",
  "ResetServerState",
  "AttachInterface",
  "DetachInterface",
  "AttachVolume",
  "DetachVolume",
  "UpdateVolumeAttachment",
  "CreateExternalEvents",
  "AddServerSecurityGroup",
  "RemoveServerSecurityGroup",
  "AddFixedIp",
  "RemoveFixedIp",
  "AddFloatingIp",
  "RemoveFloatingIp",
]);
/** What is said of a server that is another one than was expected. */
const CHANGED = "GENERATION_CONFLICT";
const WITHOUT_FIELDS: Omit<Action, "method"> = { shape: {}, input: () => ({}) };

/**
 * The methods that begin an operation on a server, by their keys, as the catalogue declares them: adding one
 * takes a declaration, and a file in `actions/` when its request has fields.
 * @throws when the contract has no such method
 */
export function beginnings(parts: Parts): Readonly<Record<string, Begin>> {
  const special = new Map(actions.map((one) => [one.method, one]));
  return Object.fromEntries(
    catalogue.all
      .filter((one) => subjectOf(one) === "server")
      .flatMap((declaration) =>
        declaration.methods
          .map(({ name }) => name)
          .filter((method) => !ELSEWHERE.has(method))
          .map((method) => {
            const found = Object.entries(ServersServiceDefinition.methods).find(
              ([, one]) => one.name === method,
            );
            if (found === undefined) throw new Error(`the contract has no method ${method}`);
            const [key, { requestType }] = found;
            const type = requestType as unknown as MessageType<ActionRequest>;
            return [
              key,
              begin(parts, declaration, type, special.get(method) ?? { ...WITHOUT_FIELDS, method }),
            ];
          }),
      ),
  );
}

const begin = (
  parts: Parts,
  declaration: OperationDeclaration,
  type: MessageType<ActionRequest>,
  action: Action,
): Begin =>
  guarded(
    { ...action.shape, serverId: id, clientToken },
    aboutOf(parts, action),
    async (ctx, request, loaded) => {
      const call = {
        method: action.method,
        body: type.encode({ ...inOrder(request), clientToken: "" }).finish(),
      };
      const begun = await whileItChanges(parts, ctx, loaded, (now) =>
        beginWith(parts, ctx, declaration, { request, call }, () =>
          behindState(ctx, declaration, now, () => action.input(ctx, request, now, parts)),
        ),
      );
      return { operation: begun.operation, ...(await action.answer?.(ctx, begun, parts)) };
    },
  );

/** The server, under the method's first rule unless this form of the request is another one's business. */
function aboutOf({ servers }: Parts, { decides }: Action): About<ActionRequest, LoadedServer & Subject> {
  const about = servers.about();
  return async (ctx, request) => {
    const rule = decides?.(request);
    return { ...(await about(ctx, request)), ...(rule === undefined ? {} : { decides: rule }) };
  };
}

/** A server that changes more often while somebody asks is at work: whoever asks may come again. */
const ATTEMPTS = 8;

/** With the server as it was found, and with what it has become while that was another one by then. */
export async function whileItChanges<T>(
  { servers }: Parts,
  ctx: Call,
  loaded: LoadedServer,
  attempt: (now: LoadedServer) => Promise<T>,
): Promise<T> {
  let now = loaded;
  for (let left = ATTEMPTS - 1; left > 0; left--)
    try {
      return await attempt(now);
    } catch (error) {
      if (!(error instanceof KilonovaError) || error.reason !== CHANGED) throw error;
      now = await servers.load(ctx, loaded.server.id);
    }
  return attempt(now);
}

/** Equal requests are encoded equally, in whatever order their maps came. */
const inOrder = <Req extends object>(request: Req): Req => ({
  ...request,
  ...Object.fromEntries(
    Object.entries(request as Readonly<Record<string, unknown>>).flatMap(([key, value]) =>
      value instanceof Map ? [[key, sortedMap(value)]] : [],
    ),
  ),
});

/** A call, as its client token protects it. */
interface ProtectedCall {
  readonly method: string;
  /** The encoded request without its token. */
  readonly body: Uint8Array;
}

/** What an acceptance needs to know of the request. */
export interface Asked extends ActionInput, ProtectedCall {}

/** Who asks for an operation on which server, and how. */
interface Beginning {
  readonly request: ActionRequest;
  readonly call: ProtectedCall;
}

/**
 * Begins an operation with what is gathered for it. A repeated call is answered with what it began before,
 * whatever stands in its way by now: most often that is its own work.
 * @throws what `gather` and `acceptOn` throw
 */
export async function beginWith<A extends ActionInput>(
  parts: Parts,
  ctx: Call,
  declaration: OperationDeclaration,
  { request, call }: Beginning,
  gather: () => A | Promise<A>,
): Promise<Begun<A>> {
  let asked: A;
  try {
    asked = await gather();
  } catch (error) {
    const operation = isAboutOthers(error)
      ? await begunBefore(parts, ctx, declaration, { request, call })
      : undefined;
    if (operation === undefined) throw error;
    return { operation, replayed: true };
  }
  const { operation, replayed } = await acceptOn(parts, ctx, declaration, request, { ...call, ...asked });
  return replayed ? { operation, replayed } : { operation, replayed, asked };
}

/** No server has it: what is accepted all the same was accepted before. */
const NO_GENERATION = 2n ** 63n - 1n;
const NOT_BEGUN: ReadonlySet<string> = new Set([CHANGED, "SERVER_NOT_FOUND"]);

/** What an earlier call with the same token has begun; undefined for nothing. @throws TOKEN_REUSED */
export async function begunBefore(
  parts: Parts,
  ctx: Call,
  declaration: OperationDeclaration,
  { request, call }: Beginning,
): Promise<Operation | undefined> {
  if (request.clientToken === "") return undefined;
  try {
    const impossible = { ...call, expectedGeneration: NO_GENERATION };
    return (await acceptOn(parts, ctx, declaration, request, impossible)).operation;
  } catch (error) {
    if (error instanceof KilonovaError && NOT_BEGUN.has(error.reason)) return undefined;
    throw error;
  }
}

/**
 * Accepts an operation on a server, wherever its record is. States, locks and capabilities are judged where
 * the record is written; rights were judged before.
 * @throws SERVER_NOT_FOUND; what AcceptOperation of cells refuses
 */
export async function acceptOn(
  parts: Parts,
  ctx: Call,
  declaration: OperationDeclaration,
  { serverId: asked, clientToken: token }: ActionRequest,
  { method, body, input, secrets, change, expectedGeneration = 0n }: Asked,
): Promise<Pick<Begun, "operation" | "replayed">> {
  const encoded = encodedAs(declaration.input, input ?? {});
  const { operation, replayed } = await parts.servers.at(ctx, asked, async (inner, database, serverId) => {
    const request: Partial<AcceptOperationRequest> = {
      database,
      serverId,
      projectId: parts.servers.scope(ctx),
      clientToken: token,
      bodyHash: Buffer.from(bodyHash(body)),
      method,
      actor: { ...ctx.actor, roles: [...ctx.actor.roles] },
      kind: declaration.kind,
      kindVersion: versionFor(declaration, encoded),
      input: encoded,
      secrets:
        declaration.secrets === undefined ? Buffer.alloc(0) : encodedAs(declaration.secrets, secrets ?? {}),
      change,
      bypassLock: ctx.rights.isAdmin,
      expectedGeneration,
      deferrable: declaration.methods.some((one) => one.name === method && one.deferrable === true),
      traceparent: ctx.span.traceparent,
    };
    return parts.instances.acceptOperation(inner, request);
  });
  if (operation === undefined) throw ApiErrors.SERVER_NOT_FOUND({ server: asked });
  return { operation, replayed };
}

export const encodedAs = (type: MessageType<unknown>, fields: object): Buffer =>
  Buffer.from(type.encode(type.fromPartial(fields)).finish());
