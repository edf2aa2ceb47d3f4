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
  readonly query?: Node;
  readonly body?: Node;
  /** Whether the body schema has a form for `/v2`; others are not applied there. */
  readonly legacyBody?: boolean;
  handle(request: ApiRequest): Promise<Reply>;
}

export interface Endpoint extends Omit<Operation, "route"> {
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

  /** @throws when an operation names a route that the table does not have, or one that another serves */
  constructor(operations: readonly Operation[]) {
    const bound = new Map<string, Operation>();
    for (const operation of operations) {
      if (bound.has(operation.route)) throw new Error(`${operation.route} is served twice`);
      bound.set(operation.route, operation);
    }
    for (const route of parseRoutes(routeTable)) {
      this.#add({ ...(bound.get(route.key) ?? unserved(route)), route });
      bound.delete(route.key);
    }
    if (bound.size > 0) throw new Error(`not in the route table: ${[...bound.keys()].join(", ")}`);
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
