import { hostWeigher } from "../domain/rules.js";
import { membersOn } from "../domain/groups.js";

/**
 * Prefers hosts with fewer members of a soft-anti-affinity group. @source nova
 * ServerGroupSoftAntiAffinityWeigher
 */
export default hostWeigher("ServerGroupSoftAntiAffinityWeigher", {
  multiplierOption: "soft_anti_affinity_weight_multiplier",
  multiplier: 1,
  raw: (host, { group }) => (group?.policy === "soft-anti-affinity" ? -membersOn(host, group) : 0),
});
