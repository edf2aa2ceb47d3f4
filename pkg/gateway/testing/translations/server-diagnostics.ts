import type { Translation } from "./translation.js";
import { SERVER, asAdmin } from "./translation.js";

export default (["2.1", "2.104"] as const).map((version): Translation => [
  "GET /servers/{id}/diagnostics",
  `/servers/${SERVER}/diagnostics`,
  asAdmin({ version }),
  "getServerDiagnostics",
  { serverId: SERVER },
]);
