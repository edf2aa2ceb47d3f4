import type { ApiRequest, Reply } from "../../../http/api-request.js";
import type { Node } from "../../../schema/nodes.js";
import { anything, object, required } from "../../../schema/nodes.js";

/** How the body of an action that begins an operation becomes the fields of its method's request. */
export interface ActionBody {
  /** The body's only key. */
  readonly key: string;
  readonly body: Node;
  /** Fields besides the server's id. */
  fields(request: ApiRequest): object;
  /** What is said of the method's answer; absent: nothing. */
  readonly reply?: (request: ApiRequest, answer: unknown) => Reply;
}

/** An action whose value means nothing. */
export const bareAction = (key: string): ActionBody => ({
  key,
  body: object([required(key, anything)]),
  fields: () => ({}),
});
