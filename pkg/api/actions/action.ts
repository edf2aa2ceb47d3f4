import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import type { LoadedServer } from "../cells/servers.js";
import type { Parts } from "../parts.js";
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
  /** What the method answers beside the operation; a repeated call is not told it. */
  readonly once?: object;
}

/** What a method that begins an operation has beyond a server and a client token. */
export interface Action<Req extends ActionRequest = ActionRequest> {
  /** Such as "RebootServer". */
  readonly method: string;
  readonly shape: Omit<Shape<Req>, keyof ActionRequest>;
  /** Makes the input. @throws what the request lacks, and rights that it needs beyond the method's rule */
  input(ctx: Call, request: Req, loaded: LoadedServer, parts: Parts): ActionInput | Promise<ActionInput>;
  /** What it answers beside the operation, which was accepted before, by this request or an earlier one. */
  readonly answer?: (ctx: Call, operation: Operation, parts: Parts) => Promise<object>;
}

/** @returns the action as all actions are listed */
export const action = <Req extends ActionRequest>(one: Action<Req>): Action => one as unknown as Action;
