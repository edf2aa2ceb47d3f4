import { hostFilter } from "../domain/rules.js";
import { tells } from "../domain/telling.js";
import { pass, refuse } from "../domain/verdict.js";

/** Hint `same_host`: at least one of the servers is on the host. @source nova SameHostFilter */
export default hostFilter("SameHostFilter", {
  tellings: { SERVERS_NOT_ON_HOST: tells("no server of the hint same_host on it") },
  judge: (host, { hints }) => {
    const wanted = hints.get("same_host") ?? [];
    return wanted.length === 0 || wanted.some((id) => host.instances.has(id))
      ? pass
      : refuse("SERVERS_NOT_ON_HOST", { servers: wanted.length });
  },
});
