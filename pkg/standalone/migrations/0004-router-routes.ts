import type { Migration } from "../../platform/db/index.js";

/** Static routes of routers. */
export const routerRoutes: Migration = {
  name: "0004-router-routes",
  statements: [`ALTER TABLE network_router ADD COLUMN routes jsonb NOT NULL DEFAULT '[]'`],
};
