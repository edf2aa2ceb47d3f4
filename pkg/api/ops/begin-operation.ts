import type { AcceptOperationRequest } from "../../../gen/kilonova/cells/v1/instances_service.js";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import { catalogue } from "../../model/operation-catalogue.js";
import type { MessageType, OperationDeclaration } from "../../model/operation-declaration.js";
import { subjectOf, versionFor } from "../../model/operation-declaration.js";
import type { Action, ActionInput, ActionRequest, Begun } from "../actions/action.js";
import { actions } from "../actions/index.gen.js";
import { behindState } from "./behind-state.js";
import { bodyHash } from "../crypto/hashes.js";
import { ApiErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Guarded } from "../rights/guarded.js";
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
    parts.servers.about(),
    async (ctx, request, loaded) => {
      const body = type.encode({ ...request, clientToken: "" }).finish();
      const asked = await behindState(ctx, declaration, loaded, () =>
        action.input(ctx, request, loaded, parts),
      );
      const call = { method: action.method, body, ...asked };
      const begun = await acceptOn(parts, ctx, declaration, request, call);
      return { operation: begun.operation, ...(await action.answer?.(ctx, { ...begun, asked }, parts)) };
    },
  );

/** What an acceptance needs to know of the request. */
export interface Asked extends ActionInput {
  readonly method: string;
  /** The encoded request without its token: what the token protects. */
  readonly body: Uint8Array;
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
  { method, body, input, secrets }: Asked,
): Promise<Omit<Begun, "asked">> {
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
      bypassLock: ctx.rights.isAdmin,
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
