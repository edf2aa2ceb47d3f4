import type { InstanceChange } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import type { LoadedServer } from "../cells/servers.js";
import type { Parts } from "../parts.js";
import type { RuleName } from "../../policy/index.js";
import type { Call } from "../rights/rights.js";
import type { Shape } from "../shape/shape.js";

/** What every method has that begins an operation. */
export interface ActionRequest {
  readonly serverId: string;
  readonly clientToken: string;
}

/** What an operation works with, in the fields of its declaration's messages. */
export interface ActionInput {
  readonly input?: object;
  readonly secrets?: object;
  /** What of the server changes with the acceptance, besides what the kind declares. */
  readonly change?: InstanceChange;
  /** Of the server by which rights were judged: they are judged anew when it is another one by then. */
  readonly expectedGeneration?: bigint;
}

/** An operation that was accepted, and what it was asked for. */
export type Begun<Asked extends ActionInput = ActionInput> =
  | { readonly operation: Operation; readonly replayed: false; readonly asked: Asked }
  /** An earlier call had begun it: nothing of what this call asked for has become part of it. */
  | { readonly operation: Operation; readonly replayed: true };

/** What a method that begins an operation has beyond a server and a client token. */
export interface Action<Req extends ActionRequest = ActionRequest, Asked extends ActionInput = ActionInput> {
  /** Such as "RebootServer". */
  readonly method: string;
  readonly shape: Omit<Shape<Req>, keyof ActionRequest>;
  /** The rule that decides about this form of the request; undefined: the method's first one. */
  readonly decides?: (request: Req) => RuleName | undefined;
  /** Makes the input. @throws what the request lacks, and rights that it needs beyond the method's rule */
  input(ctx: Call, request: Req, loaded: LoadedServer, parts: Parts): Asked | Promise<Asked>;
  /**
   * What it answers beside the operation. What is shown once, such as a password, it does not tell again to a
   * call that is `replayed`.
   */
  readonly answer?: (ctx: Call, begun: Begun<Asked>, parts: Parts) => object | Promise<object>;
}

/** @returns the action as all actions are listed */
export const action = <Req extends ActionRequest, Asked extends ActionInput = ActionInput>(
  one: Action<Req, Asked>,
): Action => one as unknown as Action;
