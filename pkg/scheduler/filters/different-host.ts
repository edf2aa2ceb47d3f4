import { hostFilter } from "../domain/rules.js";
import { counted, tells } from "../domain/telling.js";
import { pass, refuse } from "../domain/verdict.js";

/** Hint `different_host`: none of the servers is on the host. @source nova DifferentHostFilter */
export default hostFilter("DifferentHostFilter", {
  tellings: {
    SERVERS_ON_HOST: tells(({ servers }) => `${counted(servers, "server")} of the hint different_host on it`),
  },
  judge: (host, { hints }) => {
    const avoided = (hints.get("different_host") ?? []).filter((id) => host.instances.has(id));
    return avoided.length === 0 ? pass : refuse("SERVERS_ON_HOST", { servers: avoided.length });
  },
});
