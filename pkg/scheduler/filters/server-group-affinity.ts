import { hostFilter } from "../domain/rules.js";
import { tells } from "../domain/telling.js";
import { pass, refuse } from "../domain/verdict.js";

/**
 * Refuses hosts without a member of the server's group, once the group has any. @source nova
 * ServerGroupAffinityFilter
 */
export default hostFilter("ServerGroupAffinityFilter", {
  tellings: { GROUP_ELSEWHERE: tells("no member of the server group on it") },
  judge: (host, { group }) => {
    if (group?.policy !== "affinity" || group.hosts.size === 0) return pass;
    return group.hosts.has(host.host) ? pass : refuse("GROUP_ELSEWHERE", { group_hosts: group.hosts.size });
  },
});
