import { Actor as ActorMessage } from "../../../gen/kilonova/type/v1/actor.js";
import type { Actor, Ctx } from "../../kernel/index.js";
import { anonymous } from "../../kernel/index.js";

/** What travels beside a request, on every transport. */
export interface Carrier {
  readonly requestId: string;
  readonly globalRequestId: string;
  readonly traceparent: string;
  /** Encoded kilonova.type.v1.Actor; only believed from our own services. */
  readonly actor: Uint8Array;
  /** Epoch milliseconds. */
  readonly deadlineMs: number | undefined;
}

export const metadataKeys = {
  requestId: "x-request-id", globalRequestId: "x-global-request-id", traceparent: "traceparent", actor: "kilonova-actor-bin",
} as const;

const encodedActors = new WeakMap<Actor, Uint8Array>();

/** @cost the actor is encoded once per object, not per hop */
export function carrierOf(ctx: Ctx): Carrier {
  let actor = encodedActors.get(ctx.actor);
  if (!actor) encodedActors.set(ctx.actor, actor = ActorMessage.encode({ ...ctx.actor, roles: [...ctx.actor.roles] }).finish());
  return { requestId: ctx.requestId, globalRequestId: ctx.globalRequestId, traceparent: ctx.span.traceparent, actor, deadlineMs: ctx.deadlineMs };
}

export function decodeActor(bytes: Uint8Array): Actor {
  if (bytes.length === 0) return anonymous;
  const m = ActorMessage.decode(bytes);
  return { ...m, kind: m.kind === "user" || m.kind === "service" ? m.kind : "anonymous" };
}
