import type { Translation } from "./translation.js";
import { asAdmin } from "./translation.js";

export default [
  ["GET /limits", "/limits?tenant_id=t", asAdmin({}), "getLimits", { projectId: "t" }],
] satisfies readonly Translation[];
