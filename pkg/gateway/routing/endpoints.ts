import { GatewayErrors } from "../errors.js";
import type { ApiRequest, Reply } from "../http/api-request.js";
import type { Node } from "../schema/nodes.js";
import { bodyLimitOf } from "./body-limits.js";
import { PathTree } from "./path-tree.js";
import type { Found } from "./path-tree.js";
import { parseRoutes } from "./routes.js";
import type { Route } from "./routes.js";
import { routeTable } from "./table.js";

/** What a resource says about one of its routes. */
export interface Operation {
  /** Key of the route table. */
  readonly route: string;
  /** Nova has no such route: it is in no table, is there in every microversion, and answers 202. */
  readonly ours?: true;
  readonly query?: Node;
  readonly body?: Node;
  /** Whether the body schema has a form for `/v2`; others are not applied there. */
  readonly legacyBody?: boolean;
  handle(request: ApiRequest): Promise<Reply>;
}

export interface Endpoint extends Omit<Operation, "route" | "ours"> {
  readonly route: Route;
}

/** One endpoint, or several told apart by the body's single key. */
export type Target = (
  | { readonly kind: "plain"; endpoint: Endpoint }
  | { readonly kind: "action"; readonly actions: Map<string, Endpoint> }
) & {
  /** Most bytes of a body; for actions that of the longest, which is only known by reading it. */
  maxBodyBytes: number;
};

/** Every route of the API: the served ones with their handlers, the others with the answer that fits them. */
export class Endpoints {
  readonly #tree = new PathTree<Target>();

  /**
   * @throws when an operation names a route that the table does not have, or one that another serves; or says
   *   of a route of Nova's that it is ours
   */
  constructor(operations: readonly Operation[]) {
    const bound = new Map<string, Operation>();
    for (const operation of operations) {
      if (bound.has(operation.route)) throw new Error(`${operation.route} is served twice`);
      bound.set(operation.route, operation);
    }
    for (const route of parseRoutes(routeTable)) {
      const operation = bound.get(route.key);
      if (operation?.ours === true) throw new Error(`${route.key} is Nova's`);
      this.#add({ ...(operation ?? unserved(route)), route });
      bound.delete(route.key);
    }
    for (const { ours, ...operation } of bound.values()) {
      if (ours !== true) throw new Error(`not in the route table: ${operation.route}`);
      for (const route of parseRoutes(`${operation.route} 1- 202`)) this.#add({ ...operation, route });
    }
  }

  /** @param segments  the decoded path below the mount, without project id */
  find(segments: readonly string[], method: string): Found<Target> | undefined {
    return this.#tree.find(segments, method);
  }

  #add(endpoint: Endpoint): void {
    const { path, method, action, key } = endpoint.route;
    const maxBodyBytes = bodyLimitOf(key);
    const target = this.#tree.at(path, method, (): Target =>
      action === ""
        ? { kind: "plain", endpoint, maxBodyBytes }
        : { kind: "action", actions: new Map(), maxBodyBytes },
    );
    target.maxBodyBytes = Math.max(target.maxBodyBytes, maxBodyBytes);
    if (target.kind === "action") target.actions.set(action, endpoint);
  }
}

function unserved(route: Route): Operation {
  return {
    route: route.key,
    handle: async () => {
      if (route.kind === "gone") throw GatewayErrors.API_REMOVED({});
      if (route.kind === "refused")
        throw GatewayErrors.BAD_REQUEST({ message: "The requested functionality is not supported." });
      throw GatewayErrors.NOT_IMPLEMENTED({ what: route.key });
    },
  };
}
