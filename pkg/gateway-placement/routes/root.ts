import type { Route } from "../call.js";
import { MAX_MINOR } from "../microversion.js";

/** The document by which clients find the versions; open to everybody. */
export const rootRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/",
    since: 0,
    policy: "anyone",
    anyAccept: true,
    handler: async () => ({
      status: 200,
      json: {
        versions: [
          {
            id: "v1.0",
            min_version: "1.0",
            max_version: `1.${MAX_MINOR}`,
            status: "CURRENT",
            links: [{ rel: "self", href: "" }],
          },
        ],
      },
    }),
  },
];
