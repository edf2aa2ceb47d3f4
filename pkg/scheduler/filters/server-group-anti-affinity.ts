import { membersOn } from "../domain/groups.js";
import { hostFilter } from "../domain/rules.js";
import { counted, tells } from "../domain/telling.js";
import { pass, refuse } from "../domain/verdict.js";

/**
 * Refuses hosts that have as many members of the server's group as its rule allows. @source nova
 * ServerGroupAntiAffinityFilter
 */
export default hostFilter("ServerGroupAntiAffinityFilter", {
  tellings: {
    GROUP_MEMBERS_ON_HOST: tells(
      ({ members, limit }) => `${counted(members, "member")} of the server group on it (at most ${limit})`,
    ),
  },
  judge: (host, { group, serverId }) => {
    // A server that is already there does not count against itself: a resize may stay on its host.
    if (group?.policy !== "anti-affinity" || host.instances.has(serverId)) return pass;
    const members = membersOn(host, group);
    return members < group.maxServerPerHost
      ? pass
      : refuse("GROUP_MEMBERS_ON_HOST", { members, limit: group.maxServerPerHost });
  },
});
