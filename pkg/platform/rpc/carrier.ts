import { Actor as ActorMessage } from "../../../gen/kilonova/type/v1/actor.js";
import type { Actor, Ctx, Span } from "../../kernel/index.js";
import { anonymous } from "../../kernel/index.js";

/** What travels beside a request, on every transport. */
export interface Carrier {
  readonly requestId: string;
  readonly globalRequestId: string;
  /** The span around the call, or its W3C traceparent when it comes from another process. */
  readonly parent: Span | string;
  /** Encoded kilonova.type.v1.Actor; only believed from our own services. */
  readonly actor: Uint8Array;
  /** Epoch milliseconds. */
  readonly deadlineMs: number | undefined;
  /** The user's own token; only believed from the gateway, and from the door that has checked it. */
  readonly userToken?: string | undefined;
}

/** Services that are called on behalf of users: a user's token goes to these alone. */
const FOR_USERS = "kilonova.api.";

export const metadataKeys = {
  requestId: "x-request-id",
  globalRequestId: "x-global-request-id",
  traceparent: "traceparent",
  actor: "kilonova-actor-bin",
  userToken: "kilonova-user-token",
} as const;

/**
 * Both ways, for as long as somebody holds the actor or its bytes: one is asked for at every hop, and inside
 * a process it is always the same.
 */
const encodedActors = new WeakMap<Actor, Uint8Array>();
const decodedActors = new WeakMap<Uint8Array, Actor>();

/**
 * What a call from here carries. @param service  full name of whom it calls
 * @cost the actor is encoded once per object, not per hop
 */
export function carrierOf(ctx: Ctx, service: string): Carrier {
  let actor = encodedActors.get(ctx.actor);
  if (!actor)
    encodedActors.set(
      ctx.actor,
      (actor = ActorMessage.encode({ ...ctx.actor, roles: [...ctx.actor.roles] }).finish()),
    );
  return {
    requestId: ctx.requestId,
    globalRequestId: ctx.globalRequestId,
    parent: ctx.span,
    actor,
    deadlineMs: ctx.deadlineMs,
    ...(ctx.userToken !== undefined && service.startsWith(FOR_USERS) ? { userToken: ctx.userToken } : {}),
  };
}

/** @param bytes  not changed by anybody afterwards @cost decoded once per array */
export function decodeActor(bytes: Uint8Array): Actor {
  if (bytes.length === 0) return anonymous;
  let actor = decodedActors.get(bytes);
  if (!actor) {
    const m = ActorMessage.decode(bytes);
    actor = Object.freeze<Actor>({
      ...m,
      roles: Object.freeze(m.roles),
      kind: m.kind === "user" || m.kind === "service" ? m.kind : "anonymous",
    });
    decodedActors.set(bytes, actor);
    encodedActors.set(actor, bytes);
  }
  return actor;
}
