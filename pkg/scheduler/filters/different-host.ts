import { hostFilter } from "../domain/rules.js";
import { pass, refuse } from "../domain/verdict.js";

/** Hint `different_host`: none of the servers is on the host. @source nova DifferentHostFilter */
export default hostFilter("DifferentHostFilter", {
  judge: (host, { hints }) => {
    const avoided = (hints.get("different_host") ?? []).filter((id) => host.instances.has(id));
    return avoided.length === 0 ? pass : refuse("SERVERS_ON_HOST", { servers: avoided.length });
  },
});
